//! Processes of the next release before its migrations: what they are seen to do.

use std::collections::HashSet;

use anyhow::{Context, Result};
use procfs::net::{TcpState, tcp};
use procfs::process::{FDTarget, Process};

/// A process that came before its schema.
pub struct Early {
    pub service: &'static str,
    /// It said that it waits for its schema.
    pub waits: bool,
    /// It was ready, took requests, took facts: at any time while it was watched.
    pub ready: bool,
    pub listened: bool,
    pub consumed: bool,
    /// It ended by itself.
    pub ended: bool,
}

impl Early {
    pub fn new(service: &'static str) -> Self {
        Self { service, waits: false, ready: false, listened: false, consumed: false, ended: false }
    }

    /// Whether it is known what it does.
    pub fn decided(&self) -> bool {
        self.waits || self.ready || self.ended
    }

    /// Whether it did nothing but wait.
    pub fn waited(&self) -> bool {
        self.waits && self.wrong().is_empty()
    }

    /// What it must not do on a schema that is behind.
    pub fn wrong(&self) -> Vec<String> {
        let seen = [
            (self.ready, "said that it was ready"),
            (self.listened, "listened for requests"),
            (self.consumed, "was connected to the broker"),
            (self.ended, "ended"),
        ];
        let wrong = seen.into_iter().filter(|(seen, _)| *seen);
        wrong
            .map(|(_, what)| {
                format!("{} of the next release {what} before its migrations", self.service)
            })
            .collect()
    }

    /// Looks at the sockets of a process.
    pub fn watch(&mut self, pid: i32, grpc: u16, amqp: u16) -> Result<()> {
        let process = Process::new(pid).context("it has ended")?;
        let mut own = HashSet::new();
        for fd in process.fd()?.flatten() {
            if let FDTarget::Socket(inode) = fd.target {
                own.insert(inode);
            }
        }
        for entry in tcp()?.into_iter().filter(|entry| own.contains(&entry.inode)) {
            let listens = entry.state == TcpState::Listen;
            self.listened |= listens && entry.local_address.port() == grpc;
            self.consumed |= !listens && entry.remote_address.port() == amqp;
        }
        Ok(())
    }
}
