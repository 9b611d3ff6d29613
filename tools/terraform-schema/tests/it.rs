//! From the lines of a package to the answers that Terraform gets.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use base64::Engine as _;
use bytes::Bytes;
use hyper_util::rt::TokioIo;
use prost::Message as _;
use terraform_schema::bindings::{Bindings, Patterns};
use terraform_schema::serve::{self, Raw};
use terraform_schema::wire::{Attribute, Block, NestedBlock, Nesting, ProviderSchema};
use terraform_schema::{derive, package};
use tokio::net::{UnixListener, UnixStream};
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Request};

/// As generated bindings write them, with what else stands between the lines left out.
const SOURCE: &str = include_str!("bindings.ts");

fn derived() -> ProviderSchema {
    let mut bindings = Bindings::default();
    bindings.read(SOURCE, &Patterns::new().unwrap());
    derive::schema(&bindings).unwrap()
}

fn block(schema: &ProviderSchema) -> Block {
    schema.resources["shop_shelf"].block.clone().unwrap()
}

fn attributes(block: &Block) -> BTreeMap<&str, (&str, &Attribute)> {
    let kind = |a: &Attribute| std::str::from_utf8(&a.kind).unwrap().to_owned().leak() as &str;
    block.attributes.iter().map(|a| (a.name.as_str(), (kind(a), a))).collect()
}

fn nested<'a>(block: &'a Block, name: &str) -> &'a NestedBlock {
    block.blocks.iter().find(|block| block.name == name).unwrap()
}

#[test]
fn attributes_have_their_types_and_say_who_sets_them() {
    let schema = derived();
    let block = block(&schema);
    let found = attributes(&block);
    let types: Vec<(&str, &str)> = found.iter().map(|(name, (kind, _))| (*name, *kind)).collect();
    let inside = r#"["list",["object",{"colour":"string","since":"number"}]]"#;
    let expected = [
        ("id", r#""string""#),
        ("key_wo", r#""string""#),
        ("labels", r#"["map","string"]"#),
        ("name", r#""string""#),
        ("open", r#""bool""#),
        ("stickers", inside),
        ("weight", r#""number""#),
        ("zones", r#"["set","string"]"#),
    ];
    assert_eq!(types, expected);
    let flags = |name: &str| {
        let attribute = found[name].1;
        (attribute.required, attribute.optional, attribute.computed)
    };
    assert_eq!(flags("name"), (true, false, false));
    assert_eq!(flags("open"), (false, true, false));
    assert_eq!(flags("id"), (false, true, true));
    assert_eq!(flags("weight"), (false, false, true));
    assert!(found["key_wo"].1.write_only && !found["name"].1.write_only);
}

#[test]
fn blocks_say_how_often_they_may_stand() {
    let schema = derived();
    let block = block(&schema);
    let counted = |name: &str| {
        let nested = nested(&block, name);
        (nested.nesting(), nested.min, nested.max)
    };
    assert_eq!(counted("board"), (Nesting::List, 1, 1));
    assert_eq!(counted("goods"), (Nesting::Set, 0, 0));
    assert_eq!(counted("timeouts"), (Nesting::Single, 0, 0));
    let board = nested(&block, "board").block.clone().unwrap();
    assert_eq!(board.blocks.len(), 1, "a block in a block");
    assert_eq!(attributes(&board)["length"].0, r#""number""#);
}

#[test]
fn provider_and_data_sources_are_told_apart() {
    let schema = derived();
    let provider = schema.provider.clone().unwrap().block.unwrap();
    assert_eq!(attributes(&provider)["region"].0, r#""string""#);
    assert_eq!(nested(&provider, "batching").max, 1);
    assert_eq!(schema.data_sources.keys().collect::<Vec<_>>(), ["shop_shelf"]);
    assert_eq!(schema.resources.keys().collect::<Vec<_>>(), ["shop_shelf"]);
}

#[test]
fn what_is_not_understood_is_an_error_that_names_it() {
    let source = SOURCE.replace("storageClassType: \"boolean\"", "storageClassType: \"colour\"");
    let mut bindings = Bindings::default();
    bindings.read(&source, &Patterns::new().unwrap());
    let error = derive::schema(&bindings).unwrap_err();
    assert!(format!("{error:#}").contains("Shelf.open"), "{error:#}");
}

/// A package whose JavaScript carries the source, as npm sends them.
fn pack(to: &Path) {
    let map = serde_json::json!({ "version": 3, "sourcesContent": [SOURCE] }).to_string();
    let map = base64::prelude::BASE64_STANDARD.encode(map);
    let script =
        format!("\"use strict\";\n//# sourceMappingURL=data:application/json;base64,{map}");
    let file = flate2::write::GzEncoder::new(File::create(to).unwrap(), Default::default());
    let mut tar = tar::Builder::new(file);
    for (path, text) in [("package/lib/shelf/index.js", script.as_str()), ("package/LICENSE", "")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len().try_into().unwrap());
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
}

#[test]
fn a_package_is_read_without_being_unpacked() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("bindings.tgz");
    pack(&archive);
    let bindings = package::read(&archive).unwrap();
    assert_eq!(bindings.version, "6.50.0");
    assert_eq!(derive::schema(&bindings).unwrap(), derived());
}

async fn call(channel: &Channel, path: &'static str) -> Result<Bytes, tonic::Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static(path);
    Ok(grpc.unary(Request::new(Bytes::new()), path, Raw).await?.into_inner())
}

#[tokio::test]
async fn terraform_gets_the_schema_and_nothing_that_touches_a_cloud() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("provider.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let schema = Bytes::from(derived().encode_to_vec());
    let server = tokio::spawn(serve::answer(schema.clone(), listener));
    let connector = tower::service_fn(move |_: Uri| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://provider.invalid");
    let channel = endpoint.connect_with_connector(connector).await.unwrap();

    assert_eq!(call(&channel, "/tfplugin6.Provider/GetProviderSchema").await.unwrap(), schema);
    let valid = call(&channel, "/tfplugin6.Provider/ValidateResourceConfig").await.unwrap();
    assert_eq!(valid, Bytes::new(), "no diagnostics");
    for method in [
        "/tfplugin6.Provider/ConfigureProvider",
        "/tfplugin6.Provider/PlanResourceChange",
        "/tfplugin6.Provider/ApplyResourceChange",
        "/tfplugin6.Provider/ReadResource",
    ] {
        let status = call(&channel, method).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{method}");
        assert!(status.message().contains("knows the schema and nothing else"), "{status}");
    }
    call(&channel, "/plugin.GRPCController/Shutdown").await.unwrap();
    drop(channel);
    server.await.unwrap().unwrap();
}
