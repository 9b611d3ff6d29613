//! Where the tests' stores are.

/// The stores' addresses come from whoever started them.
pub(crate) fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run the tests with `make test`, or start stores with `cargo xtask stores`")
    })
}

/// The Redis server; tests tell themselves apart by their users' ids.
pub fn redis_url() -> String {
    setting("STOA_TEST_REDIS_URL")
}
