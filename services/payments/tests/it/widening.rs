//! The next release's migrations, while this one runs.

use proto::payments::v1::GetPaymentRequest;
use testkit::bearer;
use uuid::Uuid;

use crate::refund::Manager;
use crate::world::{Order, World, eur};

/// Enough for every connection that is open to be used.
const ROUNDS: usize = 4;

impl World {
    /// Most of what is done with payments, `ROUNDS` times.
    async fn sell_and_give_back(&self) {
        for _ in 0..ROUNDS {
            let order = Order::by("tok_visa");
            let payment = self.captured(&order).await;
            let manager = Manager::of(self);
            manager.refund(&payment, Some(eur(250)), "a part").await.expect("a part");
            manager.refund(&payment, None, "the rest").await.expect("the rest");
            let message = GetPaymentRequest { payment_id: payment.payment_id.clone() };
            let token = self.platform.token(Uuid::now_v7(), &["manager"]);
            self.people.clone().get_payment(bearer(message, &token)).await.expect("seen");
            let other = Order::by("tok_visa");
            self.authorize(&other).await.expect("authorized");
            self.reverse(&other).await.expect("reversed");
            assert_eq!(self.differences().await, []);
        }
    }
}

#[tokio::test]
async fn a_column_that_the_next_release_adds_to_each_table_disturbs_nobody() {
    let world = World::start().await;
    world.sell_and_give_back().await;
    world.database.widen().await;
    world.sell_and_give_back().await;
    world.money_agrees().await;
}
