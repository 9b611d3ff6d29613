//! Doubles of cart, catalogue, inventory and payments, with their contracts'
//! memory: every effect once per order, and closed doors after an undo.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use orders::core::Error;
use orders::core::ports::{Attempt, CartLine, Carts, Offer, Payments, Prices, Setback, Stock};
use orders::domain::{Order, PaymentToken};
use tokio::sync::Notify;
use types::{Currency, Money};
use uuid::Uuid;

/// A call that has an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    Reserve,
    Commit,
    Release,
    Authorize,
    Capture,
    Reverse,
    SettleCart,
}

/// What goes wrong in one call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// An error, and no effect.
    ErrorBefore,
    /// The effect, and an error.
    ErrorAfter,
    /// No effect and no answer, ever.
    HangBefore(Arc<Gate>),
    /// The effect, and no answer, ever.
    HangAfter(Arc<Gate>),
    /// All is well, but only when the gate is opened.
    Wait(Arc<Gate>),
}

/// Lets a test know that a call arrived, and lets it go on.
#[derive(Debug, Default)]
pub struct Gate {
    reached: Notify,
    open: Notify,
}

impl Gate {
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    pub fn open(&self) {
        self.open.notify_one();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    Held,
    Sold,
    Released,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {
    Authorized,
    Captured,
    Reversed,
}

#[derive(Default)]
struct State {
    carts: HashMap<Uuid, Vec<CartLine>>,
    offers: HashMap<Uuid, Offer>,
    stock: HashMap<Uuid, i32>,
    reservations: HashMap<Uuid, (Reservation, Vec<CartLine>)>,
    payments: HashMap<Uuid, (Payment, Uuid)>,
    settled: HashSet<Uuid>,
    /// Whose order it is: known since it was reserved.
    owners: HashMap<Uuid, Uuid>,
    declined: HashMap<Uuid, &'static str>,
    faults: HashMap<(Call, Uuid), VecDeque<Fault>>,
    /// Who waits before reading whose cart.
    readers: HashMap<Uuid, Arc<Gate>>,
    down: bool,
    calls: Vec<(Call, Uuid)>,
    /// Calls that changed something.
    effects: Vec<(Call, Uuid)>,
    inside: HashSet<(Call, Uuid)>,
    overlaps: usize,
}

/// Everything around the orders service.
#[derive(Default)]
pub struct World {
    state: Mutex<State>,
}

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A product on sale, with so many pieces.
    pub fn product(&self, price: Money, pieces: i32) -> Uuid {
        let product_id = Uuid::now_v7();
        let offer = Offer { product_id, name: "Kettle".to_owned(), price };
        self.state().offers.insert(product_id, offer);
        self.state().stock.insert(product_id, pieces);
        product_id
    }

    pub fn kettle(&self) -> Uuid {
        self.product(Money::new(1299, Currency::Eur), 10)
    }

    pub fn fill_cart(&self, user: Uuid, lines: &[(Uuid, i32)]) {
        let line = |&(product_id, quantity): &_| CartLine { product_id, quantity };
        self.state().carts.insert(user, lines.iter().map(line).collect());
    }

    pub fn cart_of(&self, user: Uuid) -> Vec<CartLine> {
        self.state().carts.get(&user).cloned().unwrap_or_default()
    }

    pub fn stock_of(&self, product: Uuid) -> i32 {
        self.state().stock[&product]
    }

    pub fn reservation_of(&self, order: Uuid) -> Option<Reservation> {
        self.state().reservations.get(&order).map(|(state, _)| *state)
    }

    pub fn payment_of(&self, order: Uuid) -> Option<Payment> {
        self.state().payments.get(&order).map(|(state, _)| *state)
    }

    pub fn calls_of(&self, order: Uuid) -> Vec<Call> {
        self.state().calls.iter().filter(|(_, o)| *o == order).map(|(call, _)| *call).collect()
    }

    /// The calls that changed something, however often they were made.
    pub fn effects_of(&self, order: Uuid) -> Vec<Call> {
        self.state().effects.iter().filter(|(_, o)| *o == order).map(|(call, _)| *call).collect()
    }

    /// How often a call began while the same call for the same order was going on.
    pub fn overlaps(&self) -> usize {
        self.state().overlaps
    }

    /// Takes a product off sale.
    pub fn withdraw(&self, product: Uuid) {
        self.state().offers.remove(&product);
    }

    /// Payments of this user are refused.
    pub fn decline(&self, user: Uuid, reason: &'static str) {
        self.state().declined.insert(user, reason);
    }

    /// The reservation is lost, as when it expired.
    pub fn lose_reservation(&self, order: Uuid) {
        self.state().release(order);
    }

    /// Cart and catalogue do not answer.
    pub fn go_down(&self, down: bool) {
        self.state().down = down;
    }

    /// The user's next calls of this kind go wrong, one after another.
    pub fn fail(&self, call: Call, user: Uuid, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.entry((call, user)).or_default().extend(faults);
    }

    /// The next one to read the user's cart waits at the gate.
    pub fn hold_reader(&self, user: Uuid) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        self.state().readers.insert(user, gate.clone());
        gate
    }

    /// The user's calls of this kind go well again.
    pub fn heal(&self, call: Call, user: Uuid) {
        self.state().faults.remove(&(call, user));
    }

    /// The user's next call of this kind waits at the gate.
    pub fn hold(&self, call: Call, user: Uuid) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        self.fail(call, user, [Fault::Wait(gate.clone())]);
        gate
    }

    async fn call<T>(
        &self,
        call: Call,
        order: Uuid,
        user: Option<Uuid>,
        effect: impl FnOnce(&mut State) -> Attempt<T>,
    ) -> Attempt<T> {
        let (_inside, fault) = self.enter(call, order, user);
        let lost = || Err(Setback::Unknown("the double was told to fail".to_owned()));
        match &fault {
            Some(Fault::ErrorBefore) => return lost(),
            Some(Fault::HangBefore(gate)) => {
                gate.reached.notify_one();
                std::future::pending::<()>().await;
            }
            Some(Fault::Wait(gate)) => {
                gate.reached.notify_one();
                gate.open.notified().await;
            }
            _ => tokio::task::yield_now().await,
        }
        let result = effect(&mut self.state());
        match fault {
            Some(Fault::ErrorAfter) => lost(),
            Some(Fault::HangAfter(gate)) => {
                gate.reached.notify_one();
                std::future::pending().await
            }
            _ => result,
        }
    }

    fn enter(&self, call: Call, order: Uuid, user: Option<Uuid>) -> (Inside<'_>, Option<Fault>) {
        let mut state = self.state();
        state.calls.push((call, order));
        if !state.inside.insert((call, order)) {
            state.overlaps += 1;
        }
        if let Some(user) = user {
            state.owners.insert(order, user);
        }
        let user = state.owners.get(&order).copied().unwrap_or_default();
        let fault = state.faults.get_mut(&(call, user)).and_then(VecDeque::pop_front);
        (Inside { world: self, call: (call, order) }, fault)
    }
}

/// A call that is going on; ends also when its caller dies.
struct Inside<'a> {
    world: &'a World,
    call: (Call, Uuid),
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.world.state().inside.remove(&self.call);
    }
}

fn refused<T>(reason: &str) -> Attempt<T> {
    Err(Setback::Refused(reason.to_owned()))
}

impl State {
    fn reserve(&mut self, order: &Order) -> Attempt {
        match self.reservations.get(&order.id) {
            Some((Reservation::Held, _)) => return Ok(()),
            Some(_) => return refused("RESERVATION_CLOSED"),
            None => {}
        }
        let line = |l: &orders::domain::OrderLine| CartLine {
            product_id: l.product_id,
            quantity: l.quantity,
        };
        let lines: Vec<_> = order.lines.iter().map(line).collect();
        if lines.iter().any(|l| self.stock[&l.product_id] < l.quantity) {
            return refused("STOCK_INSUFFICIENT");
        }
        self.move_stock(&lines, -1);
        self.effects.push((Call::Reserve, order.id));
        self.reservations.insert(order.id, (Reservation::Held, lines));
        Ok(())
    }

    fn move_stock(&mut self, lines: &[CartLine], sign: i32) {
        for line in lines {
            *self.stock.get_mut(&line.product_id).unwrap() += sign * line.quantity;
        }
    }

    fn commit(&mut self, order: Uuid) -> Attempt {
        match self.reservations.get_mut(&order) {
            Some((state @ Reservation::Held, _)) => {
                *state = Reservation::Sold;
                self.effects.push((Call::Commit, order));
                Ok(())
            }
            Some((Reservation::Sold, _)) => Ok(()),
            _ => refused("RESERVATION_CLOSED"),
        }
    }

    fn release(&mut self, order: Uuid) {
        let closed = (Reservation::Released, Vec::new());
        let before = self.reservations.insert(order, closed);
        if let Some((Reservation::Held | Reservation::Sold, lines)) = before {
            self.move_stock(&lines, 1);
            self.effects.push((Call::Release, order));
        }
    }

    fn authorize(&mut self, order: &Order) -> Attempt<Uuid> {
        match self.payments.get(&order.id) {
            Some((Payment::Reversed, _)) => return refused("PAYMENT_CLOSED"),
            Some((_, payment)) => return Ok(*payment),
            None => {}
        }
        if let Some(reason) = self.declined.get(&order.user_id) {
            return refused(reason);
        }
        let payment = Uuid::now_v7();
        self.payments.insert(order.id, (Payment::Authorized, payment));
        self.effects.push((Call::Authorize, order.id));
        Ok(payment)
    }

    fn capture(&mut self, order: Uuid) -> Attempt {
        match self.payments.get_mut(&order) {
            Some((state @ Payment::Authorized, _)) => {
                *state = Payment::Captured;
                self.effects.push((Call::Capture, order));
                Ok(())
            }
            Some((Payment::Captured, _)) => Ok(()),
            _ => refused("PAYMENT_NOT_CAPTURABLE"),
        }
    }

    fn settle(&mut self, order: &Order) {
        if !self.settled.insert(order.id) {
            return;
        }
        self.effects.push((Call::SettleCart, order.id));
        let cart = self.carts.entry(order.user_id).or_default();
        for line in &order.lines {
            for kept in cart.iter_mut().filter(|l| l.product_id == line.product_id) {
                kept.quantity -= line.quantity;
            }
        }
        cart.retain(|line| line.quantity > 0);
    }
}

#[async_trait]
impl Carts for World {
    async fn read(&self, user: Uuid) -> Result<Vec<CartLine>, Error> {
        let gate = self.state().readers.remove(&user);
        if let Some(gate) = gate {
            gate.reached.notify_one();
            gate.open.notified().await;
        }
        if self.state().down {
            return Err(Error::Unavailable("cart does not answer".to_owned()));
        }
        Ok(self.cart_of(user))
    }

    async fn settle(&self, order: &Order) -> Attempt {
        let effect = |state: &mut State| {
            state.settle(order);
            Ok(())
        };
        self.call(Call::SettleCart, order.id, None, effect).await
    }
}

#[async_trait]
impl Prices for World {
    async fn offers(&self, products: Vec<Uuid>) -> Result<Vec<Offer>, Error> {
        let state = self.state();
        Ok(products.iter().filter_map(|product| state.offers.get(product)).cloned().collect())
    }
}

#[async_trait]
impl Stock for World {
    async fn reserve(&self, order: &Order) -> Attempt {
        let effect = |state: &mut State| state.reserve(order);
        self.call(Call::Reserve, order.id, Some(order.user_id), effect).await
    }

    async fn commit(&self, order: Uuid) -> Attempt {
        self.call(Call::Commit, order, None, |state| state.commit(order)).await
    }

    async fn release(&self, order: Uuid) -> Attempt {
        let effect = |state: &mut State| {
            state.release(order);
            Ok(())
        };
        self.call(Call::Release, order, None, effect).await
    }
}

#[async_trait]
impl Payments for World {
    async fn authorize(&self, order: &Order, _: &PaymentToken) -> Attempt<Uuid> {
        let effect = |state: &mut State| state.authorize(order);
        self.call(Call::Authorize, order.id, Some(order.user_id), effect).await
    }

    async fn capture(&self, order: Uuid) -> Attempt {
        self.call(Call::Capture, order, None, |state| state.capture(order)).await
    }

    async fn reverse(&self, order: Uuid) -> Attempt {
        let effect = |state: &mut State| {
            let closed = (Payment::Reversed, Uuid::nil());
            let before = state.payments.insert(order, closed).map(|(before, _)| before);
            if matches!(before, Some(Payment::Authorized | Payment::Captured)) {
                state.effects.push((Call::Reverse, order));
            }
            Ok(())
        };
        self.call(Call::Reverse, order, None, effect).await
    }
}
