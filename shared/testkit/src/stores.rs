//! Where the tests' stores are, and leaving them as they were.

use std::cell::RefCell;
use std::pin::Pin;

use tokio::runtime;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is left to do when a test is over.
struct Afterwards(Vec<Work>);

thread_local! {
    /// Every test has a thread of its own, on which its body runs.
    static AFTERWARDS: RefCell<Afterwards> = const { RefCell::new(Afterwards(Vec::new())) };
}

/// Does the work when the test ends, well or badly.
pub(crate) fn afterwards(work: impl Future<Output = ()> + Send + 'static) {
    AFTERWARDS.with_borrow_mut(|left| left.0.push(Box::pin(work)));
}

impl Drop for Afterwards {
    fn drop(&mut self) {
        let works = std::mem::take(&mut self.0);
        if works.is_empty() {
            return;
        }
        // The ending thread has lost what a runtime needs; another one has it.
        let worker = std::thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                for work in works {
                    work.await;
                }
            });
        });
        let _ = worker.join();
    }
}

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
