//! The console of the person on call.

use std::process::ExitCode;

use console::app::App;
use console::config::Config;

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = runtime::settings();
    let telemetry = config.telemetry.clone();
    runtime::main("console", &telemetry, async move |metrics, shutdown| {
        App::build(config, metrics).await?.run(shutdown).await
    })
    .await
}
