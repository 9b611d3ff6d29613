//! Tokens whose sessions have ended, at a service that nobody tells but identity.

use proto::cart::v1::GetCartRequest;
use proto::cart::v1::cart_service_client::CartServiceClient;
use testkit::{bearer, eventually, reason};
use tonic::Code;
use uuid::Uuid;

use crate::callee::{Callee, serve};

#[tokio::test]
async fn a_session_that_ends_is_over_at_every_service_though_not_while_identity_hangs() {
    let (platform, running) = serve(&Callee::new(|_, _| async { Ok(()) })).await;
    let client = CartServiceClient::new(platform.channel("edge", running.addr, "cart"));
    let token = |session| {
        let claims = platform.key().claims(Uuid::now_v7(), &["customer"]);
        platform.key().sign(&grpc::Claims { sid: Some(session), ..claims })
    };
    // What the gate lets in nobody serves here.
    let let_in = async |session| {
        let request = bearer(GetCartRequest::default(), &token(session));
        let status = client.clone().get_cart(request).await.unwrap_err();
        match (status.code(), reason(&status).as_str()) {
            (Code::Unimplemented, _) => true,
            (Code::Unauthenticated, "TOKEN_INVALID") => false,
            _ => panic!("{status:?}"),
        }
    };
    let over = async |session| {
        eventually("the session's token is refused", async || {
            (!let_in(session).await).then_some(())
        })
        .await;
    };
    let [first, second, kept] = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
    for session in [first, second, kept] {
        assert!(let_in(session).await);
    }

    platform.sessions().end(first);
    over(first).await;

    // What is not known stops nobody; what is known stays known.
    platform.sessions().hang(true);
    platform.sessions().end(second);
    assert!(let_in(second).await);
    assert!(!let_in(first).await);

    platform.sessions().hang(false);
    over(second).await;
    assert!(let_in(kept).await);
    running.end().await;
}
