//! Argon2id (RFC 9106) on a bounded number of threads.

use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::core::Error;
use crate::core::ports::Passwords;

/// Settings of password hashing; the defaults are from the OWASP Password Storage
/// Cheat Sheet.
#[derive(clap::Args, Clone, Debug)]
pub struct Argon2Config {
    /// Memory that one password hash takes, in KiB.
    #[arg(long, env = "ARGON2_MEMORY_KIB", default_value_t = 19_456)]
    pub argon2_memory_kib: u32,
    /// Passes over that memory.
    #[arg(long, env = "ARGON2_ITERATIONS", default_value_t = 2)]
    pub argon2_iterations: u32,
    /// Lanes of that memory.
    #[arg(long, env = "ARGON2_PARALLELISM", default_value_t = 1)]
    pub argon2_parallelism: u32,
    /// Passwords hashed at the same time. Absent: one per core but one, which is left
    /// for everything else.
    #[arg(long, env = "PASSWORD_HASHERS")]
    pub password_hashers: Option<usize>,
    /// Passwords that may wait to be hashed; more are refused.
    #[arg(long, env = "PASSWORD_QUEUE", default_value_t = 64)]
    pub password_queue: usize,
}

/// Password hashing that never takes more cores and memory than it was given.
pub struct Argon2Passwords {
    argon2: Argon2<'static>,
    /// Being hashed.
    running: Arc<Semaphore>,
    /// Being hashed or waiting for it.
    admitted: Arc<Semaphore>,
    /// What the password of an unknown account is checked against.
    nobody: SecretString,
    /// How hashes of today begin.
    prefix: String,
}

impl Argon2Passwords {
    /// Fails when the settings are no Argon2 parameters.
    pub async fn new(config: &Argon2Config) -> Result<Self, Error> {
        let (memory, passes) = (config.argon2_memory_kib, config.argon2_iterations);
        let lanes = config.argon2_parallelism;
        let params = Params::new(memory, passes, lanes, None)
            .map_err(|e| Error::internal(format!("ARGON2_…: {e}")))?;
        let cores = || available_parallelism().map_or(1, usize::from);
        let hashers = config.password_hashers.unwrap_or_else(|| cores() - 1).max(1);
        let passwords = Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            running: Arc::new(Semaphore::new(hashers)),
            admitted: Arc::new(Semaphore::new(hashers.saturating_add(config.password_queue))),
            nobody: SecretString::default(),
            prefix: format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$"),
        };
        let nobody = passwords.hash("nobody's password".into()).await?;
        Ok(Self { nobody, ..passwords })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let full = |_| Error::TooManyLogins;
        let place = self.admitted.clone().try_acquire_owned().map_err(full)?;
        let turn = self.running.clone().acquire_owned().await.map_err(Error::internal)?;
        let argon2 = self.argon2.clone();
        let hashing = tokio::task::spawn_blocking(move || {
            // Held until the thread is done, also when the caller has gone.
            let _held = (place, turn);
            work(&argon2)
        });
        hashing.await.map_err(Error::internal)?
    }
}

#[async_trait]
impl Passwords for Argon2Passwords {
    async fn hash(&self, password: SecretString) -> Result<SecretString, Error> {
        self.run(move |argon2| {
            let hash = argon2.hash_password(password.expose_secret().as_bytes());
            Ok(hash.map_err(Error::internal)?.to_string().into())
        })
        .await
    }

    async fn verify(
        &self,
        password: SecretString,
        hash: Option<SecretString>,
    ) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        self.run(move |argon2| {
            let password = password.expose_secret().as_bytes();
            match argon2.verify_password(password, hash.expose_secret()) {
                Ok(()) => Ok(known),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(Error::internal(error)),
            }
        })
        .await
    }

    fn is_outdated(&self, hash: &SecretString) -> bool {
        !hash.expose_secret().starts_with(&self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Argon2Config {
        Argon2Config {
            argon2_memory_kib: 64,
            argon2_iterations: 1,
            argon2_parallelism: 1,
            password_hashers: Some(1),
            password_queue: 1,
        }
    }

    #[tokio::test]
    async fn only_the_right_password_matches() -> Result<(), Error> {
        let passwords = Argon2Passwords::new(&cheap()).await?;
        let hash = passwords.hash("correct horse".into()).await?;
        assert!(hash.expose_secret().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await?);
        assert!(!passwords.verify("battery staple".into(), Some(hash)).await?);
        Ok(())
    }

    #[tokio::test]
    async fn a_hash_is_outdated_once_the_parameters_change() -> Result<(), Error> {
        let hash = Argon2Passwords::new(&cheap()).await?.hash("correct horse".into()).await?;
        assert!(!Argon2Passwords::new(&cheap()).await?.is_outdated(&hash));
        let dearer = Argon2Config { argon2_iterations: 2, ..cheap() };
        assert!(Argon2Passwords::new(&dearer).await?.is_outdated(&hash));
        Ok(())
    }

    #[tokio::test]
    async fn nobody_has_no_password() -> Result<(), Error> {
        let passwords = Argon2Passwords::new(&cheap()).await?;
        assert!(!passwords.verify("nobody's password".into(), None).await?);
        Ok(())
    }

    #[tokio::test]
    async fn settings_that_argon2_does_not_know_are_refused() {
        let config = Argon2Config { argon2_iterations: 0, ..cheap() };
        assert!(Argon2Passwords::new(&config).await.is_err());
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_lets_in_again_later() -> Result<(), Error> {
        let passwords = Argon2Passwords::new(&cheap()).await?;
        let running = passwords.running.clone().acquire_owned().await.map_err(Error::internal)?;
        let placed = passwords.admitted.clone().try_acquire_owned().map_err(Error::internal)?;
        let waiting = passwords.hash("first in line".into());
        let refused = async {
            let refused = passwords.hash("no room".into()).await;
            drop((running, placed));
            refused
        };
        let (waited, refused) = tokio::join!(waiting, refused);
        assert!(waited.is_ok());
        assert!(matches!(refused, Err(Error::TooManyLogins)));
        assert!(passwords.hash("room again".into()).await.is_ok());
        Ok(())
    }
}
