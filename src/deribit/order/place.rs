//! Closing a position.

use serde_json::json;

use super::draft::check_price;
use super::kinds::{Immediate, Market};
use super::{NewOrder, Side};
use crate::deribit::Deribit;
use crate::deribit::data::{Order, OrderResponse, Position, PositionDirection, UserTrade};
use crate::error::Error;

/// How to close a position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Close {
    /// At whatever price there is.
    Market,
    /// At this price or better.
    Limit(f64),
}

impl Deribit {
    /// Closes the position in an instrument by an order that may only reduce it: `private/close_position`.
    ///
    /// That order has no label, so that after a cut nothing tells it from another; [`Error::executed`] says when that
    /// is so. [`Position::closing_order`] does the same with an order whose outcome can be known.
    ///
    /// # Errors
    /// [`Error::Config`] for what can be known to be wrong before it is sent; otherwise as
    /// [`Client::call`](crate::Client::call).
    pub async fn close_position(&self, instrument_name: &str, how: Close) -> Result<OrderResponse, Error> {
        let instrument = self.instruments().require(instrument_name).await?;
        let params = match how {
            Close::Market => json!({ "instrument_name": instrument_name, "type": "market" }),
            Close::Limit(price) => {
                let price = check_price("price", price, &instrument)?;
                json!({ "instrument_name": instrument_name, "type": "limit", "price": price })
            }
        };
        self.call("private/close_position", params).await
    }
}

impl Position {
    /// The order that closes it at whatever price there is, and its side; `None` when there is nothing to close. It may
    /// only reduce the position, so it does no harm where that has grown smaller meanwhile.
    ///
    /// ```no_run
    /// # async fn f(deribit: steadysocket::deribit::Deribit) -> Result<(), steadysocket::Error> {
    /// let position = deribit.get_position("BTC-PERPETUAL").await?;
    /// if let Some((side, order)) = position.closing_order() {
    ///     let settled = deribit.place(side, order.label("flat")).settled().await?;
    ///     println!("{settled:?}");
    /// }
    /// # Ok(()) }
    /// ```
    pub fn closing_order(&self) -> Option<(Side, NewOrder<Market, Immediate>)> {
        let side = match self.direction {
            PositionDirection::Buy => Side::Sell,
            PositionDirection::Sell => Side::Buy,
            _ => return None,
        };
        let size = self.size.abs();
        (size > 0.0).then(|| (side, Order::market(&*self.instrument_name, size).reduce_only()))
    }
}

impl OrderResponse {
    /// How much was executed at once.
    pub fn executed(&self) -> f64 {
        self.trades.iter().map(|trade: &UserTrade| trade.amount).sum()
    }
}
