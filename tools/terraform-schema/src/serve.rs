//! Speaks Terraform's plugin protocol on a Unix socket: hands out the schema, finds every
//! configuration that fits it valid, and refuses whatever would touch a cloud.

use std::convert::Infallible;
use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::{Context as _, Result, ensure};
use bytes::{Buf as _, BufMut as _, Bytes};
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status};
use tower::Service;

/// By this the protocol's makers tell plugins from programs that people start by hand.
const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// Serves the schema in `file` until Terraform says that it is done.
///
/// # Errors
///
/// When it was not Terraform that started it, or the socket cannot be opened.
pub async fn serve(file: &Path) -> Result<()> {
    let cookie = std::env::var_os(COOKIE.0);
    ensure!(
        cookie.is_some_and(|it| it == COOKIE.1),
        "Terraform starts this program, people do not"
    );
    ensure!(
        std::env::var_os("PLUGIN_CLIENT_CERT").is_none(),
        "set TF_DISABLE_PLUGIN_TLS=1: this provider speaks plain text on its socket"
    );
    let schema = std::fs::read(file).with_context(|| format!("{}", file.display()))?;
    let socket = std::env::temp_dir().join(format!("terraform-schema-{}.sock", std::process::id()));
    let listener = UnixListener::bind(&socket)?;
    // The line that Terraform waits for: versions, and where to connect.
    println!("1|6|unix|{}|grpc|", socket.display());
    std::io::stdout().flush()?;
    let served = answer(schema.into(), listener).await;
    std::fs::remove_file(&socket)?;
    served
}

/// Answers on a listener until it is told to stop.
///
/// # Errors
///
/// When the connection breaks down.
pub async fn answer(schema: Bytes, listener: UnixListener) -> Result<()> {
    let (stop, mut stopped) = tokio::sync::mpsc::channel::<()>(1);
    tonic::transport::Server::builder()
        .add_service(Provider { schema })
        .add_service(Controller { stop })
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), async move {
            stopped.recv().await;
        })
        .await?;
    Ok(())
}

#[derive(Clone)]
struct Provider {
    schema: Bytes,
}

impl Provider {
    fn answer(&self, method: &str) -> Result<Bytes, Status> {
        match method {
            "GetProviderSchema" => Ok(self.schema.clone()),
            // No diagnostics: what the schema refuses, Terraform refused before it asked.
            "ValidateProviderConfig"
            | "ValidateResourceConfig"
            | "ValidateDataResourceConfig"
            | "StopProvider" => Ok(Bytes::new()),
            _ => Err(Status::unimplemented(format!(
                "{method}: this provider knows the schema and nothing else; \
                 the real one comes from registry.terraform.io"
            ))),
        }
    }
}

#[derive(Clone)]
struct Controller {
    stop: tokio::sync::mpsc::Sender<()>,
}

impl NamedService for Provider {
    const NAME: &'static str = "tfplugin6.Provider";
}

impl NamedService for Controller {
    const NAME: &'static str = "plugin.GRPCController";
}

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl Service<http::Request<Body>> for Provider {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        let answer = self.answer(&method);
        unary(request, answer)
    }
}

impl Service<http::Request<Body>> for Controller {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        // Full means that it was told already.
        let _ = self.stop.try_send(());
        unary(request, Ok(Bytes::new()))
    }
}

fn unary(request: http::Request<Body>, answer: Result<Bytes, Status>) -> Answer {
    Box::pin(async move {
        let handler = tower::service_fn(move |_: Request<Bytes>| {
            let answer = answer.clone();
            async move { answer.map(Response::new) }
        });
        Ok(Grpc::new(Raw).unary(handler, request).await)
    })
}

/// Messages as they are: the schema was encoded when it was derived.
#[derive(Clone, Copy, Default)]
pub struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
