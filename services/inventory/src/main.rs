//! The inventory service.

use std::process::ExitCode;

use inventory::app::App;
use inventory::config::Config;

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = runtime::settings();
    let telemetry = config.host.telemetry.clone();
    runtime::main("inventory", &telemetry, async move |metrics, shutdown| {
        App::build(config, metrics).await?.run(shutdown).await
    })
    .await
}
