//! Mass quotes, and the protection of those who make them.

use serde_json::{Map, Value, json};

use super::kinds::{CancelReason, Kind, TimeInForce};
use super::matching::{Origin, check_deadline};
use super::mmp::{Config, Exposure, Scope};
use super::news::MmpNews;
use super::order::{Links, Order, OrderId, QuoteTag, Ticket};
use super::{Caller, Engine, reject, request};
use crate::accounts::AccountId;
use crate::api::error::ApiError;
use crate::api::filters;
use crate::api::params;
use crate::market::book::Side;
use crate::market::instrument::Instrument;

type Params = Map<String, Value>;

const MOST_QUOTES: usize = 100;
const CANCEL_TYPES: [&str; 7] =
    ["delta", "quote_set_id", "instrument", "instrument_kind", "currency", "currency_pair", "all"];

/// Which quotes are meant.
type Filter = Box<dyn Fn(&Order, &Instrument) -> bool>;

/// One side of one quote.
struct Wanted {
    position: usize,
    side: Side,
    price: f64,
    amount: f64,
    tag: QuoteTag,
}

impl Engine {
    /// `private/mass_quote`: each side of each quote stands or falls alone.
    pub(crate) fn mass_quote(&mut self, caller: &Caller, params: &Params) -> Result<Value, ApiError> {
        check_deadline(caller, params)?;
        if !self.disconnects.is_on(caller.connection, caller.account) {
            return Err(reject::COD_NOT_ENABLED);
        }
        let group = params::string(params, "mmp_group")?.to_owned();
        let quote_id = params::string(params, "quote_id")?.to_owned();
        let index = self.quoting_index(caller, &group)?;
        let wanted = self.read_quotes(params, &index, &group, &quote_id)?;
        let detailed = params::optional_bool(params, "detailed")?.unwrap_or(false);
        let (mut errors, mut ids) = (Vec::new(), Vec::new());
        for one in wanted {
            let (position, side) = (one.position, one.side);
            match self.quote(caller, one) {
                Ok(changed) => ids.extend(changed),
                Err(error) => errors.push(json!({
                    "instrument_name": self.market.at(position).map(|quoted| quoted.terms.name.as_str()),
                    "side": if side == Side::Bid { "bid" } else { "ask" }, "error": error.to_value(),
                })),
            }
        }
        self.finish(caller.now_ms);
        let trades: Vec<Value> = ids.iter().flat_map(|id| self.fills_of(*id)).collect();
        let orders: Vec<Value> =
            ids.iter().filter_map(|id| self.orders.get(*id)).map(|order| self.describe(order)).collect();
        Ok(match detailed {
            true => json!({ "orders": orders, "trades": trades, "errors": errors }),
            false => json!({ "errors_count": errors.len(), "errors": errors }),
        })
    }

    /// The index that a group quotes on, when it may quote now.
    fn quoting_index(&self, caller: &Caller, group: &str) -> Result<String, ApiError> {
        let trader = self.trader(caller.account).ok_or(reject::MASS_QUOTES_DISABLED)?;
        let index = trader.mmp.index_of(group).ok_or(reject::MMP_REQUIRED)?.to_owned();
        if trader.quotes_frozen_until > caller.now_ms {
            return Err(reject::QUOTES_FROZEN);
        }
        if trader.mmp.is_triggered(&(index.clone(), Some(group.to_owned())), caller.now_ms) {
            return Err(reject::MMP_TRIGGER);
        }
        Ok(index)
    }

    fn read_quotes(
        &self,
        params: &Params,
        index: &str,
        group: &str,
        quote_id: &str,
    ) -> Result<Vec<Wanted>, ApiError> {
        let wrong = |reason| ApiError::invalid_param("quotes", reason);
        let items = match params.get("quotes") {
            Some(Value::Array(items)) => items,
            Some(_) => return Err(wrong("must be a list")),
            None => return Err(params::missing("quotes")),
        };
        if items.len() > MOST_QUOTES {
            return Err(wrong("more than 100 quotes"));
        }
        let mut wanted = Vec::new();
        for item in items {
            let quote = item.as_object().ok_or_else(|| wrong("must be a list of objects"))?;
            let (position, quoted) = request::instrument(&self.market, quote)?;
            if quoted.terms.index != index {
                return Err(wrong("one request is for one index"));
            }
            let set_id = params::string(quote, "quote_set_id")?;
            for (name, side) in [("bid", Side::Bid), ("ask", Side::Ask)] {
                let Some(one) = quote.get(name).filter(|one| !one.is_null()) else { continue };
                let one = one.as_object().ok_or_else(|| wrong("a side must be an object"))?;
                let tag = QuoteTag {
                    group: group.to_owned(),
                    quote_id: quote_id.to_owned(),
                    set_id: set_id.to_owned(),
                };
                let (price, amount) = (params::number(one, "price")?, params::number(one, "amount")?);
                wanted.push(Wanted { position, side, price, amount, tag });
            }
        }
        Ok(wanted)
    }

    /// Replaces the quote that stands there. An amount of zero only takes it away.
    fn quote(&mut self, caller: &Caller, wanted: Wanted) -> Result<Vec<OrderId>, ApiError> {
        let Wanted { position, side, price, amount, tag } = wanted;
        let live = self.orders.live(caller.account);
        let standing = live.filter(|order| {
            let same = order.quote.as_ref().is_some_and(|old| old.group == tag.group);
            same && order.ticket.instrument == position && order.ticket.side == side
        });
        let mut ids: Vec<OrderId> = standing.map(|order| order.id).collect();
        let ticket =
            if amount == 0.0 { None } else { Some(self.quote_ticket(position, side, price, amount)?) };
        if let Some(ticket) = &ticket {
            self.check_quote_size(caller.account, ticket, &tag.group)?;
        }
        for id in &ids {
            self.close(*id, Some(CancelReason::User), caller.now_ms);
        }
        if let Some(ticket) = ticket {
            // What is replaced is not told of; what replaces it is.
            ids.clear();
            let origin = Origin { links: Links::default(), quote: Some(tag), made_by: None };
            ids.push(self.enter(caller, ticket, origin)?);
        }
        Ok(ids)
    }

    fn quote_ticket(&self, position: usize, side: Side, price: f64, amount: f64) -> Result<Ticket, ApiError> {
        let quoted = self.market.at(position).ok_or_else(ApiError::instrument_not_found)?;
        let mut size = Map::new();
        size.insert("amount".into(), json!(amount));
        Ok(Ticket {
            instrument: position,
            side,
            kind: Kind::Limit,
            price: Some(request::ticks(&quoted.terms, price)?),
            amount: request::amount(&quoted.terms, &size)?.ok_or(reject::INVALID_AMOUNT)?,
            label: String::new(),
            time_in_force: TimeInForce::GoodTilCancelled,
            post_only: false,
            reject_post_only: false,
            reduce_only: false,
            mmp: true,
            display: None,
            trigger: None,
            advanced: None,
        })
    }

    /// What one side of a book may hold.
    fn check_quote_size(&self, account: AccountId, ticket: &Ticket, group: &str) -> Result<(), ApiError> {
        let (Some(quoted), Some(trader)) = (self.market.at(ticket.instrument), self.trader(account)) else {
            return Ok(());
        };
        let scope = (quoted.terms.index.to_owned(), Some(group.to_owned()));
        let most = trader.mmp.config(&scope).and_then(|config| config.max_quote);
        let coins = quoted.coins_at(ticket.amount, ticket.price.unwrap_or(0));
        if most.is_some_and(|most| coins > most) { Err(reject::other("max_quote_quantity")) } else { Ok(()) }
    }

    /// `private/cancel_quotes`.
    pub(crate) fn cancel_quotes(&mut self, caller: &Caller, params: &Params) -> Result<Value, ApiError> {
        params::string(params, "cancel_type")?;
        let word = params::one_of(params, "cancel_type", &CANCEL_TYPES)?.unwrap_or("all").to_owned();
        let text = |name: &str| params::string(params, name).map(str::to_owned);
        let fits: Filter = match word.as_str() {
            "delta" => {
                let range = params::number(params, "min_delta")?..=params::number(params, "max_delta")?;
                let deltas: Vec<f64> = self.market.instruments().iter().map(|q| q.delta()).collect();
                Box::new(move |order, _| {
                    deltas.get(order.ticket.instrument).is_some_and(|delta| range.contains(delta))
                })
            }
            "quote_set_id" => {
                let set = text("quote_set_id")?;
                Box::new(move |order, _| order.quote.as_ref().is_some_and(|tag| tag.set_id == set))
            }
            "instrument" => {
                let (position, _) = request::instrument(&self.market, params)?;
                Box::new(move |order, _| order.ticket.instrument == position)
            }
            "instrument_kind" => {
                let of_kind = filters::of_kind(params)?;
                Box::new(move |_, terms| of_kind(terms))
            }
            "currency" => {
                let currency = text("currency")?;
                Box::new(move |_, terms| terms.pool == currency)
            }
            "currency_pair" => {
                let pair = text("currency_pair")?;
                Box::new(move |_, terms| terms.index == pair)
            }
            _ => Box::new(|_, _| true),
        };
        self.cancel_where(caller, params, move |order, terms| order.quote.is_some() && fits(order, terms))
    }

    /// Orders that say `mmp` are refused while their protection is triggered.
    pub(super) fn check_mmp(&self, caller: &Caller, ticket: &Ticket) -> Result<(), ApiError> {
        if !ticket.mmp {
            return Ok(());
        }
        let (Some(quoted), Some(trader)) = (self.market.at(ticket.instrument), self.trader(caller.account))
        else {
            return Ok(());
        };
        let scope = (quoted.terms.index.to_owned(), None);
        if trader.mmp.is_triggered(&scope, caller.now_ms) { Err(reject::MMP_TRIGGER) } else { Ok(()) }
    }

    /// Counts a fill. When it was one too many, everything that the protection covers is taken away.
    pub(super) fn expose(&mut self, account: AccountId, scope: Scope, fill: Exposure) {
        let Some(trader) = self.traders.get_mut(&account) else { return };
        let Some(until) = trader.mmp.fill(&scope, fill) else { return };
        let covered = |order: &Order, terms: &Instrument| {
            let group = order.quote.as_ref().map(|tag| &tag.group);
            order.ticket.mmp && terms.index == scope.0 && group == scope.1.as_ref()
        };
        let live = self.orders.live(account);
        let hit = live.filter(|order| {
            self.market.at(order.ticket.instrument).is_some_and(|quoted| covered(order, &quoted.terms))
        });
        let ids: Vec<OrderId> = hit.map(|order| order.id).collect();
        ids.into_iter().for_each(|id| self.close(id, Some(CancelReason::Mmp), fill.ms));
        let mut object = json!({ "index_name": scope.0, "frozen_until": until });
        if let Some(group) = scope.1 {
            object["mmp_group"] = json!(group);
        }
        self.news.mmp.push(MmpNews { account, index: scope.0, object });
    }

    /// `private/set_mmp_config`: answers with what holds now.
    pub(crate) fn set_mmp(&mut self, account: AccountId, params: &Params) -> Result<Value, ApiError> {
        let scope = self.mmp_scope(params)?;
        let config = Config::read(params)?;
        let Some(trader) = self.traders.get_mut(&account) else { return Ok(json!([])) };
        trader.mmp.set(scope.clone(), config.clone())?;
        Ok(config.iter().map(|config| config.describe(&scope)).collect())
    }

    /// `private/get_mmp_config`.
    pub(crate) fn mmp_config(&self, account: AccountId, params: &Params) -> Result<Value, ApiError> {
        let (index, group) = self.mmp_filter(params)?;
        let Some(trader) = self.trader(account) else { return Ok(json!([])) };
        let fits = |(at, of): &Scope| match &index {
            None => true,
            Some(index) => at == index && *of == group,
        };
        let configs = trader.mmp.configs().filter(|(scope, _)| fits(scope));
        Ok(configs.map(|(scope, config)| config.describe(scope)).collect())
    }

    /// `private/get_mmp_status`: what is triggered.
    pub(crate) fn mmp_status(
        &self,
        account: AccountId,
        params: &Params,
        now_ms: i64,
    ) -> Result<Value, ApiError> {
        let (index, group) = self.mmp_filter(params)?;
        let Some(trader) = self.trader(account) else { return Ok(json!([])) };
        let fits = |(at, of): &Scope| {
            index.as_ref().is_none_or(|index| at == index) && (group.is_none() || *of == group)
        };
        let status = |(scope, until): (&Scope, i64)| {
            let mut object = json!({ "index_name": scope.0, "frozen_until": until });
            if let Some(group) = &scope.1 {
                object["mmp_group"] = json!(group);
            }
            object
        };
        Ok(trader.mmp.triggered(now_ms).filter(|(scope, _)| fits(scope)).map(status).collect())
    }

    /// `private/reset_mmp`.
    pub(crate) fn reset_mmp(&mut self, account: AccountId, params: &Params) -> Result<Value, ApiError> {
        let scope = self.mmp_scope(params)?;
        if let Some(trader) = self.traders.get_mut(&account) {
            trader.mmp.reset(&scope);
        }
        Ok(json!("ok"))
    }

    fn mmp_scope(&self, params: &Params) -> Result<Scope, ApiError> {
        let index = params::string(params, "index_name")?;
        self.market.index(index).ok_or_else(|| ApiError::invalid_param("index_name", "unsupported value"))?;
        Ok((index.to_owned(), params::optional_string(params, "mmp_group")?.map(str::to_owned)))
    }

    fn mmp_filter(&self, params: &Params) -> Result<(Option<String>, Option<String>), ApiError> {
        let index = params::optional_string(params, "index_name")?.filter(|index| *index != "all");
        if let Some(index) = index {
            self.market
                .index(index)
                .ok_or_else(|| ApiError::invalid_param("index_name", "unsupported value"))?;
        }
        let group = params::optional_string(params, "mmp_group")?;
        if group.is_some() && index.is_none() {
            return Err(params::missing("index_name"));
        }
        Ok((index.map(str::to_owned), group.map(str::to_owned)))
    }
}
