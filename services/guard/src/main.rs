//! The guard beside the edge.

use std::process::ExitCode;

use clap::Parser;
use guard::app::App;
use guard::config::Config;

#[tokio::main]
async fn main() -> ExitCode {
    runtime::exit("guard", run(Config::parse()).await)
}

async fn run(config: Config) -> anyhow::Result<()> {
    let telemetry = telemetry::init("guard", &config.telemetry)?;
    let shutdown = runtime::shutdown_on_signal()?;
    let metrics = telemetry.metrics();
    App::build(config, move || metrics.render()).await?.run(shutdown).await
}
