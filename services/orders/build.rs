//! Builds again when a migration changes: `sqlx::migrate!` does not notice by itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
