//! An engine with accounts, driven by hand.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::accounts::AccountId;
use crate::accounts::account::Account;
use crate::api::error::ApiError;
use crate::engine::{Caller, Engine};
use crate::market::Market;
use crate::market::book::Side;

pub(crate) const NOW: i64 = 1_790_133_840_448;
pub(crate) const PACE: Duration = Duration::from_millis(25);
pub(crate) const PERPETUAL: &str = "BTC-PERPETUAL";

/// An engine on a seed with so many accounts: 1, 2, 3…
pub(crate) fn engine(seed: u64, accounts: u64) -> Engine {
    let account =
        |id| (AccountId(id), Account::new(id.to_string()).balance("BTC", 1e9).balance("USDC", 1e12));
    Engine::new(Market::open(seed, NOW, PACE), (1..=accounts).map(account))
}

pub(crate) fn caller(account: u64) -> Caller {
    Caller { account: AccountId(account), connection: account, request: 0, now_ms: NOW }
}

pub(crate) fn params(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// Places an order and gives its result.
pub(crate) fn place(engine: &mut Engine, account: u64, side: Side, order: Value) -> Result<Value, ApiError> {
    engine.place(&caller(account), side, &params(order))
}

/// A limit order of the perpetual, in ticks and contracts.
pub(crate) fn limit(ticks: i64, contracts: i64) -> Value {
    json!({ "instrument_name": PERPETUAL, "price": ticks as f64 / 2.0, "amount": contracts * 10 })
}
