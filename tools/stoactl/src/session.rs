//! Whom the platform sees: the workload `tools` with an operator's token.

use std::io::Read as _;

use anyhow::{Context as _, Result, ensure};
use grpc::MeshChannel;
use proto::identity::v1::LoginRequest;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use secrecy::{ExposeSecret as _, SecretString};
use tonic::Request;

use crate::failure::failure;
use crate::platform::Found;

/// Who acts. Secrets come from the environment or standard input, never from the
/// command line, which others on the machine can read.
#[derive(clap::Args, Debug)]
pub struct Credentials {
    /// The operator's account; the first administrator of a platform of `make up`.
    #[arg(long, env = "STOA_EMAIL", default_value = "admin@stoa.local", global = true)]
    email: String,
    /// Read the password from standard input; otherwise it is `STOA_PASSWORD`.
    #[arg(long, global = true)]
    password_stdin: bool,
    #[arg(long, env = "STOA_PASSWORD", hide = true, hide_env_values = true, global = true)]
    password: Option<SecretString>,
    /// A code of the account's second factor, where it has one. It works once.
    #[arg(long, env = "STOA_ONE_TIME_CODE", default_value = "", global = true)]
    one_time_code: String,
    /// An access token; then nobody signs in.
    #[arg(long, env = "STOA_TOKEN", hide = true, hide_env_values = true, global = true)]
    token: Option<SecretString>,
}

/// An operator at a platform.
pub struct Session {
    platform: Found,
    token: SecretString,
}

impl Session {
    /// Signs in, unless there is a token.
    pub async fn open(platform: Found, credentials: &Credentials) -> Result<Self> {
        let token = match &credentials.token {
            Some(token) => token.clone(),
            None => sign_in(&platform, credentials).await?,
        };
        Ok(Self { platform, token })
    }

    /// A channel to a service.
    pub fn channel(&self, service: &'static str) -> Result<MeshChannel> {
        self.platform.channel(service)
    }

    /// A request in the operator's name.
    pub fn request<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        let value = format!("Bearer {}", self.token.expose_secret());
        let value = value.parse().context("the token is none")?;
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

async fn sign_in(platform: &Found, credentials: &Credentials) -> Result<SecretString> {
    let Credentials { email, one_time_code, .. } = credentials;
    let (password, one_time_code) = (password(platform, credentials)?, one_time_code.clone());
    let request = LoginRequest { email: email.clone(), password, one_time_code };
    let mut identity = IdentityServiceClient::new(platform.channel("identity")?);
    let session = identity.login(request).await.map_err(failure);
    let session = session.with_context(|| format!("cannot sign in as {email}"))?;
    Ok(session.into_inner().access_token.into())
}

fn password(platform: &Found, credentials: &Credentials) -> Result<String> {
    if credentials.password_stdin {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        let text = text.trim_end_matches(['\r', '\n']).to_owned();
        ensure!(!text.is_empty(), "there is no password on standard input");
        return Ok(text);
    }
    let given = credentials.password.as_ref().map(|given| given.expose_secret().to_owned());
    let missing = "no password: set STOA_PASSWORD or STOA_TOKEN, or use --password-stdin";
    given.or_else(|| platform.admin_password()).context(missing)
}
