//! What an order is and how its saga goes, without any outside world.

pub mod order;
pub mod saga;
pub mod steps;

pub use order::{Address, Order, OrderFact, OrderLine, OrderState};
pub use saga::{
    Direction, Kind, NotCancellable, NotCompensable, Outcome, PaymentToken, Progress, Saga,
};
pub use steps::{Action, Step};
