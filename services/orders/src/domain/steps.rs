//! The step table of the checkout saga: what is done, and what undoes it.

/// A step of checkout, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Reserve,
    Pay,
    Confirm,
    Settle,
}

/// Something that a saga does in one go. Every action may run twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Set stock aside.
    Reserve,
    /// Put stock back, reserved or sold.
    Release,
    /// Set money aside.
    Authorize,
    /// Give money back, set aside or taken.
    Reverse,
    /// Promise the order to the customer. Nothing to do but to write it down.
    Confirm,
    /// Sell the stock, take the money, empty the cart.
    Settle,
}

struct Row {
    step: Step,
    name: &'static str,
    act: Action,
    /// Absent: putting back stock and money undoes this step too.
    undo: Option<Action>,
}

#[rustfmt::skip]
const STEPS: [Row; 4] = [
    Row { step: Step::Reserve, name: "reserve", act: Action::Reserve,   undo: Some(Action::Release) },
    Row { step: Step::Pay,     name: "pay",     act: Action::Authorize, undo: Some(Action::Reverse) },
    Row { step: Step::Confirm, name: "confirm", act: Action::Confirm,   undo: None },
    Row { step: Step::Settle,  name: "settle",  act: Action::Settle,    undo: None },
];

impl Step {
    pub const FIRST: Self = Self::Reserve;

    /// The name it is stored by.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The step stored by this name.
    pub fn named(name: &str) -> Option<Self> {
        STEPS.iter().find(|row| row.name == name).map(|row| row.step)
    }

    /// What goes forward.
    pub fn act(self) -> Action {
        self.row().act
    }

    /// What goes backward.
    pub fn undo(self) -> Option<Action> {
        self.row().undo
    }

    /// The step after this one.
    pub fn next(self) -> Option<Self> {
        STEPS.get(self as usize + 1).map(|row| row.step)
    }

    /// Where going backward begins when this step was tried: its own outcome may
    /// be unknown, so its own undo comes first.
    pub fn back_from(self) -> Option<Self> {
        STEPS[..=self as usize].iter().rev().find(|row| row.undo.is_some()).map(|row| row.step)
    }

    /// The step to undo after this one was undone.
    pub fn back(self) -> Option<Self> {
        STEPS[..self as usize].iter().rev().find(|row| row.undo.is_some()).map(|row| row.step)
    }

    /// The customer has the promise: being late is no reason to break it.
    pub fn is_promised(self) -> bool {
        self > Self::Confirm
    }

    fn row(self) -> &'static Row {
        &STEPS[self as usize]
    }
}

impl Action {
    pub const ALL: [Self; 6] =
        [Self::Reserve, Self::Authorize, Self::Confirm, Self::Settle, Self::Reverse, Self::Release];

    /// A name for logs, metrics and drills.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Authorize => "pay",
            Self::Confirm => "confirm",
            Self::Settle => "settle",
            Self::Reverse => "undo-pay",
            Self::Release => "undo-reserve",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_where_its_step_says() {
        for (position, row) in STEPS.iter().enumerate() {
            assert_eq!(row.step as usize, position);
            assert_eq!(Step::named(row.name), Some(row.step));
        }
    }

    #[test]
    fn forward_goes_through_every_step_once() {
        let walk: Vec<_> =
            std::iter::successors(Some(Step::FIRST), |s| s.next()).map(Step::act).collect();
        let all = [Action::Reserve, Action::Authorize, Action::Confirm, Action::Settle];
        assert_eq!(walk, all);
    }

    #[test]
    fn backward_undoes_the_tried_step_first_and_then_all_before_it() {
        let undone = |from: Step| -> Vec<_> {
            std::iter::successors(from.back_from(), |s| s.back()).filter_map(Step::undo).collect()
        };
        assert_eq!(undone(Step::Reserve), [Action::Release]);
        assert_eq!(undone(Step::Pay), [Action::Reverse, Action::Release]);
        assert_eq!(undone(Step::Confirm), [Action::Reverse, Action::Release]);
        assert_eq!(undone(Step::Settle), [Action::Reverse, Action::Release]);
    }
}
