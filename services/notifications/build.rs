//! Rebuilds when a migration changes: the migrator embeds them.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
