//! What goes wrong, and when: made from a seed, the same for the same seed.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};

/// Whom faults meet. The first are those without whom nobody can order.
pub const PROCESSES: [&str; 18] = [
    "orders",
    "payments",
    "inventory",
    "postgres",
    "rabbitmq",
    "edge",
    "sandbox",
    "orders-2",
    "payments-2",
    "inventory-2",
    "notifications-2",
    "cart",
    "redis",
    "notifications",
    "identity",
    "catalog",
    "guard",
    "smtp",
];

/// Services of which there are two: the second takes over what the first leaves.
pub const REPLICATED: [&str; 4] = ["orders", "payments", "inventory", "notifications"];

/// Who talks to whom: what a network could cut.
pub const LINKS: [Link; 25] = [
    link("orders", "inventory"),
    link("orders", "payments"),
    link("orders", "postgres"),
    link("payments", "sandbox"),
    link("orders", "rabbitmq"),
    link("notifications", "rabbitmq"),
    link("payments", "postgres"),
    link("inventory", "postgres"),
    link("edge", "orders"),
    link("sandbox", "edge"),
    link("cart", "redis"),
    link("orders", "cart"),
    link("orders", "catalog"),
    link("cart", "catalog"),
    link("payments", "rabbitmq"),
    link("notifications", "postgres"),
    link("notifications", "smtp"),
    link("sandbox", "postgres"),
    link("orders", "identity"),
    link("edge", "cart"),
    link("edge", "identity"),
    link("edge", "guard"),
    link("inventory", "rabbitmq"),
    link("identity", "postgres"),
    link("catalog", "postgres"),
];

/// A way from one process to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link {
    pub from: &'static str,
    pub to: &'static str,
}

const fn link(from: &'static str, to: &'static str) -> Link {
    Link { from, to }
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Ended by SIGKILL; started again when the fault is over.
    Kill(&'static str),
    /// Stopped where it stands; goes on when the fault is over.
    Pause(&'static str),
    /// Connections end, and new ones at once.
    Cut(Link),
    /// Bytes stay on their way; connections do not notice.
    Hole(Link),
    /// 200 ms more for a round trip, and 5 % of what is sent is lost at first.
    Slow(Link),
    /// The broker takes no more messages, as when its memory or disk is full.
    Alarm,
}

/// A fault with its time, counted from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    pub at: Duration,
    pub lasts: Duration,
    pub fault: Fault,
}

const NETWORK_KINDS: [fn(Link) -> Fault; 3] = [Fault::Cut, Fault::Hole, Fault::Slow];
/// Faults that go on at the same time, at most.
const AT_ONCE: usize = 2;
/// Network faults in each round of the deck.
const NETWORK_FAULTS: usize = 12;

/// The faults of a run. Every process is killed and stopped once before any is a
/// second time; those that matter most to an order come first.
pub fn plan(seed: u64, length: Duration) -> Vec<Planned> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut plan: Vec<Planned> = Vec::new();
    let mut deck = Vec::new();
    let mut at = Duration::from_secs(1);
    loop {
        if deck.is_empty() {
            deck = shuffled(&mut rng);
        }
        let fault: Fault = deck.remove(0);
        let lasts = duration(fault, &mut rng);
        at = free(&plan, fault, at);
        if at + lasts > length {
            return plan;
        }
        plan.push(Planned { at, lasts, fault });
        at += Duration::from_millis(rng.random_range(700..3_000));
    }
}

/// The earliest time from `at` on at which the fault meets nobody who suffers already.
fn free(plan: &[Planned], fault: Fault, at: Duration) -> Duration {
    let mut at = at;
    loop {
        let going_on: Vec<_> = plan.iter().filter(|p| p.at <= at && at < p.ends()).collect();
        let blocked = going_on.len() >= AT_ONCE
            || going_on.iter().any(|p| p.fault.target() == fault.target());
        let next = going_on.iter().map(|p| p.ends()).min();
        match next {
            Some(next) if blocked => at = next,
            _ => return at,
        }
    }
}

impl Planned {
    fn ends(&self) -> Duration {
        // A process needs a while to start.
        let slack = if matches!(self.fault, Fault::Kill(_)) { 2_000 } else { 0 };
        self.at + self.lasts + Duration::from_millis(slack)
    }
}

/// One of everything: first what an order cannot do without, then the rest.
fn shuffled(rng: &mut StdRng) -> Vec<Fault> {
    let (vital, rest) = PROCESSES.split_at(7);
    let mut first: Vec<Fault> = vital.iter().map(|name| Fault::Kill(name)).collect();
    first.push(Fault::Pause("orders"));
    let mut second: Vec<Fault> = rest.iter().map(|name| Fault::Kill(name)).collect();
    second.extend(PROCESSES.iter().skip(1).map(|name| Fault::Pause(name)));
    second.push(Fault::Alarm);
    let links: Vec<Link> = LINKS.choose_multiple(rng, NETWORK_FAULTS).copied().collect();
    let network = links.into_iter().zip(NETWORK_KINDS.iter().cycle());
    for (place, (link, make)) in network.enumerate() {
        if place < 4 { first.push(make(link)) } else { second.push(make(link)) }
    }
    first.shuffle(rng);
    second.shuffle(rng);
    first.extend(second);
    first
}

fn duration(fault: Fault, rng: &mut StdRng) -> Duration {
    Duration::from_millis(match fault {
        Fault::Kill(_) => rng.random_range(0..2_500),
        // Longer than a saga's lease, sometimes: the other one takes over meanwhile.
        Fault::Pause("orders" | "orders-2") => rng.random_range(1_000..9_000),
        Fault::Pause(_) => rng.random_range(500..5_000),
        Fault::Cut(_) | Fault::Hole(_) | Fault::Slow(_) => rng.random_range(500..5_000),
        Fault::Alarm => rng.random_range(3_000..7_000),
    })
}

impl Fault {
    /// Whom it meets: two faults never meet one at the same time.
    pub fn target(self) -> String {
        match self {
            Self::Kill(name) | Self::Pause(name) => name.to_owned(),
            Self::Cut(link) | Self::Hole(link) | Self::Slow(link) => link.to_string(),
            Self::Alarm => "rabbitmq".to_owned(),
        }
    }

    /// What it is called, without whom it meets.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Kill(_) => "kill",
            Self::Pause(_) => "pause",
            Self::Cut(_) => "cut",
            Self::Hole(_) => "hole",
            Self::Slow(_) => "slow",
            Self::Alarm => "alarm",
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}→{}", self.from, self.to)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.target())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn the_same_seed_makes_the_same_plan_and_another_seed_another() {
        assert_eq!(plan(7, HOUR), plan(7, HOUR));
        assert_ne!(plan(7, HOUR), plan(8, HOUR));
    }

    #[test]
    fn a_long_plan_meets_everybody_in_every_way() {
        let met: HashSet<String> = plan(1, HOUR).iter().map(|p| p.fault.to_string()).collect();
        for name in PROCESSES {
            assert!(met.contains(&format!("kill {name}")), "{name} is never killed");
            assert!(met.contains(&format!("pause {name}")), "{name} is never stopped");
        }
        assert!(met.contains("alarm rabbitmq"));
        let links = LINKS.iter().filter(|link| met.iter().any(|m| m.ends_with(&link.to_string())));
        assert_eq!(links.count(), LINKS.len());
    }

    #[test]
    fn nobody_suffers_two_faults_at_once_and_no_more_than_two_suffer() {
        let plan = plan(3, HOUR);
        for (place, one) in plan.iter().enumerate() {
            let others = plan[..place].iter().filter(|p| one.at < p.ends());
            let others: Vec<_> = others.collect();
            assert!(others.len() < AT_ONCE, "{one:?} {others:?}");
            assert!(others.iter().all(|p| p.fault.target() != one.fault.target()), "{one:?}");
        }
    }
}
