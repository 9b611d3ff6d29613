//! Certificates and authorities change while calls are made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use grpc::Mesh;
use testkit::{Door, eventually};
use tonic::Status;

use crate::callee::Client;
use crate::logs::Logs;
use crate::mesh::{friendly, knock, serve};
use crate::pki::{Authority, Files, tls};

const CALLERS: usize = 8;

/// As a development platform or a cluster does it: first everybody believes both
/// authorities, then everybody gets a certificate of the new one, then the old one goes.
#[tokio::test]
async fn leaves_and_authorities_change_under_load_and_no_call_is_lost() {
    let (logs, _guard) = Logs::capture();
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let server = Files::new(&old.leaf("cart"), &[&old]);
    let client = Files::new(&old.leaf("orders"), &[&old]);
    let callee = friendly();
    let (_platform, running) = serve(&callee, server.config()).await;
    let mesh = Mesh::load(&client.config()).unwrap();
    let door = Door::to(running.addr.port()).await.unwrap();

    let over = Arc::new(AtomicBool::new(false));
    let callers = (0..CALLERS).map(|_| {
        let (client, over) = (Client::over(&mesh, door.addr()), Arc::clone(&over));
        tokio::spawn(async move {
            let mut calls = 0_usize;
            while !over.load(Ordering::SeqCst) {
                client.capture().await?;
                calls += 1;
            }
            Ok::<_, Status>(calls)
        })
    });
    let callers: Vec<_> = callers.collect();

    let took_up = async |times: usize| {
        let lines = || logs.with(&["took up new mesh credentials"]).len();
        eventually("both sides take it up", async || (lines() == times).then_some(())).await;
    };
    // Connections live for a second: so often everybody has made a new one.
    let reconnected = async || {
        let before = door.entered();
        let enough = || door.entered() >= before + 2 * CALLERS;
        eventually("everybody connects anew", async || enough().then_some(())).await;
    };
    reconnected().await;
    server.believe(&[&old, &new]);
    client.believe(&[&new, &old]);
    took_up(2).await;
    server.put(&new.leaf("cart"));
    took_up(3).await;
    reconnected().await;
    client.put(&new.leaf("orders"));
    took_up(4).await;
    reconnected().await;
    server.believe(&[&new]);
    client.believe(&[&new]);
    took_up(6).await;
    reconnected().await;

    over.store(true, Ordering::SeqCst);
    let counted = join_all(callers).await.into_iter();
    let made: usize = counted.map(|c| c.unwrap().expect("no call fails")).sum();
    assert_eq!(made, callee.calls(), "each was made once");
    knock(running.addr, tls(&new, Some(&new.leaf("orders")))).await.expect("the new one counts");
    knock(running.addr, tls(&old, Some(&new.leaf("orders")))).await.expect_err("a new server");
    knock(running.addr, tls(&new, Some(&old.leaf("orders")))).await.expect_err("an old client");
}

#[tokio::test]
async fn files_that_are_no_use_are_logged_once_and_change_nothing() {
    let (logs, _guard) = Logs::capture();
    let ours = Authority::new("ours");
    let leaf = ours.leaf("cart");
    let files = Files::new(&leaf, &[&ours]);
    let callee = friendly();
    let (_platform, running) = serve(&callee, files.config()).await;
    let half = leaf.certificate.get(..leaf.certificate.len() / 2).unwrap();
    let breaks: [&dyn Fn(); 8] = [
        &|| files.write("crt", half),
        &|| files.write("crt", ""),
        &|| files.remove("crt"),
        &|| files.put(&ours.expired("cart")),
        &|| files.put(&ours.leaf_of("cart", &["spiffe://example/ns/stoa/sa/cart"])),
        &|| {
            files.put(&leaf);
            files.write("key", &ours.leaf("cart").key);
        },
        &|| {
            files.put(&leaf);
            files.write("ca", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        },
        &|| files.write("ca", ""),
    ];
    for (nth, damage) in breaks.iter().enumerate() {
        damage();
        let told = || logs.with(&["are not usable; the old ones stay"]).len();
        eventually("it is logged", async || (told() == nth + 1).then_some(())).await;
        knock(running.addr, tls(&ours, Some(&ours.leaf("orders")))).await.expect("as before");
    }
    files.believe(&[&ours]);
    let told = || logs.with(&["took up new mesh credentials"]).len();
    eventually("good files are taken up", async || (told() == 1).then_some(())).await;
    assert_eq!(logs.with(&["are not usable"]).len(), breaks.len(), "once each");
    assert!(logs.with(&["PRIVATE KEY"]).is_empty(), "a key is in the log");
}

#[tokio::test]
async fn a_process_does_not_start_without_a_usable_identity() {
    let ours = Authority::new("ours");
    let refused = |files: Files| {
        let error = Mesh::load(&files.config()).err().map(|error| format!("{error:#}"));
        error.expect("it does not start")
    };
    let said = refused(Files::new(&ours.expired("cart"), &[&ours]));
    assert!(said.contains("MESH_CERT") && said.contains("expired"), "{said}");
    let said = refused(Files::new(&ours.leaf("cart"), &[]));
    assert!(said.contains("MESH_CA"), "{said}");
    let files = Files::new(&ours.leaf("cart"), &[&ours]);
    files.remove("key");
    let said = refused(files);
    assert!(said.contains("MESH_KEY"), "{said}");
    let files = Files::new(&ours.leaf("cart"), &[&ours]);
    let mut config = files.config();
    config.mesh_key = None;
    let said = Mesh::load(&config).err().expect("it does not start").to_string();
    assert_eq!(said, "MESH_KEY is not set; MESH_TLS=native needs it");
}
