//! The page behind `/docs`.

use std::process::ExitCode;

use docs::app::App;
use docs::config::Config;

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = runtime::settings();
    let telemetry = config.telemetry.clone();
    runtime::main("docs", &telemetry, async move |metrics, shutdown| {
        App::build(config, metrics).await?.run(shutdown).await
    })
    .await
}
