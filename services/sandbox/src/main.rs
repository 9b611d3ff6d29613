//! The sandbox payment provider.

use std::process::ExitCode;

use clap::Parser;
use sandbox::{app::App, config::Config};

#[tokio::main]
async fn main() -> ExitCode {
    runtime::exit("sandbox", run(Config::parse()).await)
}

async fn run(config: Config) -> anyhow::Result<()> {
    let telemetry = telemetry::init("sandbox", &config.telemetry)?;
    let shutdown = runtime::shutdown_on_signal()?;
    let metrics = telemetry.metrics();
    App::build(config, move || metrics.render()).await?.run(shutdown).await
}
