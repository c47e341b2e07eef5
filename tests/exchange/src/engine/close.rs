//! `private/close_position`.

use serde_json::{Map, Value};

use super::kinds::{Kind, TimeInForce};
use super::matching::Origin;
use super::order::Ticket;
use super::{Caller, Engine, reject, request};
use crate::api::error::ApiError;
use crate::api::params;
use crate::market::book::Side;

impl Engine {
    /// An order that ends a position.
    pub(crate) fn close_position(
        &mut self,
        caller: &Caller,
        params: &Map<String, Value>,
    ) -> Result<Value, ApiError> {
        let (position, quoted) = request::instrument(&self.market, params)?;
        params::string(params, "type")?;
        let kind = match params::one_of(params, "type", &["limit", "market"])? {
            Some("market") => Kind::Market,
            _ => Kind::Limit,
        };
        let price = match kind {
            Kind::Limit => Some(request::ticks(&quoted.terms, params::number(params, "price")?)?),
            _ => None,
        };
        let held = self.trader(caller.account).and_then(|trader| trader.positions.get(&position));
        let steps = held.map_or(0, |held| held.steps);
        if steps == 0 {
            return Err(reject::ALREADY_CLOSED);
        }
        let ticket = Ticket {
            instrument: position,
            side: if steps > 0 { Side::Ask } else { Side::Bid },
            kind,
            price,
            amount: steps.abs(),
            label: String::new(),
            time_in_force: TimeInForce::GoodTilCancelled,
            post_only: false,
            reject_post_only: false,
            reduce_only: true,
            mmp: false,
            display: None,
            trigger: None,
            advanced: None,
        };
        let id = self.enter(caller, ticket, Origin::default())?;
        self.finish(caller.now_ms);
        Ok(self.report(id))
    }
}
