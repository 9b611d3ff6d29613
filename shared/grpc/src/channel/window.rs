//! How many of the last seconds' calls failed.

use std::time::Instant;

const SECONDS: u64 = 10;

/// A sliding window in slices of a second: its size does not grow with the load.
#[derive(Debug)]
pub(super) struct Window {
    began: Instant,
    slices: [Slice; SECONDS as usize],
}

#[derive(Debug, Clone, Copy, Default)]
struct Slice {
    second: u64,
    calls: u32,
    failed: u32,
}

impl Window {
    pub(super) fn new(now: Instant) -> Self {
        Self { began: now, slices: [Slice::default(); SECONDS as usize] }
    }

    pub(super) fn count(&mut self, failed: bool, now: Instant) {
        let second = self.second(now);
        let slice = &mut self.slices[(second % SECONDS) as usize];
        if slice.second != second {
            *slice = Slice { second, ..Slice::default() };
        }
        slice.calls += 1;
        slice.failed += u32::from(failed);
    }

    /// Calls, and how many of them failed.
    pub(super) fn sum(&self, now: Instant) -> (u32, u32) {
        let second = self.second(now);
        let recent = self.slices.iter().filter(|slice| slice.second + SECONDS > second);
        recent.fold((0, 0), |(calls, failed), s| (calls + s.calls, failed + s.failed))
    }

    fn second(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_older_than_ten_seconds_is_forgotten() {
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let mut window = Window::new(now);
        window.count(true, now);
        window.count(false, after(5));
        assert_eq!(window.sum(after(9)), (2, 1));
        assert_eq!(window.sum(after(10)), (1, 0));
        window.count(true, after(10));
        assert_eq!(window.sum(after(10)), (2, 1), "the place of the oldest is used again");
        assert_eq!(window.sum(after(60)), (0, 0));
    }
}
