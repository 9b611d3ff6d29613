//! The names by which parts of a saga are stored.

use super::{Direction, Kind};

impl Kind {
    pub const ALL: [Self; 2] = [Self::Checkout, Self::Cancel];

    /// The name it is stored by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Cancel => "cancel",
        }
    }

    /// The kind stored by this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Direction {
    pub const ALL: [Self; 2] = [Self::Forward, Self::Backward];

    /// The name it is stored by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }

    /// The direction stored by this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.name() == name)
    }
}
