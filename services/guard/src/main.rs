//! The guard beside the edge.

use std::process::ExitCode;

use guard::app::App;
use guard::config::Config;

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = runtime::settings();
    let telemetry = config.telemetry.clone();
    runtime::main("guard", &telemetry, async move |metrics, shutdown| {
        App::build(config, metrics).await?.run(shutdown).await
    })
    .await
}
