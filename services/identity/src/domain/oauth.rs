//! Applications that sign people in, and what they may ask for (OAuth 2.1, OpenID
//! Connect Core 1.0).

use std::collections::BTreeSet;
use std::fmt;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::RoleNames;

/// An application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub id: Uuid,
    pub name: String,
    pub redirect_uris: Vec<String>,
    pub logout_uris: Vec<String>,
    /// SHA-256 of its secret; a public client has none.
    pub secret_hash: Option<[u8; 32]>,
    /// Ours: people are not asked whether they consent.
    pub first_party: bool,
    /// What it may do in its own name.
    pub roles: RoleNames,
    /// Permissions that the roles give which administrators made.
    pub entitlements: Vec<String>,
    pub created_at: OffsetDateTime,
}

/// What an application may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Who the user is.
    OpenId,
    Profile,
    Email,
    /// A refresh token.
    OfflineAccess,
    /// To call the shop's API in the user's name.
    Stoa,
}

impl Scope {
    pub const ALL: [Self; 5] =
        [Self::OpenId, Self::Profile, Self::Email, Self::OfflineAccess, Self::Stoa];

    pub fn name(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::OfflineAccess => "offline_access",
            Self::Stoa => "stoa",
        }
    }

    /// What a person is asked to consent to.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::OpenId => "know that it is you",
            Self::Profile => "see your name",
            Self::Email => "see your e-mail address",
            Self::OfflineAccess => "do so also when you are not there",
            Self::Stoa => "use the shop in your name: your cart, your orders, your payments",
        }
    }
}

/// Several of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(pub BTreeSet<Scope>);

impl Scopes {
    /// Unknown ones are not granted, and no error (OpenID Connect Core, section 3.1.2.1).
    pub fn parse(text: &str) -> Self {
        let known = |word: &str| Scope::ALL.into_iter().find(|scope| scope.name() == word);
        Self(text.split(' ').filter_map(known).collect())
    }

    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|scope| scope.name()).collect();
        f.write_str(&names.join(" "))
    }
}

/// What an application asks for, when it sends a browser here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    pub redirect_uri: String,
    pub scopes: Scopes,
    pub state: Option<String>,
    pub nonce: Option<String>,
    pub code_challenge: String,
    pub prompt: Prompt,
    /// The longest time since the user proved who they are.
    pub max_age: Option<Duration>,
}

/// Whether the user is to be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Never: it is an error if they would have to be.
    pub none: bool,
    pub login: bool,
    pub consent: bool,
}

/// Why a request is refused: `error` and `error_description` (RFC 6749, section 4.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub error: &'static str,
    pub description: &'static str,
}

const fn refusal(error: &'static str, description: &'static str) -> Refusal {
    Refusal { error, description }
}

/// SHA-256 in base64url.
const CHALLENGE_LENGTH: usize = 43;
const LONGEST_VALUE: usize = 1_000;

impl AuthorizationRequest {
    /// Where the answer goes. Anything wrong with it is told to the user alone: the
    /// address may be a thief's (RFC 6749, section 4.1.2.1).
    pub fn redirect_uri<'a>(
        client: &Client,
        value: &dyn Fn(&str) -> Option<&'a str>,
    ) -> Option<String> {
        let given = value("redirect_uri")?;
        client.redirect_uris.iter().find(|known| *known == given).cloned()
    }

    /// The rest, of a request whose address is good.
    pub fn parse<'a>(
        redirect_uri: String,
        value: &dyn Fn(&str) -> Option<&'a str>,
    ) -> Result<Self, Refusal> {
        if value("response_type") != Some("code") {
            return Err(refusal("unsupported_response_type", "response_type is `code` here"));
        }
        if ["request", "request_uri"].iter().any(|name| value(name).is_some()) {
            return Err(refusal("request_not_supported", "requests are plain parameters here"));
        }
        let challenge = value("code_challenge").unwrap_or_default();
        let plain = value("code_challenge_method") != Some("S256");
        if plain || challenge.len() != CHALLENGE_LENGTH {
            let text = "code_challenge with code_challenge_method=S256 is needed (RFC 7636)";
            return Err(refusal("invalid_request", text));
        }
        let optional = |name: &str| value(name).map(str::to_owned);
        let (state, nonce) = (optional("state"), optional("nonce"));
        if [&state, &nonce].into_iter().flatten().any(|text| text.len() > LONGEST_VALUE) {
            return Err(refusal("invalid_request", "state or nonce is too long"));
        }
        Ok(Self {
            redirect_uri,
            scopes: Scopes::parse(value("scope").unwrap_or_default()),
            state,
            nonce,
            code_challenge: challenge.to_owned(),
            prompt: prompt(value("prompt").unwrap_or_default())?,
            max_age: max_age(value("max_age"))?,
        })
    }

    /// Whether somebody who proved who they are at `auth_time` has to do so again.
    pub fn needs_login(&self, auth_time: OffsetDateTime, now: OffsetDateTime) -> bool {
        self.prompt.login || self.max_age.is_some_and(|age| auth_time + age < now)
    }
}

fn prompt(text: &str) -> Result<Prompt, Refusal> {
    let mut prompt = Prompt::default();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match word {
            "none" => prompt.none = true,
            // There is one account in a browser.
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return Err(refusal("invalid_request", "there is no such prompt")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent) {
        return Err(refusal("invalid_request", "prompt=none goes with nothing else"));
    }
    Ok(prompt)
}

fn max_age(text: Option<&str>) -> Result<Option<Duration>, Refusal> {
    let seconds = text.map(str::parse::<u32>).transpose();
    let seconds = seconds.map_err(|_| refusal("invalid_request", "max_age is a number"))?;
    Ok(seconds.map(|seconds| Duration::seconds(seconds.into())))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn parse(changes: &[(&str, Option<&str>)]) -> Result<AuthorizationRequest, Refusal> {
        let mut values: HashMap<&str, &str> = HashMap::from([
            ("response_type", "code"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("scope", "openid email wings"),
        ]);
        for (name, value) in changes {
            match value {
                Some(value) => drop(values.insert(name, value)),
                None => drop(values.remove(name)),
            }
        }
        let value = |name: &str| values.get(name).copied();
        AuthorizationRequest::parse("https://app.example/cb".to_owned(), &value)
    }

    fn error(changes: &[(&str, Option<&str>)]) -> Option<&'static str> {
        parse(changes).err().map(|refusal| refusal.error)
    }

    #[test]
    fn unknown_scopes_are_not_granted() -> Result<(), Refusal> {
        assert_eq!(parse(&[])?.scopes.to_string(), "openid email");
        Ok(())
    }

    #[test]
    fn nothing_but_the_code_flow_with_a_hashed_challenge_is_known() {
        assert_eq!(error(&[("response_type", Some("token"))]), Some("unsupported_response_type"));
        assert_eq!(
            error(&[("response_type", Some("code id_token"))]),
            Some("unsupported_response_type")
        );
        for change in [
            ("code_challenge", None),
            ("code_challenge", Some("short")),
            ("code_challenge_method", None),
            ("code_challenge_method", Some("plain")),
            ("prompt", Some("none login")),
            ("prompt", Some("wings")),
            ("max_age", Some("-1")),
        ] {
            assert_eq!(error(&[change]), Some("invalid_request"), "{change:?}");
        }
        assert_eq!(error(&[("request_uri", Some("https://x"))]), Some("request_not_supported"));
    }

    #[test]
    fn an_address_is_compared_as_a_whole() {
        let client = Client {
            id: Uuid::nil(),
            name: String::new(),
            redirect_uris: vec!["https://app.example/cb".to_owned()],
            logout_uris: Vec::new(),
            secret_hash: None,
            first_party: false,
            roles: RoleNames::default(),
            entitlements: Vec::new(),
            created_at: OffsetDateTime::UNIX_EPOCH,
        };
        let of = |uri: &'static str| {
            AuthorizationRequest::redirect_uri(&client, &|_| Some(uri)).is_some()
        };
        assert!(of("https://app.example/cb"));
        for uri in [
            "https://app.example/cb/",
            "https://app.example/cb?x=1",
            "https://app.example/CB",
            "https://app.example.evil/cb",
            "https://app.example/cb#x",
            "http://app.example/cb",
        ] {
            assert!(!of(uri), "{uri}");
        }
    }

    #[test]
    fn an_old_login_is_not_good_enough_for_some() -> Result<(), Refusal> {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::HOUR;
        let request = parse(&[("max_age", Some("60"))])?;
        assert!(request.needs_login(now - Duration::seconds(61), now));
        assert!(!request.needs_login(now - Duration::seconds(60), now));
        assert!(parse(&[("prompt", Some("login"))])?.needs_login(now, now));
        assert!(!parse(&[])?.needs_login(OffsetDateTime::UNIX_EPOCH, now));
        Ok(())
    }
}
