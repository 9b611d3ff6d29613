//! Writes the edge's configuration and ends.

use clap::Parser as _;
use edge_config::Config;

fn main() -> anyhow::Result<()> {
    edge_config::write(&Config::parse())
}
