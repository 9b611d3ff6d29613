//! `stoactl`: what operators do with a running platform, from a terminal.

mod erasures;
mod facts;
mod failure;
mod output;
mod payments;
mod platform;
mod sagas;
mod security;
mod seed;
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
    #[command(flatten)]
    SignedIn(SignedIn),
    /// Fills an empty catalogue with a first assortment: products and their stock. What it
    /// has added once it leaves alone.
    Seed(seed::Seed),
}

/// What begins with signing in, and ends if that fails.
#[derive(Subcommand)]
enum SignedIn {
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
    match run(runtime::settings()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { platform, credentials, json, command } = arguments;
    let platform = platform.find()?;
    match command {
        Command::SignedIn(command) => {
            let session = Session::open(platform, &credentials).await?;
            command.run(&session, &Output::new(json)).await
        }
        Command::Seed(command) => command.run(&platform, &credentials, json).await,
    }
}

impl SignedIn {
    async fn run(self, session: &Session, output: &Output) -> Result<()> {
        match self {
            Self::Sagas(command) => command.run(session, output).await,
            Self::Payments(command) => command.run(session, output).await,
            Self::Facts(command) => command.run(session, output).await,
            Self::Keys(command) => command.run(session, output).await,
            Self::Audit(command) => command.run(session, output).await,
            Self::Erasures(command) => command.run(session, output).await,
            Self::Token(command) => command.run(session, output).await,
        }
    }
}
