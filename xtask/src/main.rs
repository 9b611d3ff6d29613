//! Developer commands; `make help` lists those for every day.

mod bench;
mod cargo;
mod chaos;
mod client;
mod dashboards;
mod generate;
mod lint;
mod manifests;
mod promtool;
mod review;
mod screenshots;
mod secrets;
mod stores;
mod table;
mod terraform;
mod test;
mod up;
mod upgrade;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Developer commands of Stoa")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts the whole platform on this machine and shows where everything is.
    Up(up::Up),
    /// Stops a platform that runs in the background or in another terminal.
    Down,
    /// Stops everything and removes all data, logs and passwords.
    Clean,
    /// Renews the certificates of a platform in the background, for as long as it runs.
    #[command(hide = true)]
    KeepCertificates,
    /// Starts only PostgreSQL, RabbitMQ and Redis, for tests run by hand.
    Stores(stores::Arguments),
    /// Runs all tests against real stores, then against the whole platform.
    Test(test::Arguments),
    /// Lets processes, stores and networks fail under a load of checkouts, and checks
    /// that nothing was lost, charged twice or oversold.
    Chaos(chaos::Arguments),
    /// Lets this checkout's release follow the one before under a load of checkouts, back
    /// and forward again, and checks that nothing was lost and nobody was refused.
    Upgrade(upgrade::Arguments),
    /// Measures what the platform's own mechanisms cost, in a release build.
    Bench(bench::Arguments),
    /// Takes the pictures in the documentation anew.
    Screenshots,
    /// Checks formatting, lints, the contract's style, secrets, the alerts and the house
    /// rules.
    Lint,
    /// Validates every Kubernetes and Istio object against its published schema, and the
    /// overlays against their rules.
    Manifests,
    /// Writes what every overlay installs into a directory, a file for each.
    Render {
        /// Where to.
        directory: PathBuf,
    },
    /// Writes the Helm chart of the overlays into `.stoa/chart/stoa`.
    Chart,
    /// Writes Grafana's dashboards from their description, or checks that none differs.
    Dashboards(dashboards::Arguments),
    /// Looks for secrets in every file that Git knows or would take.
    Secrets,
    /// Formats Rust and protobuf.
    Fmt,
    /// Writes every generated file, or checks that none differs.
    Gen(generate::Arguments),
    /// Makes Google's Terraform provider from its published bindings, for machines without
    /// the registry, and prints where it is.
    TerraformMirror,
    /// What Terraform starts from there.
    #[command(hide = true)]
    TerraformServe {
        /// The schema.
        file: PathBuf,
    },
    /// Prints what a change of the contract means, for its reviewer.
    ContractReview(review::Review),
    /// Makes today's contract the released one, which later ones must not break.
    ContractRelease(review::Release),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<()> {
    let root = root()?;
    match command {
        Command::Up(arguments) => arguments.run(&root).await,
        Command::Down => up::down(&root),
        Command::Clean => up::clean(&root),
        Command::KeepCertificates => up::keep_certificates(&root),
        Command::Stores(arguments) => arguments.run(&root).await,
        Command::Test(arguments) => arguments.run(&root).await,
        Command::Chaos(arguments) => arguments.run(&root).await,
        Command::Upgrade(arguments) => arguments.run(&root).await,
        Command::Bench(arguments) => arguments.run(&root).await,
        Command::Screenshots => screenshots::run(&root).await,
        Command::Lint => lint::run(&root),
        Command::Manifests => manifests::check(&root),
        Command::Render { directory } => manifests::write(&root, &directory),
        Command::Chart => manifests::chart(&root),
        Command::Dashboards(arguments) => arguments.run(&root),
        Command::Secrets => secrets::check(&root),
        Command::Fmt => lint::format(&root),
        Command::Gen(arguments) => arguments.run(&root),
        Command::TerraformMirror => terraform::mirror(&root),
        Command::TerraformServe { file } => terraform_schema::serve::serve(&file).await,
        Command::ContractReview(arguments) => arguments.run(&root),
        Command::ContractRelease(arguments) => arguments.run(&root),
    }
}

/// The checkout that this command was built from.
fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here.parent().context("xtask lies in no checkout")?.to_owned())
}
