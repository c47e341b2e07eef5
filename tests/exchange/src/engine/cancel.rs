//! Everything that cancels.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::kinds::{CancelReason, Kind};
use super::order::{Order, OrderId};
use super::{Caller, Engine, request};
use crate::api::error::ApiError;
use crate::api::filters::{self, CURRENCIES, of_kind};
use crate::api::params;
use crate::market::instrument::Instrument;

type Params = Map<String, Value>;

const TYPES: [&str; 6] = ["all", "limit", "trigger_all", "stop", "take", "trailing_stop"];
/// How long `freeze_quotes` refuses quotes.
const FREEZE_MS: i64 = 1_000;

impl Engine {
    /// `private/cancel`: answers with the order itself.
    pub(crate) fn cancel(&mut self, caller: &Caller, params: &Params) -> Result<Value, ApiError> {
        let id = self.live_order(caller, params::string(params, "order_id")?)?;
        self.close(id, Some(CancelReason::User), caller.now_ms);
        self.finish(caller.now_ms);
        Ok(self.orders.get(id).map_or(Value::Null, |order| self.describe(order)))
    }

    /// `private/cancel_all`.
    pub(crate) fn cancel_all(&mut self, caller: &Caller, params: &Params) -> Result<Value, ApiError> {
        self.cancel_where(caller, params, |_, _| true)
    }

    /// `private/cancel_all_by_instrument`.
    pub(crate) fn cancel_by_instrument(
        &mut self,
        caller: &Caller,
        params: &Params,
    ) -> Result<Value, ApiError> {
        let (position, _) = request::instrument(&self.market, params)?;
        let of_type = of_type(params)?;
        self.cancel_where(caller, params, |order, _| order.ticket.instrument == position && of_type(order))
    }

    /// `private/cancel_all_by_currency`.
    pub(crate) fn cancel_by_currency(&mut self, caller: &Caller, params: &Params) -> Result<Value, ApiError> {
        let currency = filters::currency(params)?.to_owned();
        let (of_kind, of_type) = (of_kind(params)?, of_type(params)?);
        self.cancel_where(caller, params, |order, terms| {
            terms.pool == currency && of_kind(terms) && of_type(order)
        })
    }

    /// `private/cancel_all_by_currency_pair`.
    pub(crate) fn cancel_by_pair(&mut self, caller: &Caller, params: &Params) -> Result<Value, ApiError> {
        let pair = params::string(params, "currency_pair")?.to_owned();
        let (of_kind, of_type) = (of_kind(params)?, of_type(params)?);
        self.cancel_where(caller, params, |order, terms| {
            terms.index == pair && of_kind(terms) && of_type(order)
        })
    }

    /// `private/cancel_all_by_kind_or_type`.
    pub(crate) fn cancel_by_kind(&mut self, caller: &Caller, params: &Params) -> Result<Value, ApiError> {
        let currencies = match params.get("currency") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(_)) => {
                params::strings(params, "currency")?.into_iter().map(str::to_owned).collect()
            }
            Some(_) => return Err(ApiError::invalid_param("currency", "must be a string or a list")),
            None => return Err(params::missing("currency")),
        };
        let known = |currency: &String| currency == "any" || CURRENCIES.contains(&currency.as_str());
        if !currencies.iter().all(known) {
            return Err(ApiError::invalid_param("currency", "unsupported value"));
        }
        let (of_kind, of_type) = (of_kind(params)?, of_type(params)?);
        self.cancel_where(caller, params, |order, terms| {
            let wanted = currencies.iter().any(|currency| currency == "any" || currency == terms.pool);
            wanted && of_kind(terms) && of_type(order)
        })
    }

    /// `private/cancel_by_label`.
    pub(crate) fn cancel_by_label(&mut self, caller: &Caller, params: &Params) -> Result<Value, ApiError> {
        let label = params::string(params, "label")?.to_owned();
        let currency = params::one_of(params, "currency", &CURRENCIES)?.map(str::to_owned);
        self.cancel_where(caller, params, |order, terms| {
            order.ticket.label == label && currency.as_ref().is_none_or(|currency| currency == terms.pool)
        })
    }

    /// Cancels what fits. Answers with how many those were, or with all of them.
    pub(super) fn cancel_where(
        &mut self,
        caller: &Caller,
        params: &Params,
        fits: impl Fn(&Order, &Instrument) -> bool,
    ) -> Result<Value, ApiError> {
        let detailed = params::optional_bool(params, "detailed")?.unwrap_or(false);
        if params::optional_bool(params, "freeze_quotes")?.unwrap_or(false)
            && let Some(trader) = self.traders.get_mut(&caller.account)
        {
            trader.quotes_frozen_until = caller.now_ms + FREEZE_MS;
        }
        let live = self.orders.live(caller.account);
        let fitting = live.filter(|order| {
            self.market.at(order.ticket.instrument).is_some_and(|quoted| fits(order, &quoted.terms))
        });
        let ids: Vec<OrderId> = fitting.map(|order| order.id).collect();
        for id in &ids {
            self.close(*id, Some(CancelReason::User), caller.now_ms);
        }
        self.finish(caller.now_ms);
        Ok(if detailed { self.execution_reports(&ids) } else { json!(ids.len()) })
    }

    /// The cancelled orders, by currency, type and instrument.
    fn execution_reports(&self, ids: &[OrderId]) -> Value {
        let mut groups = BTreeMap::<(&str, &str, &str), Vec<Value>>::new();
        for order in ids.iter().filter_map(|id| self.orders.get(*id)) {
            let Some(quoted) = self.market.at(order.ticket.instrument) else { continue };
            let kind = if order.ticket.kind.is_trigger() { "trigger" } else { "limit" };
            let group = (quoted.terms.pool, kind, quoted.terms.name.as_str());
            groups.entry(group).or_default().push(self.describe(order));
        }
        let report = |((currency, kind, instrument), orders)| json!({ "currency": currency, "type": kind, "instrument_name": instrument, "result": orders });
        groups.into_iter().map(report).collect()
    }
}

/// The `type` filter of the methods that cancel.
fn of_type(params: &Params) -> Result<impl Fn(&Order) -> bool + use<>, ApiError> {
    let word = params::one_of(params, "type", &TYPES)?.unwrap_or("all").to_owned();
    Ok(move |order: &Order| {
        let kind = order.ticket.kind;
        match word.as_str() {
            "limit" => !kind.is_trigger(),
            "trigger_all" => kind.is_trigger(),
            "stop" => kind.is_stop(),
            "take" => kind.is_take(),
            "trailing_stop" => kind == Kind::TrailingStop,
            _ => true,
        }
    })
}
