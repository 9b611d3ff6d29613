//! The cart service.

use std::process::ExitCode;

use cart::app::App;
use cart::config::Config;

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = runtime::settings();
    let telemetry = config.host.telemetry.clone();
    runtime::main("cart", &telemetry, async move |metrics, shutdown| {
        App::build(config, metrics).await?.run(shutdown).await
    })
    .await
}
