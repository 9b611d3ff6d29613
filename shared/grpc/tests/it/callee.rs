//! A service that behaves as a test wants, and those who call it as `orders`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures::future::BoxFuture;
use grpc::{Host, HostConfig, Mesh, MeshChannel, RemoteKeys, Server, Verifier};
use proto::cart::v1::cart_checkout_service_client::CartCheckoutServiceClient;
use proto::cart::v1::cart_checkout_service_server::{
    CartCheckoutService, CartCheckoutServiceServer,
};
use proto::cart::v1::{ReadCartRequest, ReadCartResponse, SettleCartRequest, SettleCartResponse};
use proto::payments::v1::checkout_payment_service_client::CheckoutPaymentServiceClient;
use proto::payments::v1::checkout_payment_service_server::{
    CheckoutPaymentService, CheckoutPaymentServiceServer,
};
use proto::payments::v1::{
    AuthorizeRequest, CaptureRequest, Payment, ReverseRequest, ReverseResponse,
};
use runtime::{Readiness, Shutdown};
use testkit::Platform;
use tokio::task::JoinHandle;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// What a call does, by its number from 0 and what its caller said to wait.
pub type Act = Arc<dyn Fn(usize, String) -> BoxFuture<'static, Result<(), Status>> + Send + Sync>;

/// The calls that came, and what becomes of each.
#[derive(Clone)]
pub struct Callee {
    calls: Arc<AtomicUsize>,
    act: Act,
}

impl Callee {
    pub fn new<F, Fut>(act: F) -> Self
    where
        F: Fn(usize, String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Status>> + Send + 'static,
    {
        let act: Act = Arc::new(move |nth, patience| Box::pin(act(nth, patience)));
        Self { calls: Arc::default(), act }
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    async fn called<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let told = request.metadata().get("grpc-timeout").and_then(|v| v.to_str().ok());
        let nth = self.calls.fetch_add(1, Ordering::SeqCst);
        (self.act)(nth, told.unwrap_or_default().to_owned()).await
    }

    /// Runs as a workload until it is asked to end.
    pub async fn serve(&self, platform: &Platform, workload: &str, host: &HostConfig) -> Running {
        let identity = platform.mesh(workload).channel(&platform.identity_url(), "identity");
        let verifier = Verifier::new(&host.token, RemoteKeys::new(identity.unwrap()));
        let mesh = Mesh::load(&host.mesh).unwrap();
        let server = Server::bind(workload, &host.server, &mesh, verifier).await.unwrap();
        let server = server
            .add(CartCheckoutServiceServer::new(self.clone()))
            .add(CheckoutPaymentServiceServer::new(self.clone()));
        let host = Host::bind(host, server, Readiness::default(), testkit::metrics());
        let host = host.await.unwrap();
        let (addr, admin) = (host.grpc_addr().unwrap(), host.admin_addr().unwrap());
        let asked = Shutdown::new();
        let shutdown = host.after_notice(asked.clone());
        let ended = tokio::spawn(host.run(shutdown));
        Running { addr, admin, asked, ended }
    }
}

/// A process of the callee, as far as its callers can tell.
pub struct Running {
    pub addr: SocketAddr,
    pub admin: SocketAddr,
    pub asked: Shutdown,
    pub ended: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Asks it to end, as by SIGTERM, and waits for that.
    pub async fn end(self) {
        self.asked.cancel();
        self.ended.await.unwrap().unwrap();
    }
}

/// A callee of its own for one test.
pub async fn serve(callee: &Callee) -> (Platform, Running) {
    let platform = Platform::start().await;
    let running = callee.serve(&platform, "cart", &platform.host("cart")).await;
    (platform, running)
}

/// A client of `orders` with its own budget and breaker.
#[derive(Clone)]
pub struct Client(MeshChannel);

impl Client {
    pub fn of(platform: &Platform, addr: SocketAddr) -> Self {
        Self(platform.channel("orders", addr, "cart"))
    }

    /// The same with a mesh of the test's own.
    pub fn over(mesh: &Mesh, addr: SocketAddr) -> Self {
        Self(mesh.channel(&format!("https://{addr}"), "cart").unwrap())
    }

    /// Two retries of 400 ms each, within a second.
    pub async fn read(&self) -> Result<(), Status> {
        self.read_within(None).await
    }

    pub async fn read_within(&self, timeout: Option<std::time::Duration>) -> Result<(), Status> {
        let user_id = Uuid::now_v7().to_string();
        let mut request = Request::new(ReadCartRequest { user_id });
        if let Some(timeout) = timeout {
            request.set_timeout(timeout);
        }
        CartCheckoutServiceClient::new(self.0.clone()).read_cart(request).await.map(drop)
    }

    /// Never made again, within six seconds.
    pub async fn capture(&self) -> Result<(), Status> {
        let request = CaptureRequest { order_id: Uuid::now_v7().to_string() };
        CheckoutPaymentServiceClient::new(self.0.clone()).capture(request).await.map(drop)
    }

    pub fn channel(&self) -> MeshChannel {
        self.0.clone()
    }
}

/// When calls came.
pub type Arrivals = Arc<std::sync::Mutex<Vec<Instant>>>;

#[tonic::async_trait]
impl CartCheckoutService for Callee {
    async fn read_cart(
        &self,
        request: Request<ReadCartRequest>,
    ) -> Result<Response<ReadCartResponse>, Status> {
        self.called(&request).await.map(|()| Response::new(ReadCartResponse::default()))
    }

    async fn settle_cart(
        &self,
        _: Request<SettleCartRequest>,
    ) -> Result<Response<SettleCartResponse>, Status> {
        Err(Status::unimplemented("no test calls it"))
    }
}

#[tonic::async_trait]
impl CheckoutPaymentService for Callee {
    async fn authorize(&self, _: Request<AuthorizeRequest>) -> Result<Response<Payment>, Status> {
        Err(Status::unimplemented("no test calls it"))
    }

    async fn capture(&self, request: Request<CaptureRequest>) -> Result<Response<Payment>, Status> {
        self.called(&request).await.map(|()| Response::new(Payment::default()))
    }

    async fn reverse(
        &self,
        _: Request<ReverseRequest>,
    ) -> Result<Response<ReverseResponse>, Status> {
        Err(Status::unimplemented("no test calls it"))
    }
}
