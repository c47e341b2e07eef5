//! What the venue's error codes mean, as data.
//!
//! Every [`RpcError`] that the venue answers with carries its [`Meaning`], so that
//! [`Error::category`], [`Error::advice`] and [`Error::executed`] speak of the venue's code. [`Code`] names it.

use std::time::Duration;

use crate::error::{Advice, Category, Error, Executed, Meaning, Refusal, RpcError};
use crate::json::{Malformed, Reader, Str};

mod table;
#[cfg(test)]
mod tests;

pub use table::Code;

/// What a code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The login: credentials, tokens, signatures.
    Login,
    /// What the account, or the scope of its token, may not do.
    Permission,
    /// Limits of rate and load.
    Pressure,
    /// A state of the exchange that passes.
    Temporary,
    /// The order or request itself.
    Order,
    /// The form of the request.
    Protocol,
    /// Wallets, transfers, identity and other matters of the account.
    Account,
    /// Not known to this version.
    Other,
}

impl Class {
    /// Which of the four categories of errors it belongs to.
    pub fn category(self) -> Category {
        match self {
            Self::Login | Self::Permission => Category::Authentication,
            Self::Protocol => Category::Protocol,
            Self::Pressure | Self::Temporary | Self::Order | Self::Account | Self::Other => {
                Category::Application
            }
        }
    }
}

impl Code {
    /// The venue's code in an error, when that is what it is.
    ///
    /// ```
    /// # use steadysocket::deribit::Code;
    /// # fn f(error: steadysocket::Error) {
    /// if Code::of(&error) == Some(Code::PostOnlyReject) {
    ///     // The price moved: quote again.
    /// }
    /// # }
    /// ```
    pub fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Rejected(error) | Error::Refused { reason: Refusal::Error(error), .. } => {
                Some(error.code.into())
            }
            Error::Config(_)
            | Error::Connect(_)
            | Error::NotSent(_)
            | Error::Unknown(_)
            | Error::Refused { .. }
            | Error::Decode(_) => None,
        }
    }
}

/// What the venue adds to some errors, in their `data`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Details {
    /// A word such as `invalid_token`, or a sentence.
    pub reason: Option<String>,
    /// The parameter that is wrong.
    pub param: Option<String>,
    /// Seconds to wait before the next attempt.
    pub wait: Option<f64>,
}

impl Details {
    /// What an error's `data` says. A bare text is a reason; anything else that is not understood says nothing.
    pub fn of(error: &RpcError) -> Self {
        let Some(data) = error.data.as_deref().map(str::as_bytes) else { return Self::default() };
        match Str::of(data) {
            Some(reason) => Self { reason: Some(reason.text().into_owned()), ..Self::default() },
            None => Self::read(data).unwrap_or_default(),
        }
    }

    fn read(data: &[u8]) -> Result<Self, Malformed> {
        let text = |value| Str::of(value).map(|text| text.text().into_owned());
        let mut details = Self::default();
        let mut reader = Reader::new(data);
        reader.object()?;
        while let Some(key) = reader.member()? {
            let value = reader.value()?;
            match &*key.bytes() {
                b"reason" => details.reason = text(value),
                b"param" => details.param = text(value),
                b"wait" => details.wait = Reader::new(value).number().ok(),
                _ => {}
            }
        }
        Ok(details)
    }

    /// The time to wait, within what makes sense.
    fn wait(&self) -> Option<Duration> {
        const LONGEST: f64 = 7.0 * 24.0 * 3600.0;
        let seconds = self.wait.filter(|seconds| (0.0..=LONGEST).contains(seconds))?;
        Some(Duration::from_secs_f64(seconds))
    }
}

/// What an error of the venue means.
pub(super) fn meaning(error: &RpcError) -> Meaning {
    let code = Code::from(error.code);
    let advice = match code.advice() {
        // The venue's own time is better than ours.
        Advice::Retry(time) => Advice::Retry(Details::of(error).wait().or(time)),
        advice @ (Advice::Reconcile | Advice::Reauthenticate | Advice::Change | Advice::Stop) => advice,
    };
    let executed = if advice == Advice::Reconcile { Executed::Unknown } else { Executed::No };
    Meaning { category: code.class().category(), advice, executed }
}

const fn after(seconds: u64) -> Advice {
    Advice::Retry(Some(Duration::from_secs(seconds)))
}
