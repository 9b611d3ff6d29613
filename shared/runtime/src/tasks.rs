//! Background tasks: when one ends with an error, the process ends with it.

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::Shutdown;

/// The tasks of a process.
#[derive(Default)]
pub struct Tasks {
    set: JoinSet<Result<()>>,
}

impl Tasks {
    /// Starts a task that runs until shutdown.
    pub fn spawn<F>(&mut self, name: &'static str, task: F)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.set.spawn(async move { task.await.with_context(|| format!("{name} failed")) });
    }

    /// Waits until all have ended. The first failure shuts the others down and is
    /// answered; so is a panic.
    pub async fn join(mut self, shutdown: &Shutdown) -> Result<()> {
        let mut first = Ok(());
        while let Some(ended) = self.set.join_next().await {
            let result = ended.context("a task panicked").and_then(|r| r);
            if result.is_err() && first.is_ok() {
                first = result;
                shutdown.cancel();
            }
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failing_task_shuts_the_others_down_and_its_error_is_answered() {
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::default();
        let token = shutdown.clone();
        tasks.spawn("patient", async move {
            token.cancelled().await;
            Ok(())
        });
        tasks.spawn("hasty", async { anyhow::bail!("no") });
        let error = tasks.join(&shutdown).await.expect_err("the failure is answered");
        assert_eq!(format!("{error:#}"), "hasty failed: no");
    }
}
