//! Logging in, staying logged in, and what the venue's refusals mean.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::clock::Clock;
use super::params::Params;
use super::signer::{SignError, Signer, string_to_sign};
use crate::error::{Error, OpeningError, RpcError};
use crate::json::{self, Str};
use crate::payload::Payload;
use crate::protocol::{Preparation, Request, RequestId, Step};
use crate::secret::Secret;
use crate::session::random::Random;
use crate::time::Instant;

pub(super) const AUTH: &str = "public/auth";

const AUTHORIZATION_REQUIRED: i64 = 10000;
const INVALID_CREDENTIALS: i64 = 13004;
const UNAUTHORIZED: i64 = 13009;
const FORBIDDEN: i64 = 13021;
const SCOPE_EXCEEDED: i64 = 13403;
const SECURITY_KEY_NEEDED: i64 = 13668;

/// How long after a login that a refusal called for the next refusal may call for another.
const REPEATED_AFTER: Duration = Duration::from_secs(10);

/// How a client shows who it is.
#[derive(Clone)]
pub(super) enum Credentials {
    /// By sending the secret: `client_credentials`.
    Secret { id: String, secret: Secret },
    /// By a signature: `client_signature`.
    Signature { id: String, signer: Arc<dyn Signer> },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, id) = match self {
            Self::Secret { id, .. } => ("client_credentials", id),
            Self::Signature { id, .. } => ("client_signature", id),
        };
        f.debug_tuple(kind).field(id).finish()
    }
}

/// What a user chose about logging in.
#[derive(Clone, Debug, Default)]
pub(super) struct Choice {
    pub(super) credentials: Option<Credentials>,
    pub(super) scope: Option<String>,
    pub(super) attach_token: bool,
}

/// The login of the present connection, and how to make the next.
#[derive(Debug)]
pub(super) struct Login {
    choice: Choice,
    /// Draws nonces.
    random: Random,
    token: Option<Token>,
    /// What the next upkeep is, or the present one.
    renewal: Renewal,
    /// When a refusal was met by another login, unless a renewal has gone well since: for a while the next one is told as
    /// it is.
    repeated: Option<Instant>,
}

#[derive(Debug)]
struct Token {
    access: Secret,
    refresh: Option<Secret>,
    /// The request that it came with; what was asked before says nothing of it.
    request: RequestId,
    renew_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Renewal {
    /// By the refresh token, in time.
    Refresh,
    /// By the credentials, because the token was refused or could not be refreshed.
    Login,
}

impl Login {
    pub(super) fn new(choice: Choice) -> Self {
        Self { choice, random: Random::new(0), token: None, renewal: Renewal::Refresh, repeated: None }
    }

    pub(super) fn seed(&mut self, seed: u64) {
        self.random = Random::new(seed);
    }

    /// A new connection began. Nothing of the last one is good on it.
    pub(super) fn reset(&mut self) {
        self.token = None;
        self.renewal = Renewal::Refresh;
        self.repeated = None;
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.choice.credentials.is_some()
    }

    /// Takes the key's secret and the present tokens out of a text from the server.
    pub(super) fn redact(&self, text: &mut String) {
        if let Some(Credentials::Secret { secret, .. }) = &self.choice.credentials {
            secret.redact(text);
        }
        if let Some(token) = &self.token {
            token.access.redact(text);
            token.refresh.iter().for_each(|refresh| refresh.redact(text));
        }
    }

    /// Whether it needs the server's time.
    pub(super) fn is_signed(&self) -> bool {
        matches!(self.choice.credentials, Some(Credentials::Signature { .. }))
    }

    /// The token to be sent with private requests, if that was asked for.
    pub(super) fn attached_token(&self) -> Option<&Secret> {
        self.token.as_ref().filter(|_| self.choice.attach_token).map(|token| &token.access)
    }

    /// The step that logs in.
    pub(super) fn step(&mut self, now: Instant, clock: &Clock) -> Step {
        let scope = self.choice.scope.as_deref();
        match &self.choice.credentials {
            None => Step::Done,
            Some(Credentials::Secret { id, secret }) => {
                let params = Params::default().text("grant_type", "client_credentials").text("client_id", id);
                let params = params.text("client_secret", secret.expose()).maybe("scope", scope);
                Step::Call(auth(params))
            }
            Some(Credentials::Signature { id, signer }) => {
                let Some(time) = clock.at(now) else {
                    return Step::Fail(OpeningError::Unexpected("the server does not tell the time".into()));
                };
                let (timestamp, nonce) = (time.millis(), format!("{:016x}", self.random.next()));
                let signature = signer.sign(string_to_sign(timestamp, &nonce, ""));
                let params = Params::default().text("grant_type", "client_signature").text("client_id", id);
                let params = params.plain("timestamp", timestamp).text("nonce", &nonce).text("data", "");
                let params = params.maybe("scope", scope);
                Step::Prepare(Preparation::new(async move {
                    Ok(auth(params.text("signature", &signature.await.map_err(unsigned)?)))
                }))
            }
        }
    }

    /// The server granted what `request` asked for.
    pub(super) fn granted(
        &mut self,
        now: Instant,
        request: RequestId,
        answer: &Payload,
    ) -> Result<(), OpeningError> {
        let grant = Grant::read(answer.as_bytes())?;
        if let Some(asked) = &self.choice.scope
            && is_narrower(&grant.scope, asked)
        {
            return Err(OpeningError::Narrowed { asked: asked.clone(), granted: grant.scope });
        }
        let renew_at = grant.expires_in.map(|seconds| now + renew_after(seconds));
        self.token = Some(Token { access: grant.access, refresh: grant.refresh, request, renew_at });
        Ok(())
    }

    /// The same, for a renewal.
    pub(super) fn renewed(
        &mut self,
        now: Instant,
        request: RequestId,
        answer: &Payload,
    ) -> Result<(), OpeningError> {
        if self.renewal == Renewal::Refresh {
            self.repeated = None;
        }
        self.renewal = Renewal::Refresh;
        self.granted(now, request, answer)
    }

    /// Whether a refusal while opening is to be met by another login.
    pub(super) fn may_repeat(&mut self, now: Instant, error: &RpcError) -> bool {
        let again = self.is_wanted() && is_unauthorized(error) && self.repeated.is_none();
        if again {
            self.repeated = Some(now);
        }
        again
    }

    /// The server did not take the login for a request on an open connection: it is made anew, once in a while. A request
    /// that is refused with every login is no reason to make more of them.
    pub(super) fn doubt(&mut self, now: Instant, id: RequestId, error: &RpcError) {
        let Some(token) = &mut self.token else { return };
        let lately = self.repeated.is_some_and(|at| now.since(at) < REPEATED_AFTER);
        if is_unauthorized(error) && id > token.request && !lately {
            self.repeated = Some(now);
            self.renewal = Renewal::Login;
            token.renew_at = Some(now);
        }
    }

    pub(super) fn renew_at(&self) -> Option<Instant> {
        self.token.as_ref()?.renew_at
    }

    /// The step that renews the login.
    pub(super) fn renew(&mut self, now: Instant, clock: &Clock) -> Step {
        match self.token.as_ref().and_then(|token| token.refresh.as_ref()) {
            Some(refresh) if self.renewal == Renewal::Refresh => {
                let params = Params::default().text("grant_type", "refresh_token");
                Step::Call(auth(params.text("refresh_token", refresh.expose())))
            }
            _ => self.log_in_again(now, clock),
        }
    }

    /// What is left to do when that did not succeed.
    pub(super) fn renewal_failed(&mut self, now: Instant, clock: &Clock, error: &Error) -> Step {
        if self.renewal == Renewal::Refresh {
            return self.log_in_again(now, clock);
        }
        Step::Fail(match error {
            // The next connection has a last try.
            Error::Rejected(error) if is_unauthorized(error) => rejected(AUTH, error),
            Error::Rejected(error) => refusal(AUTH, error),
            Error::NotSent(reason) => {
                OpeningError::NotSent { method: AUTH.into(), reason: Box::new(reason.clone()) }
            }
            _ => OpeningError::TimedOut { method: AUTH.into() },
        })
    }

    fn log_in_again(&mut self, now: Instant, clock: &Clock) -> Step {
        self.renewal = Renewal::Login;
        self.step(now, clock)
    }
}

/// What the refusal of a step means: whether to try again, or to ask the user.
pub(super) fn refusal(method: impl Into<String>, error: &RpcError) -> OpeningError {
    match error.code {
        AUTHORIZATION_REQUIRED
        | INVALID_CREDENTIALS
        | UNAUTHORIZED
        | FORBIDDEN
        | SCOPE_EXCEEDED
        | SECURITY_KEY_NEEDED => OpeningError::Authentication(error.clone()),
        _ => rejected(method, error),
    }
}

fn rejected(method: impl Into<String>, error: &RpcError) -> OpeningError {
    OpeningError::Rejected { method: method.into(), error: error.clone() }
}

fn auth(params: Params) -> Request {
    Request { method: AUTH.into(), params: Some(params.done()) }
}

fn unsigned(error: SignError) -> OpeningError {
    match error {
        SignError::Unavailable(_) => OpeningError::Unprepared(error.to_string()),
        SignError::Refused(_) => OpeningError::Unsigned(error.to_string()),
    }
}

fn is_unauthorized(error: &RpcError) -> bool {
    matches!(error.code, UNAUTHORIZED | AUTHORIZATION_REQUIRED)
}

/// The answer to a login.
struct Grant {
    access: Secret,
    refresh: Option<Secret>,
    expires_in: Option<u64>,
    scope: String,
}

impl Grant {
    fn read(answer: &[u8]) -> Result<Self, OpeningError> {
        let (mut access, mut refresh, mut expires_in, mut scope) = (None, None, None, String::new());
        let text = |value| Str::of(value).map(|text| text.text().into_owned());
        let read = json::members(answer, |name, value| match &*name.bytes() {
            b"access_token" => access = text(value).map(Secret::new),
            b"refresh_token" => refresh = text(value).map(Secret::new),
            b"expires_in" => expires_in = json::unsigned(value),
            b"scope" => scope = text(value).unwrap_or_default(),
            _ => {}
        });
        match (read, access) {
            (Ok(()), Some(access)) => Ok(Self { access, refresh, expires_in, scope }),
            _ => Err(OpeningError::Unexpected("the answer to the login holds no token".into())),
        }
    }
}

/// At four fifths of its life a token is renewed, so that there is time to try by other means.
fn renew_after(expires_in: u64) -> Duration {
    // Ten years do for ever; half a second keeps a server that grants nothing from being asked without pause.
    let life = Duration::from_secs(expires_in.min(10 * 365 * 24 * 60 * 60));
    (life * 4 / 5).max(Duration::from_millis(500))
}

/// Whether an area for which rights were asked (`trade:read_write`) was granted with less. Words that are no such
/// rights say how long, where and under which name a token is valid, and are not compared.
fn is_narrower(granted: &str, asked: &str) -> bool {
    let reach = |right: &str| ["none", "read", "read_write"].iter().position(|known| *known == right);
    let right = |word: &str| {
        let (area, right) = word.split_once(':')?;
        Some((area.to_owned(), reach(right)?))
    };
    asked.split(' ').filter_map(right).any(|(area, wanted)| {
        let granted = granted.split(' ').filter_map(right).find(|(other, _)| *other == area);
        granted.map_or(0, |(_, reach)| reach) < wanted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_compared_and_nothing_else() {
        let granted = "account:read connection mainaccount trade:read_write wallet:none name:x";
        for asked in
            ["", "account:read", "trade:read trade:read_write", "wallet:none custody:none", "session:a"]
        {
            assert!(!is_narrower(granted, asked), "{asked}");
        }
        for asked in ["expires:60 ip:1.2.3.4", "connection", "everything", "trade:all"] {
            assert!(!is_narrower(granted, asked), "{asked}");
        }
        for asked in ["account:read_write", "wallet:read", "custody:read", "trade:read account:read_write"] {
            assert!(is_narrower(granted, asked), "{asked}");
        }
    }

    #[test]
    fn renewals_leave_time_and_take_time() {
        let millis = |seconds| renew_after(seconds).as_millis();
        assert_eq!([900, 2, 0].map(millis), [720_000, 1_600, 500]);
        assert_eq!(renew_after(31_536_000), Duration::from_secs(25_228_800));
        assert_eq!(renew_after(u64::MAX), renew_after(315_360_000));
    }

    #[test]
    fn a_grant_is_read_whatever_else_it_holds() {
        let answer =
            r#"{"scope":"connection","refresh_token":"r","sid":null,"expires_in":900,"access_token":"a"}"#;
        let grant = Grant::read(answer.as_bytes()).unwrap();
        assert_eq!((grant.access.expose(), grant.refresh.unwrap().expose()), ("a", "r"));
        assert_eq!((grant.expires_in, grant.scope.as_str()), (Some(900), "connection"));
        for answer in ["{}", "[]", "null", r#"{"access_token":7}"#] {
            assert!(Grant::read(answer.as_bytes()).is_err(), "{answer}");
        }
    }

    #[test]
    fn credentials_do_not_print_what_they_hold() {
        let secret = Credentials::Secret { id: "me".into(), secret: "hunter2".into() };
        let choice = Choice { credentials: Some(secret), scope: None, attach_token: true };
        assert!(!format!("{choice:?} {:?}", Login::new(choice.clone())).contains("hunter2"));
    }
}
