//! The catalog service.

use std::process::ExitCode;

use catalog::app::App;
use catalog::config::Config;

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = runtime::settings();
    let telemetry = config.host.telemetry.clone();
    runtime::main("catalog", &telemetry, async move |metrics, shutdown| {
        App::build(config, metrics).await?.run(shutdown).await
    })
    .await
}
