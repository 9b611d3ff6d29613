//! A circuit breaker (Nygard, "Release It!", chapter 5): who does not answer is left
//! alone for a while, so that waiting for it does not bring its callers down too.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::window::Window;

/// Fewer calls in the window say nothing.
const MIN_CALLS: u32 = 20;
/// One failure in so many calls opens.
const OPENS_AT_ONE_IN: u32 = 2;
/// Open for so long at first, twice as long after each half-open that failed.
const OPEN_FOR: Duration = Duration::from_secs(1);
const OPEN_AT_MOST: Duration = Duration::from_secs(30);
/// Calls that are let through to see whether the callee is back; all must succeed.
const PROBES: u32 = 3;

/// What a call says of its callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It answers, whatever the answer.
    Answers,
    /// It does not.
    Fails,
    /// Nothing: the caller gave up, or gave it too little time.
    Unknown,
}

/// One per callee, shared by all that call it.
#[derive(Debug)]
pub(super) struct Breaker {
    callee: &'static str,
    state: Mutex<State>,
}

impl Breaker {
    pub(super) fn new(callee: &'static str) -> Self {
        let state = State::new(Instant::now());
        show(callee, &state.phase);
        Self { callee, state: Mutex::new(state) }
    }

    /// Lets a call through, or says after how long it is worth asking again.
    pub(super) fn admit(&self) -> Result<Pass<'_>, Duration> {
        let mut state = self.lock();
        let before = state.era;
        let admitted = state.admit(Instant::now());
        self.tell(before, &state);
        let era = state.era;
        admitted.map(|()| Pass { breaker: self, era, verdict: Verdict::Unknown })
    }

    fn settle(&self, era: u64, verdict: Verdict) {
        let mut state = self.lock();
        let before = state.era;
        state.settle(era, verdict, Instant::now());
        self.tell(before, &state);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, era: u64, state: &State) {
        if era == state.era {
            return;
        }
        show(self.callee, &state.phase);
        let callee = self.callee;
        match state.phase {
            Phase::Closed => tracing::info!(callee, "calls go through again"),
            Phase::HalfOpen { .. } => tracing::info!(callee, "a few calls are let through"),
            Phase::Open { .. } => tracing::warn!(callee, "calls fail; none is made for a while"),
        }
    }
}

fn show(callee: &'static str, phase: &Phase) {
    let value = match phase {
        Phase::Closed => 0.0,
        Phase::HalfOpen { .. } => 1.0,
        Phase::Open { .. } => 2.0,
    };
    metrics::gauge!("rpc_client_breaker_state", "callee" => callee).set(value);
}

/// A call that was let through. Dropped without a verdict it says nothing, but a
/// probe's place is free again.
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    era: u64,
    verdict: Verdict,
}

impl Pass<'_> {
    pub(super) fn settle(mut self, verdict: Verdict) {
        self.verdict = verdict;
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.breaker.settle(self.era, self.verdict);
    }
}

/// The breaker without lock and clock.
#[derive(Debug)]
struct State {
    phase: Phase,
    window: Window,
    /// Changes with the phase: what was begun in an earlier one says nothing of now.
    era: u64,
    /// Times in a row that it opened again when it was half-open.
    relapses: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: Instant },
    HalfOpen { under_way: u32, passed: u32 },
}

impl State {
    fn new(now: Instant) -> Self {
        Self { phase: Phase::Closed, window: Window::new(now), era: 0, relapses: 0 }
    }

    fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        if let Phase::Open { until } = self.phase {
            if now < until {
                return Err(until - now);
            }
            self.go(Phase::HalfOpen { under_way: 0, passed: 0 });
        }
        match &mut self.phase {
            Phase::HalfOpen { under_way, passed } if *under_way + *passed >= PROBES => {
                Err(OPEN_FOR)
            }
            Phase::HalfOpen { under_way, .. } => {
                *under_way += 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn settle(&mut self, era: u64, verdict: Verdict, now: Instant) {
        if era != self.era {
            return;
        }
        match &mut self.phase {
            Phase::Closed => {
                if verdict != Verdict::Unknown {
                    self.window.count(verdict == Verdict::Fails, now);
                }
                let (calls, failed) = self.window.sum(now);
                if calls >= MIN_CALLS && failed * OPENS_AT_ONE_IN >= calls {
                    self.open(now);
                }
            }
            Phase::HalfOpen { under_way, passed } => {
                *under_way -= 1;
                match verdict {
                    Verdict::Unknown => {}
                    Verdict::Answers => *passed += 1,
                    Verdict::Fails => {
                        self.relapses += 1;
                        return self.open(now);
                    }
                }
                if *passed >= PROBES {
                    self.relapses = 0;
                    self.window = Window::new(now);
                    self.go(Phase::Closed);
                }
            }
            Phase::Open { .. } => {}
        }
    }

    fn open(&mut self, now: Instant) {
        let doubled = OPEN_FOR.saturating_mul(2_u32.saturating_pow(self.relapses));
        self.go(Phase::Open { until: now + doubled.min(OPEN_AT_MOST) });
    }

    fn go(&mut self, phase: Phase) {
        self.phase = phase;
        self.era += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(state: &mut State, verdict: Verdict, now: Instant) {
        state.admit(now).expect("let through");
        state.settle(state.era, verdict, now);
    }

    fn opened(now: Instant) -> State {
        let mut state = State::new(now);
        (0..MIN_CALLS).for_each(|_| call(&mut state, Verdict::Fails, now));
        assert!(matches!(state.phase, Phase::Open { .. }));
        state
    }

    #[test]
    fn it_opens_when_half_of_enough_calls_fail() {
        let now = Instant::now();
        let mut state = State::new(now);
        for _ in 0..MIN_CALLS / 2 {
            call(&mut state, Verdict::Answers, now);
        }
        for _ in 0..MIN_CALLS / 2 - 1 {
            call(&mut state, Verdict::Fails, now);
        }
        assert_eq!(state.phase, Phase::Closed, "one call too few");
        call(&mut state, Verdict::Fails, now);
        assert_eq!(state.admit(now), Err(OPEN_FOR));
    }

    #[test]
    fn what_is_long_ago_or_says_nothing_does_not_count() {
        let now = Instant::now();
        let mut state = State::new(now);
        (1..MIN_CALLS).for_each(|_| call(&mut state, Verdict::Fails, now));
        (0..MIN_CALLS).for_each(|_| call(&mut state, Verdict::Unknown, now));
        call(&mut state, Verdict::Fails, now + Duration::from_secs(11));
        assert_eq!(state.phase, Phase::Closed);
    }

    #[test]
    fn half_open_lets_a_few_through_and_closes_when_they_succeed() {
        let now = Instant::now();
        let mut state = opened(now);
        let later = now + OPEN_FOR;
        (0..PROBES).for_each(|_| state.admit(later).expect("a probe"));
        assert!(state.admit(later).is_err(), "one more than the probes");
        (0..PROBES).for_each(|_| state.settle(state.era, Verdict::Answers, later));
        assert_eq!(state.phase, Phase::Closed);
        call(&mut state, Verdict::Fails, later);
        assert_eq!(state.phase, Phase::Closed, "the failures of before are forgotten");
    }

    #[test]
    fn a_probe_that_was_given_up_makes_place_for_another() {
        let now = Instant::now();
        let mut state = opened(now);
        let later = now + OPEN_FOR;
        (0..PROBES).for_each(|_| state.admit(later).expect("a probe"));
        state.settle(state.era, Verdict::Unknown, later);
        assert_eq!(state.admit(later), Ok(()));
    }

    #[test]
    fn each_relapse_doubles_the_pause_up_to_a_limit() {
        let mut now = Instant::now();
        let mut state = opened(now);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let pause = state.admit(now).expect_err("open");
            pauses.push(pause.as_secs());
            now += pause;
            call(&mut state, Verdict::Fails, now);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn calls_of_an_earlier_phase_change_nothing() {
        let now = Instant::now();
        let mut state = State::new(now);
        let era = state.era;
        (0..2 * MIN_CALLS).for_each(|_| state.admit(now).expect("closed"));
        (0..MIN_CALLS).for_each(|_| state.settle(era, Verdict::Fails, now));
        let later = now + OPEN_FOR;
        state.admit(later).expect("a probe");
        // Begun before it opened, these end only now.
        (0..MIN_CALLS).for_each(|_| state.settle(era, Verdict::Fails, later));
        assert_eq!(state.phase, Phase::HalfOpen { under_way: 1, passed: 0 });
    }
}
