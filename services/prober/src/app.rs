//! The composition root: one journey after the other, and the admin port.

use anyhow::Result;
use runtime::{Admin, Metrics, Readiness, Shutdown, Tasks};
use tokio::time::MissedTickBehavior;

use crate::config::Config;
use crate::figures;
use crate::journey::{Journey, Traveller};
use crate::shop::Shop;

/// The prober, built but not yet running.
pub struct App {
    traveller: Traveller,
    config: Config,
    admin: Admin,
}

impl App {
    /// Reads the authority and binds the admin port.
    pub async fn build(config: Config, metrics: Metrics) -> Result<Self> {
        let admin = Admin::bind(config.runtime.admin_addr, Readiness::default(), metrics).await?;
        Ok(Self { traveller: traveller(&config)?, config, admin })
    }

    /// Runs until shutdown.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let Self { traveller, config, admin } = self;
        let mut tasks = Tasks::default();
        tasks.spawn("admin port", admin.run(shutdown.clone()));
        let stop = shutdown.clone();
        tasks.spawn("journeys", async move {
            figures::begin(traveller.depth);
            let mut turns = tokio::time::interval(config.every());
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    _ = turns.tick() => {}
                }
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    journey = traveller.travel() => figures::journey(&journey),
                }
            }
        });
        tasks.join(&shutdown).await
    }
}

/// One journey; fails when it does.
pub async fn once(config: Config) -> Result<()> {
    let Journey { outcome, took } = traveller(&config)?.travel().await;
    outcome?;
    println!("the journey worked and took {:.2} s", took.as_secs_f64());
    Ok(())
}

fn traveller(config: &Config) -> Result<Traveller> {
    let shop = Shop::new(&config.edge_url, config.edge_ca.as_deref(), config.patience())?;
    Ok(Traveller {
        shop,
        email: config.probe_email.clone(),
        password: config.probe_password.clone(),
        payment_token: config.probe_payment_token.clone(),
        query: config.probe_query.clone(),
        depth: config.probe_depth,
        patience: config.patience(),
    })
}
