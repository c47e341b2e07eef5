//! The filters that many methods have.

use serde_json::{Map, Value};

use super::error::ApiError;
use super::params;
use crate::market::instrument::Instrument;

/// The currencies that the venue has here.
pub(crate) const CURRENCIES: [&str; 5] = ["BTC", "ETH", "USDC", "USDT", "EURR"];
const KINDS: [&str; 7] = ["future", "option", "spot", "future_combo", "option_combo", "combo", "any"];

/// A currency that must be named.
pub(crate) fn currency(params: &Map<String, Value>) -> Result<&str, ApiError> {
    params::string(params, "currency")?;
    Ok(params::one_of(params, "currency", &CURRENCIES)?.unwrap_or(""))
}

/// The `kind` filter; without one everything fits.
pub(crate) fn of_kind(params: &Map<String, Value>) -> Result<impl Fn(&Instrument) -> bool + use<>, ApiError> {
    let word = params::one_of(params, "kind", &KINDS)?.unwrap_or("any").to_owned();
    Ok(move |terms: &Instrument| word == "any" || terms.kind() == word)
}
