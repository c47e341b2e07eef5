//! The state of the platform and of the account on it.

use serde_json::Value;

use super::object::object;
use super::words::Locked;

object! {
    #[derive(Default)]
    /// A message of `platform_state`: either about one index, or about maintenance.
    PlatformState {
        /// The index that is locked or unlocked.
        price_index: Option<String>,
        /// Whether trading on that index is locked.
        locked: Option<Locked>,
        /// Whether maintenance began.
        maintenance: Option<bool>,
        /// Not documented, and only seen empty.
        reasons: Vec<Value>,
    }
}

object! {
    /// A message of `platform_state.public_methods_state`.
    PublicMethodsState {
        /// Whether one may ask without a login; else such calls end with 11056.
        allow_unauthenticated_public_requests: bool,
    }
}

object! {
    /// What the platform says about itself on request.
    PlatformStatus {
        /// Whether trading is locked.
        locked: Locked,
        /// The indices on which it is.
        locked_indices: Vec<String>,
        /// The same by currency, in older versions.
        locked_currencies: Vec<String>,
    }
}

object! {
    #[derive(Default)]
    /// An announcement.
    Announcement {
        /// Its number.
        id: Option<String>,
        /// Its title.
        title: Option<String>,
        /// Its text, as HTML.
        body: Option<String>,
        /// When it was made.
        publication_timestamp: Option<u64>,
        /// Whether it is important.
        important: bool,
        /// Whether it has to be confirmed.
        confirmation: bool,
        /// What happened to it, in messages of `announcements`.
        action: Option<String>,
    }
}

object! {
    /// Something that was done in the account: a message of `user.access_log`.
    AccessLogEntry {
        /// Its number.
        id: Option<u64>,
        /// When.
        timestamp: u64,
        /// What was done, such as `success`.
        log: Option<String>,
        /// The same by another name.
        result: Option<String>,
        /// From where.
        ip: Option<String>,
        /// The country of that, estimated.
        country: Option<String>,
        /// The city of that, estimated.
        city: Option<String>,
        /// More, which depends on what was done.
        data: Option<Value>,
    }
}

object! {
    /// A page of the access log.
    AccessLog {
        /// How many entries there are in all.
        records_total: Option<u64>,
        /// The page.
        data: Vec<AccessLogEntry>,
    }
}

object! {
    /// A message of `user.lock`, and what is answered on request: whether the account is locked in a currency.
    UserLock {
        /// The currency, or `ALL`.
        currency: String,
        /// Whether it is locked.
        locked: Option<bool>,
        /// The same by another name.
        enabled: Option<bool>,
        /// Why.
        message: Option<String>,
    }
}

object! {
    /// Market maker protection that set in: a message of `user.mmp_trigger.*`, and what is answered on request. The
    /// form of the message is not documented.
    MmpStatus {
        /// The index.
        index_name: Option<String>,
        /// Until when quotes are refused; 0 until it is reset.
        frozen_until: Option<u64>,
        /// The group.
        mmp_group: Option<String>,
        /// Whether it is the protection of requests for quotes.
        block_rfq: bool,
    }
}

object! {
    /// The configuration of market maker protection.
    MmpConfig {
        /// The index.
        index_name: String,
        /// The group.
        mmp_group: Option<String>,
        /// The time over which is counted, in seconds; 0 when it is off.
        interval: u64,
        /// For how long quotes are refused, in seconds; 0 until it is reset.
        frozen_time: u64,
        /// The limit of what is traded, in the base currency.
        quantity_limit: Option<f64>,
        /// The limit of delta.
        delta_limit: Option<f64>,
        /// The limit of vega.
        vega_limit: Option<f64>,
        /// The most that may be quoted on one side of one book.
        max_quote_quantity: Option<f64>,
        /// Whether it is the protection of requests for quotes.
        block_rfq: bool,
        /// Requests for quotes: the limit of trades.
        trade_count_limit: Option<u64>,
    }
}
