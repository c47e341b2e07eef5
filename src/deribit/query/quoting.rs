//! Mass quotes, and market maker protection.

use std::time::Duration;

use serde::Serialize;

use super::{Query, queries};
use crate::deribit::Deribit;
use crate::deribit::data::{Instrument, MassQuoteResponse, MmpConfig, MmpStatus};
use crate::deribit::order::{check_instrument, check_price, check_size};
use crate::error::ConfigError;

queries! {
    /// The configuration of market maker protection.
    "private/get_mmp_config" get_mmp_config() as GetMmpConfig -> Vec<MmpConfig> {
        /// Only that of an index, such as `btc_usd`.
        index_name: String,
        /// Only that of a group. Needs an index.
        mmp_group: String,
        /// Whether that of requests for quotes is meant.
        block_rfq: bool,
    }

    /// Where market maker protection has set in.
    "private/get_mmp_status" get_mmp_status() as GetMmpStatus -> Vec<MmpStatus> {
        /// Only that of an index, such as `btc_usd`.
        index_name: String,
        /// Only that of a group. Needs an index.
        mmp_group: String,
        /// Whether that of requests for quotes is meant.
        block_rfq: bool,
    }

    /// Configures market maker protection of an index: it sets in when a limit is reached within `interval` seconds,
    /// and refuses quotes for `frozen_time` seconds. 0 seconds as interval turn it off; 0 as frozen time mean until
    /// [`reset_mmp`](Deribit::reset_mmp).
    "private/set_mmp_config" set_mmp_config(index_name: String, interval: u64, frozen_time: u64)
        as SetMmpConfig -> Vec<MmpConfig>
    {
        /// The group.
        mmp_group: String,
        /// The limit of what is traded, in the base currency.
        quantity_limit: f64,
        /// The limit of delta. Less than the quantity limit.
        delta_limit: f64,
        /// The limit of vega.
        vega_limit: f64,
        /// The most that may be quoted on one side of one book.
        max_quote_quantity: f64,
        /// Whether that of requests for quotes is meant.
        block_rfq: bool,
        /// Requests for quotes: the limit of trades.
        trade_count_limit: u64,
    }

    /// Takes quotes again after market maker protection set in. Answers `ok`.
    "private/reset_mmp" reset_mmp(index_name: String) as ResetMmp -> String {
        /// The group.
        mmp_group: String,
        /// Whether that of requests for quotes is meant.
        block_rfq: bool,
    }
}

/// Quotes for one instrument in a [mass quote](Deribit::mass_quote).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Quote {
    /// The instrument.
    pub instrument_name: String,
    /// The name of a set, by which quotes can be cancelled together.
    pub quote_set_id: String,
    /// The bid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bid: Option<QuotedSide>,
    /// The ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<QuotedSide>,
}

/// One side of a [`Quote`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct QuotedSide {
    /// The price.
    pub price: f64,
    /// How much; 0 takes the quote away.
    pub amount: f64,
}

impl Quote {
    /// No bid and no ask yet.
    pub fn new(instrument_name: impl Into<String>, quote_set_id: impl Into<String>) -> Self {
        let (instrument_name, quote_set_id) = (instrument_name.into(), quote_set_id.into());
        Self { instrument_name, quote_set_id, bid: None, ask: None }
    }

    /// With this bid.
    #[must_use]
    pub fn bid(mut self, price: f64, amount: f64) -> Self {
        self.bid = Some(QuotedSide { price, amount });
        self
    }

    /// With this ask.
    #[must_use]
    pub fn ask(mut self, price: f64, amount: f64) -> Self {
        self.ask = Some(QuotedSide { price, amount });
        self
    }

    /// The quote as it may be sent: its numbers without what arithmetic left behind.
    pub(crate) fn checked(mut self, instrument: &Instrument) -> Result<Self, ConfigError> {
        check_instrument(&self.instrument_name, instrument)?;
        if self.bid.is_none() && self.ask.is_none() {
            return Err(ConfigError::new("quotes", format!("{}: neither bid nor ask", self.instrument_name)));
        }
        for side in [&mut self.bid, &mut self.ask].into_iter().flatten() {
            side.price = check_price("price", side.price, instrument)?;
            // None takes the quote away.
            if side.amount != 0.0 {
                side.amount = check_size(side.amount.into(), instrument)?.amount(instrument);
            }
        }
        Ok(self)
    }
}

/// `private/mass_quote`: see [`Deribit::mass_quote`].
#[derive(Clone, Debug, Serialize)]
#[must_use = "a query is not made until it is awaited"]
pub struct MassQuote {
    #[serde(skip)]
    pub(crate) deribit: Deribit,
    #[serde(skip)]
    pub(crate) timeout: Option<Duration>,
    pub(crate) quote_id: String,
    pub(crate) mmp_group: String,
    pub(crate) quotes: Vec<Quote>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detailed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_for_response: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) valid_until: Option<u64>,
}

impl Deribit {
    /// Places or replaces quotes for several instruments of one index: `private/mass_quote`. At most 100 quotes; each
    /// side succeeds or fails by itself. The venue asks for an admission, for a group of market maker protection, and
    /// for cancel on disconnect (13042).
    ///
    /// `quote_id` names the message in the orders it makes; count it up. The message has a `valid_until` at the end of the
    /// call's timeout, after which the exchange refuses it.
    ///
    /// The error names what is wrong with a quote, which is checked against its instrument; an instrument that is not
    /// [known](Deribit::instruments) yet is asked for first. All else is the [`Outcome`](crate::deribit::Outcome).
    pub fn mass_quote(
        &self,
        quote_id: impl Into<String>,
        mmp_group: impl Into<String>,
        quotes: impl IntoIterator<Item = Quote>,
    ) -> MassQuote {
        MassQuote {
            deribit: self.clone(),
            timeout: None,
            quote_id: quote_id.into(),
            mmp_group: mmp_group.into(),
            quotes: quotes.into_iter().collect(),
            detailed: None,
            wait_for_response: None,
            valid_until: None,
        }
    }
}

impl MassQuote {
    /// Whether to answer with orders and errors, rather than with numbers of them.
    pub fn detailed(mut self, detailed: bool) -> Self {
        self.detailed = Some(detailed);
        self
    }

    /// Whether to answer only once the matching engine has them all. That is so by default.
    pub fn wait_for_response(mut self, wait: bool) -> Self {
        self.wait_for_response = Some(wait);
        self
    }

    /// The venue refuses it after this time, in its own milliseconds since 1970 (13888).
    pub fn valid_until(mut self, timestamp: u64) -> Self {
        self.valid_until = Some(timestamp);
        self
    }

    /// How long it may take, waiting included. Default: [`Config::call_timeout`](crate::Config::call_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl Query for MassQuote {
    const METHOD: &'static str = "private/mass_quote";
    type Answer = MassQuoteResponse;
}
