//! `stoactl`: what operators do with a running platform, from a terminal.

mod erasures;
mod facts;
mod failure;
mod output;
mod payments;
mod platform;
mod sagas;
mod security;
mod session;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use output::Output;
use platform::Platform;
use session::{Credentials, Session};

/// Looks at a running Stoa and acts on it, as an operator who is signed in.
///
/// A platform of `make up` is found by itself; any other is named by `--address`,
/// the certificate of the workload `tools`, and an operator's account or token.
#[derive(Parser)]
#[command(name = "stoactl", version)]
struct Arguments {
    #[command(flatten)]
    platform: Platform,
    #[command(flatten)]
    credentials: Credentials,
    /// Answer in JSON, as the platform's REST API does.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// One module each.
#[derive(Subcommand)]
enum Command {
    /// Sagas: what carries orders through checkout and cancellation.
    #[command(subcommand)]
    Sagas(sagas::Sagas),
    /// Payments: our books beside the provider's.
    #[command(subcommand)]
    Payments(payments::Payments),
    /// Facts: those that could not be applied.
    #[command(subcommand)]
    Facts(facts::Facts),
    /// Keys that access tokens are signed with.
    #[command(subcommand)]
    Keys(security::Keys),
    /// The log of security events.
    #[command(subcommand)]
    Audit(security::Audit),
    /// Who was erased: to be done again after a restore.
    #[command(subcommand)]
    Erasures(erasures::Erasures),
    /// Access and refresh tokens.
    #[command(subcommand)]
    Token(security::Token),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { platform, credentials, json, command } = arguments;
    let session = Session::open(platform.find()?, &credentials).await?;
    let output = Output::new(json);
    match command {
        Command::Sagas(command) => command.run(&session, &output).await,
        Command::Payments(command) => command.run(&session, &output).await,
        Command::Facts(command) => command.run(&session, &output).await,
        Command::Keys(command) => command.run(&session, &output).await,
        Command::Audit(command) => command.run(&session, &output).await,
        Command::Erasures(command) => command.run(&session, &output).await,
        Command::Token(command) => command.run(&session, &output).await,
    }
}
