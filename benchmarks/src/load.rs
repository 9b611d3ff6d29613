//! So many at a time, each beginning again when it is done.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;

/// What came of a load.
pub struct Outcome {
    /// How long each took, shortest first.
    pub each: Vec<Duration>,
    pub took: Duration,
}

impl Outcome {
    pub fn new(mut each: Vec<Duration>, took: Duration) -> Self {
        each.sort();
        Self { each, took }
    }

    pub fn per_second(&self) -> f64 {
        self.each.len() as f64 / self.took.as_secs_f64()
    }

    /// The time within which this share of them was done, in milliseconds.
    pub fn milliseconds(&self, share: f64) -> f64 {
        let last = self.each.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.each.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}

/// Runs `work` over and over, `workers` at a time, after a second of warming up.
pub async fn closed_loop<F>(workers: usize, lasting: Duration, work: F) -> Result<Outcome>
where
    F: AsyncFn() -> Result<()>,
{
    rounds(workers, Duration::from_secs(1), &work).await?;
    let began = Instant::now();
    let each = rounds(workers, lasting, &work).await?;
    Ok(Outcome::new(each, began.elapsed()))
}

async fn rounds<F>(workers: usize, lasting: Duration, work: &F) -> Result<Vec<Duration>>
where
    F: AsyncFn() -> Result<()>,
{
    let end = Instant::now() + lasting;
    let all = (0..workers).map(async |_| {
        let mut each = Vec::new();
        while Instant::now() < end {
            let began = Instant::now();
            work().await?;
            each.push(began.elapsed());
        }
        anyhow::Ok(each)
    });
    Ok(try_join_all(all).await?.concat())
}
