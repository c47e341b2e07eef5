//! Cancels.

use std::future::IntoFuture;

use serde::Serialize;

use super::{Query, Target, Targeted, query_types};
use crate::deribit::data::{CancelReport, CancelType, Kind};
use crate::deribit::outcome::{self, PendingMassCancel};
use crate::deribit::{Deribit, Outcome};
use crate::error::Error;
use crate::platform::{BoxFuture, MaybeSend, MaybeSync};

query_types! {
    /// Cancels all orders of all currencies. How many there were.
    ///
    /// ```no_run
    /// # async fn f(deribit: steadysocket::deribit::Deribit) -> Result<(), steadysocket::Error> {
    /// // Until it is certain that nothing of what was there is left, whatever becomes of the connection.
    /// let count = deribit.cancel_all().settled().await?;
    /// println!("{count} cancelled");
    /// # Ok(()) }
    /// ```
    "private/cancel_all" cancel_all() as CancelAll -> u64 {
        /// Whether to refuse quotes for a second after it.
        freeze_quotes: bool,
    }

    /// Cancels the orders of an instrument. How many there were.
    "private/cancel_all_by_instrument" cancel_all_by_instrument(instrument_name: String)
        as CancelAllByInstrument -> u64
    {
        /// Only those of a type.
        order_type = "type": CancelType,
        /// Whether to cancel orders for combos with the instrument, too.
        include_combos: bool,
        /// Whether to refuse quotes for a second after it.
        freeze_quotes: bool,
    }

    /// Cancels the orders of a currency. How many there were.
    "private/cancel_all_by_currency" cancel_all_by_currency(currency: String) as CancelAllByCurrency -> u64 {
        /// Only those of instruments of a kind.
        kind: Kind,
        /// Only those of a type.
        order_type = "type": CancelType,
        /// Whether to refuse quotes for a second after it.
        freeze_quotes: bool,
    }

    /// Cancels the orders of a pair of currencies such as `btc_usd`. How many there were.
    "private/cancel_all_by_currency_pair" cancel_all_by_currency_pair(currency_pair: String)
        as CancelAllByCurrencyPair -> u64
    {
        /// Only those of instruments of a kind.
        kind: Kind,
        /// Only those of a type.
        order_type = "type": CancelType,
        /// Whether to refuse quotes for a second after it.
        freeze_quotes: bool,
    }

    /// Cancels orders of a kind or type, in some currencies or in `any`. How many there were.
    "private/cancel_all_by_kind_or_type" cancel_all_by_kind_or_type(currency: Currencies)
        as CancelAllByKindOrType -> u64
    {
        /// Only those of instruments of a kind.
        kind: Kind,
        /// Only those of a type.
        order_type = "type": CancelType,
        /// Whether to refuse quotes for a second after it.
        freeze_quotes: bool,
    }

    /// Cancels the orders that have a label: the whole of it, so that those of which it is only the
    /// [owner's part](crate::deribit::Label::user) stay. How many there were.
    "private/cancel_by_label" cancel_by_label(label: String) as CancelByLabel -> u64 {
        /// Only those of a currency, which is faster and has a limit of its own.
        currency: String,
    }
}

/// One currency, several, or `any`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Currencies {
    /// One, or `any`.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl From<&str> for Currencies {
    fn from(currency: &str) -> Self {
        Self::One(currency.to_owned())
    }
}

impl<const N: usize> From<[&str; N]> for Currencies {
    fn from(currencies: [&str; N]) -> Self {
        Self::Many(currencies.map(str::to_owned).into())
    }
}

impl From<Vec<String>> for Currencies {
    fn from(currencies: Vec<String>) -> Self {
        Self::Many(currencies)
    }
}

/// A cancel that answers with reports instead of a number.
#[derive(Clone, Debug, Serialize)]
#[must_use = "a query is not made until it is awaited"]
pub struct Detailed<Q> {
    #[serde(flatten)]
    query: Q,
    detailed: bool,
}

impl<Q: Query> Query for Detailed<Q> {
    const METHOD: &'static str = Q::METHOD;
    type Answer = Vec<CancelReport>;
}

impl<Q: Targeted> Targeted for Detailed<Q> {
    fn target(&self) -> &Target {
        self.query.target()
    }
}

/// Makes mass cancels awaitable: each ends in an outcome.
macro_rules! mass_cancels {
    ($([$($bounds:tt)*] $name:ty => $answer:ty;)*) => {$(
        #[allow(private_bounds, reason = "it is made of the queries in this module")]
        impl<$($bounds)*> $name {
            /// Cancels, and if the outcome is unknown again, until the exchange has answered: see
            /// [`PendingMassCancel::resolve`].
            ///
            /// # Errors
            /// [`Error::Rejected`] when the exchange refused it, [`Error::NotSent`] when it never left, and as
            /// [`PendingMassCancel::resolve`].
            pub async fn settled(self) -> Result<$answer, Error> {
                match outcome::mass_cancel(self).await {
                    Outcome::Accepted(answer) => Ok(answer),
                    Outcome::Rejected(error) => Err(error.into()),
                    Outcome::NotSent(reason) => Err(reason.into()),
                    Outcome::Unknown(pending) => pending.resolve().await,
                }
            }
        }

        #[allow(private_bounds, reason = "it is made of the queries in this module")]
        impl<$($bounds)*> IntoFuture for $name {
            type Output = Outcome<$answer, PendingMassCancel<Self>>;
            type IntoFuture = BoxFuture<Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(outcome::mass_cancel(self))
            }
        }
    )*};
}

mass_cancels! {
    [] CancelAll => u64;
    [] CancelAllByInstrument => u64;
    [] CancelAllByCurrency => u64;
    [] CancelAllByCurrencyPair => u64;
    [] CancelAllByKindOrType => u64;
    [] CancelByLabel => u64;
    [] CancelQuotes => u64;
    [Q: Query + Targeted + Clone + MaybeSend + MaybeSync + 'static] Detailed<Q> => Vec<CancelReport>;
}

/// Gives cancels their detailed form.
macro_rules! detailed {
    ($($name:ident)*) => {$(
        impl $name {
            /// Answers with a report of each part of the cancel, rather than with a number.
            pub fn detailed(self) -> Detailed<Self> {
                Detailed { query: self, detailed: true }
            }
        }
    )*};
}

detailed! {
    CancelAll CancelAllByInstrument CancelAllByCurrency CancelAllByCurrencyPair CancelAllByKindOrType CancelByLabel
    CancelQuotes
}

/// `private/cancel_quotes`: see [`Deribit::cancel_quotes`].
#[derive(Clone, Debug, Serialize)]
#[must_use = "a query is not made until it is awaited"]
pub struct CancelQuotes {
    #[serde(skip)]
    target: Target,
    #[serde(flatten)]
    which: Quotes,
    #[serde(skip_serializing_if = "Option::is_none")]
    freeze_quotes: Option<bool>,
}

/// Which quotes to cancel.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "cancel_type", rename_all = "snake_case")]
pub enum Quotes {
    /// Those for options whose delta is in a range.
    Delta {
        /// From.
        min_delta: f64,
        /// To.
        max_delta: f64,
    },
    /// Those of a set: see [`Quote`](crate::deribit::query::Quote).
    QuoteSetId {
        /// The set.
        quote_set_id: String,
    },
    /// Those for an instrument.
    Instrument {
        /// The instrument.
        instrument_name: String,
    },
    /// Those for a kind of instruments.
    InstrumentKind {
        /// The kind.
        kind: Kind,
        /// Only in this currency.
        #[serde(skip_serializing_if = "Option::is_none")]
        currency: Option<String>,
    },
    /// Those in a currency.
    Currency {
        /// The currency.
        currency: String,
    },
    /// Those for a pair of currencies.
    CurrencyPair {
        /// The pair, such as `btc_usd`.
        currency_pair: String,
    },
    /// All.
    All,
}

impl Deribit {
    /// Cancels quotes: `private/cancel_quotes`. How many there were.
    pub fn cancel_quotes(&self, which: Quotes) -> CancelQuotes {
        CancelQuotes { target: Target::of(self), which, freeze_quotes: None }
    }
}

impl CancelQuotes {
    /// Whether to refuse quotes for a second after it.
    pub fn freeze_quotes(mut self, freeze: bool) -> Self {
        self.freeze_quotes = Some(freeze);
        self
    }

    /// How long it may take, waiting included. Default: [`Config::call_timeout`](crate::Config::call_timeout).
    pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
        self.target.timeout = Some(timeout);
        self
    }
}

impl Targeted for CancelQuotes {
    fn target(&self) -> &Target {
        &self.target
    }
}

impl Query for CancelQuotes {
    const METHOD: &'static str = "private/cancel_quotes";
    type Answer = u64;
}
