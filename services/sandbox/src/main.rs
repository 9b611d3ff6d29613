//! The sandbox payment provider.

use std::process::ExitCode;

use clap::Parser;
use sandbox::{app::App, config::Config};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Config::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sandbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> anyhow::Result<()> {
    let telemetry = telemetry::init("sandbox", &config.telemetry)?;
    let shutdown = runtime::shutdown_on_signal()?;
    let metrics = telemetry.metrics();
    App::build(config, move || metrics.render()).await?.run(shutdown).await
}
