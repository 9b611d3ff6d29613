//! What is tried.

use proto::orders::v1::OrderState;

use crate::world::Call;

pub const FORWARD: [Call; 5] =
    [Call::Reserve, Call::Authorize, Call::Commit, Call::Capture, Call::SettleCart];
pub const UNDOS: [Call; 2] = [Call::Reverse, Call::Release];
pub const CALLS: [Call; 7] = [
    Call::Reserve,
    Call::Authorize,
    Call::Commit,
    Call::Capture,
    Call::SettleCart,
    Call::Reverse,
    Call::Release,
];

/// Something that goes wrong once, on a road, in an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    pub road: Road,
    pub point: Point,
    pub kind: Kind,
    pub moment: Moment,
}

/// What an order goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Road {
    Sold,
    Declined,
    /// When everything was settled.
    CancelledLater,
    /// While the action that goes wrong is tried again and again; for an undo, while
    /// the money cannot be taken.
    CancelledMidway,
}

/// Where it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    Call(Call),
    /// No call: the promise is written down.
    Confirm,
    /// In every call, one after another: each is made twice.
    Every,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Error,
    /// No answer until the action's time is up.
    Timeout,
    /// The process dies, and another one goes on.
    Crash,
}

/// Seen from the action's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Before,
    After,
}

pub const ROADS: [Road; 4] =
    [Road::Sold, Road::Declined, Road::CancelledLater, Road::CancelledMidway];
pub const COLUMNS: [(Kind, Moment); 6] = [
    (Kind::Error, Moment::Before),
    (Kind::Error, Moment::After),
    (Kind::Timeout, Moment::Before),
    (Kind::Timeout, Moment::After),
    (Kind::Crash, Moment::Before),
    (Kind::Crash, Moment::After),
];

/// Every case, by road and action.
pub fn all() -> Vec<Case> {
    let mut all = Vec::new();
    for road in ROADS {
        for point in road.points() {
            let columns = COLUMNS.into_iter().filter(|column| point.can_go_wrong(*column));
            all.extend(columns.map(|(kind, moment)| Case { road, point, kind, moment }));
        }
    }
    all
}

impl Case {
    /// What the world is told, in order.
    pub fn facts(self) -> Vec<String> {
        use Call::{Authorize, Reserve};
        // Cancelled before the promise was made, nothing tells of one.
        let early = matches!(self.point, Point::Call(Reserve | Authorize));
        let facts: &[&str] = match self.road {
            Road::Sold => &["placed", "confirmed"],
            Road::Declined => &["placed", "failed"],
            Road::CancelledMidway if early => &["placed", "cancelled"],
            Road::CancelledMidway | Road::CancelledLater => &["placed", "confirmed", "cancelled"],
        };
        facts.iter().map(|fact| format!("orders.v1.order_{fact}")).collect()
    }
}

impl Road {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sold => "checkout that succeeds",
            Self::Declined => "checkout whose payment is declined",
            Self::CancelledLater => "cancellation of a settled order",
            Self::CancelledMidway => "cancellation of a checkout that is stuck",
        }
    }

    /// How its order ends.
    pub fn end(self) -> OrderState {
        match self {
            Self::Sold => OrderState::Confirmed,
            Self::Declined => OrderState::Failed,
            Self::CancelledLater | Self::CancelledMidway => OrderState::Cancelled,
        }
    }

    /// Where it can go wrong, in order.
    pub fn points(self) -> Vec<Point> {
        let calls: &[Call] = match self {
            Self::Sold => &FORWARD,
            Self::Declined => &[Call::Reserve, Call::Authorize, Call::Reverse, Call::Release],
            Self::CancelledLater => &UNDOS,
            Self::CancelledMidway => &CALLS,
        };
        let mut points: Vec<Point> = calls.iter().copied().map(Point::Call).collect();
        if self == Self::Sold {
            points.insert(2, Point::Confirm);
        }
        if self != Self::CancelledMidway {
            points.push(Point::Every);
        }
        points
    }
}

impl Point {
    pub fn name(self) -> &'static str {
        match self {
            Self::Call(Call::Reserve) => "reserve",
            Self::Call(Call::Authorize) => "authorize",
            Self::Call(Call::Commit) => "settle: commit stock",
            Self::Call(Call::Capture) => "settle: capture money",
            Self::Call(Call::SettleCart) => "settle: empty cart",
            Self::Call(Call::Reverse) => "reverse",
            Self::Call(Call::Release) => "release",
            Self::Confirm => "confirm",
            Self::Every => "every action",
        }
    }

    fn can_go_wrong(self, column: (Kind, Moment)) -> bool {
        match self {
            Self::Call(_) => true,
            // What is written is known to whoever wrote it, unless that dies.
            Self::Confirm => column.1 == Moment::Before || column.0 == Kind::Crash,
            Self::Every => column == (Kind::Error, Moment::After),
        }
    }
}
