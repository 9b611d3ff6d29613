//! Where a test plays: a database, a broker, the world, and instances of the
//! service that can be killed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use grpc::MeshChannel;
use orders::app::{App, Ports};
use orders::config::Config;
use proto::orders::v1::order_service_client::OrderServiceClient;
use proto::orders::v1::personal_data_service_client::PersonalDataServiceClient;
use proto::orders::v1::saga_service_client::SagaServiceClient;
use proto::orders::v1::{
    CancelOrderRequest, GetOrderRequest, ListOrdersRequest, Order, OrderState, PlaceOrderRequest,
};
use proto::types::v1::Address;
use runtime::Shutdown;
use testkit::{Platform, TestDatabase, bearer, with_key};
use tokio::runtime::Runtime;
use tonic::Status;
use uuid::Uuid;

use crate::world::{Payment, Reservation, World};

pub type Client = OrderServiceClient<MeshChannel>;

pub struct Stage {
    pub platform: Platform,
    pub database: TestDatabase,
    pub world: Arc<World>,
    broker: String,
}

/// One process of the service, as far as the test can tell.
pub struct Instance {
    pub client: Client,
    pub sagas: SagaServiceClient<MeshChannel>,
    /// As identity reaches it.
    pub people: PersonalDataServiceClient<MeshChannel>,
    pub addr: SocketAddr,
    shutdown: Shutdown,
    runtime: Option<Runtime>,
}

impl Stage {
    pub async fn open() -> Self {
        let platform = Platform::start().await;
        let database =
            testkit::database(&[&orders::MIGRATOR, &events::OUTBOX, &personal::ERASED]).await;
        let broker = testkit::vhost().await;
        Self { platform, database, world: Arc::default(), broker }
    }

    /// Opens a stage with one instance on it.
    pub async fn with_instance() -> (Self, Instance) {
        let stage = Self::open().await;
        let instance = stage.instance(&[]).await;
        (stage, instance)
    }

    fn config(&self, settings: &[&str]) -> Config {
        let amqp = format!("--amqp-url={}", self.broker);
        let database = format!("--database-url={}", self.database.url);
        let identity = format!("--identity-url={}", self.platform.identity_url());
        let fixed = [
            "orders",
            "--mesh-cert=x",
            "--mesh-key=x",
            "--mesh-ca=x",
            // Doubles stand in for these.
            "--cart-url=x",
            "--catalog-url=x",
            "--inventory-url=x",
            "--payments-url=x",
            &amqp,
            &database,
            &identity,
        ];
        let usual = ["--database-max-connections=4", "--saga-poll-ms=50"].into_iter();
        let name = |setting: &str| setting.split('=').next().unwrap_or_default().to_owned();
        let given = |usual: &&str| settings.iter().any(|given| name(given) == name(usual));
        let usual = usual.filter(|usual| !given(usual));
        let args = fixed.into_iter().chain(usual).chain(settings.iter().copied());
        Config { host: self.platform.host("orders"), ..Config::parse_from(args) }
    }

    fn ports(&self) -> Ports {
        let world = self.world.clone();
        Ports { carts: world.clone(), prices: world.clone(), stock: world.clone(), payments: world }
    }

    /// Starts an instance of the service in a runtime of its own.
    pub async fn instance(&self, settings: &[&str]) -> Instance {
        let config = self.config(settings);
        let ports = self.ports();
        let shutdown = Shutdown::new();
        let stop = shutdown.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let app = runtime
            .spawn(App::with_ports(config, ports, testkit::metrics()))
            .await
            .expect("the service is built")
            .expect("the service is built");
        let addr = app.grpc_addr().unwrap();
        let channel = self.platform.channel("edge", addr, "orders");
        runtime.spawn(app.run(stop));
        let sagas = SagaServiceClient::new(channel.clone());
        let client = OrderServiceClient::new(channel);
        let identity = self.platform.channel("identity", addr, "orders");
        let people = PersonalDataServiceClient::new(identity);
        self.warm_up(&client).await;
        Instance { client, sagas, people, addr, shutdown, runtime: Some(runtime) }
    }

    /// An instance that is to be killed: it drives what it is asked for and takes
    /// nothing over.
    pub async fn doomed(&self) -> Instance {
        self.instance(&[SHORT_LEASE[0], "--saga-poll-ms=3600000"]).await
    }

    /// Why the service does not start with these settings.
    pub async fn refused(&self, settings: &[&str]) -> String {
        let ports = self.ports();
        let built = App::with_ports(self.config(settings), ports, testkit::metrics()).await;
        built.err().expect("a refusal").to_string()
    }

    /// Connections are made and keys are fetched, so that what a test measures is
    /// not that.
    async fn warm_up(&self, client: &Client) {
        let token = self.platform.token(Uuid::now_v7(), &["customer"]);
        let mut refusal = None;
        let answering = async {
            loop {
                let request = bearer(ListOrdersRequest::default(), &token);
                match client.clone().list_orders(request).await {
                    Ok(_) => return,
                    Err(status) => refusal = Some(status),
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(START, answering).await.is_err() {
            panic!("an instance does not answer within {START:?}: {refusal:?}");
        }
    }

    /// A customer with two kettles in the cart.
    pub fn customer(&self) -> Customer {
        let (id, kettle) = (Uuid::now_v7(), self.world.kettle());
        self.world.fill_cart(id, &[(kettle, 2)]);
        Customer { id, token: self.platform.token(id, &["customer"]), kettle }
    }

    /// An administrator's id and token.
    pub fn operator(&self) -> (Uuid, String) {
        let id = Uuid::now_v7();
        (id, self.platform.token(id, &["admin"]))
    }

    /// Everything that an order takes was taken, once.
    pub fn assert_sold(&self, customer: &Customer, order: &Order) {
        let id = id_of(order);
        assert_eq!(order.state(), OrderState::Confirmed, "{}", order.failure_reason);
        assert_eq!(self.world.reservation_of(id), Some(Reservation::Sold));
        assert_eq!(self.world.payment_of(id), Some(Payment::Captured));
        assert_eq!(self.world.stock_of(customer.kettle), 8);
        assert_eq!(self.world.cart_of(customer.id), []);
    }

    /// Nothing is left of what the order took.
    pub fn assert_given_back(&self, customer: &Customer, order: &Order) {
        let id = id_of(order);
        assert_eq!(self.world.reservation_of(id), Some(Reservation::Released));
        assert!(matches!(self.world.payment_of(id), None | Some(Payment::Reversed)));
        assert_eq!(self.world.stock_of(customer.kettle), 10);
    }

    /// The facts that were put into the outbox about an order, in order.
    pub async fn facts_of(&self, order: &Order) -> Vec<String> {
        sqlx::query_scalar("select topic from outbox where key = $1 order by position")
            .bind(&order.order_id)
            .fetch_all(&self.database.pool)
            .await
            .unwrap()
    }
}

impl Instance {
    /// Dies at once, as by SIGKILL: nothing that it does goes on.
    pub fn kill(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    /// Asks it to end, as by SIGTERM.
    pub fn shut_down(&self) {
        self.shutdown.cancel();
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A customer with two kettles, of ten, in the cart.
#[derive(Clone)]
pub struct Customer {
    pub id: Uuid,
    pub token: String,
    pub kettle: Uuid,
}

impl Customer {
    pub async fn place(&self, client: &Client, key: &str) -> Result<Order, Status> {
        self.place_with(client, key, place_request()).await
    }

    pub async fn place_with(
        &self,
        client: &Client,
        key: &str,
        request: PlaceOrderRequest,
    ) -> Result<Order, Status> {
        let request = with_key(bearer(request, &self.token), key);
        Ok(client.clone().place_order(request).await?.into_inner())
    }

    pub async fn get(&self, client: &Client, order_id: &str) -> Result<Order, Status> {
        let request = GetOrderRequest { order_id: order_id.to_owned() };
        Ok(client.clone().get_order(bearer(request, &self.token)).await?.into_inner())
    }

    pub async fn cancel(&self, client: &Client, order_id: &str) -> Result<Order, Status> {
        let request = CancelOrderRequest { order_id: order_id.to_owned() };
        Ok(client.clone().cancel_order(bearer(request, &self.token)).await?.into_inner())
    }

    pub async fn orders(&self, client: &Client) -> Vec<Order> {
        self.try_orders(client).await.unwrap()
    }

    /// The same while the service may be too busy to answer.
    pub async fn try_orders(&self, client: &Client) -> Result<Vec<Order>, Status> {
        let request = bearer(ListOrdersRequest::default(), &self.token);
        Ok(client.clone().list_orders(request).await?.into_inner().orders)
    }

    /// The customer's only order, once it is in this state.
    pub async fn order_in(&self, client: &Client, state: OrderState) -> Order {
        testkit::eventually(&format!("an order that is {state:?}"), async || {
            self.try_orders(client).await.ok()?.pop().filter(|order| order.state() == state)
        })
        .await
    }
}

pub fn place_request() -> PlaceOrderRequest {
    let address = Address {
        recipient: "Ada Lovelace".to_owned(),
        street: "St James's Square 12".to_owned(),
        city: "London".to_owned(),
        postal_code: "SW1Y 4JH".to_owned(),
        country_code: "GB".to_owned(),
    };
    PlaceOrderRequest { payment_token: "tok_ok".to_owned(), shipping_address: Some(address) }
}

pub fn id_of(order: &Order) -> Uuid {
    order.order_id.parse().unwrap()
}

/// Waits until nothing is left to do for an order.
pub async fn settled(stage: &Stage, order: &Order) {
    testkit::eventually("a saga that has ended", async || {
        sqlx::query_scalar::<_, bool>("select status = 'done' from sagas where order_id = $1")
            .bind(id_of(order))
            .fetch_one(&stage.database.pool)
            .await
            .unwrap()
            .then_some(())
    })
    .await;
}

/// A lease so short that a crash is noticed at once.
pub const SHORT_LEASE: [&str; 1] = ["--saga-lease-ms=1500"];

/// Long enough for an instance to start beside others on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Long enough for everything that a test waits for.
pub const LONG: Duration = Duration::from_secs(15);
