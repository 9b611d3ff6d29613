//! A way to die at a chosen point of a saga, for drills.

use std::str::FromStr;

use crate::domain::Action;

/// Kills the process where it was told to; nowhere, normally. It is part of every
/// build, so that what is drilled is what runs.
#[derive(Debug, Clone, Default)]
pub struct Drill {
    crash_at: Option<CrashPoint>,
    #[cfg(feature = "sabotage")]
    sabotage: Option<Sabotage>,
}

/// What a build that is broken on purpose does wrong.
#[cfg(feature = "sabotage")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Says that stock and money were put back, and does not do it.
    SkipUndo,
}

/// A point of a saga, written as `before:pay` or `after:undo-reserve`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrashPoint {
    moment: Moment,
    action: Action,
}

/// When, seen from an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It has not been tried.
    Before,
    /// It has been tried, and what came of it is not written down.
    After,
}

impl Drill {
    /// Dies at the point, when there is one.
    pub fn new(point: Option<CrashPoint>) -> Self {
        if let Some(CrashPoint { moment, action }) = point {
            tracing::warn!(
                drill.moment = ?moment,
                drill.action = action.name(),
                "a drill is on (CRASH_AT): this process will abort in the middle of a saga"
            );
        }
        Self {
            crash_at: point,
            #[cfg(feature = "sabotage")]
            sabotage: None,
        }
    }

    /// Breaks what it is told to.
    #[cfg(feature = "sabotage")]
    pub fn sabotaged(self, sabotage: Sabotage) -> Self {
        tracing::error!("SABOTAGED BUILD: {sabotage:?}: no undo is done, and all are said to be");
        Self { sabotage: Some(sabotage), ..self }
    }

    /// True when the action is to be left out and said to be done.
    #[cfg(feature = "sabotage")]
    pub(super) fn skips(&self, action: Action) -> bool {
        let undo = matches!(action, Action::Reverse | Action::Release);
        undo && self.sabotage == Some(Sabotage::SkipUndo)
    }

    /// Does not return from the chosen point.
    pub(super) fn reach(&self, moment: Moment, action: Action) {
        if self.crash_at == Some(CrashPoint { moment, action }) {
            tracing::error!(drill.moment = ?moment, drill.action = action.name(), "aborting");
            std::process::abort();
        }
    }
}

#[cfg(feature = "sabotage")]
impl FromStr for Sabotage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "skip-undo" => Ok(Self::SkipUndo),
            _ => Err("expected skip-undo".to_owned()),
        }
    }
}

impl FromStr for CrashPoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = Action::ALL.map(Action::name).join(", ");
        let help = || format!("expected before:<action> or after:<action>, with one of: {names}");
        let (moment, name) = text.split_once(':').ok_or_else(help)?;
        let moment = match moment {
            "before" => Moment::Before,
            "after" => Moment::After,
            _ => return Err(help()),
        };
        let action = Action::ALL.into_iter().find(|a| a.name() == name).ok_or_else(help)?;
        Ok(Self { moment, action })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_can_be_named_and_nothing_else() {
        for action in Action::ALL {
            let point = format!("before:{}", action.name()).parse();
            assert_eq!(point, Ok(CrashPoint { moment: Moment::Before, action }));
        }
        assert!("pay".parse::<CrashPoint>().is_err());
        assert!("after:lunch".parse::<CrashPoint>().is_err());
    }
}
