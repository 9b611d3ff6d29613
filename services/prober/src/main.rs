//! The prober.

use std::process::ExitCode;

use prober::app::App;
use prober::config::Config;

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = runtime::settings();
    let telemetry = config.telemetry.clone();
    runtime::main("prober", &telemetry, async move |metrics, shutdown| {
        if config.once {
            return prober::app::once(config).await;
        }
        App::build(config, metrics).await?.run(shutdown).await
    })
    .await
}
