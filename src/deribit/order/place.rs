//! Placing, editing and closing, with plain typed answers.

use serde_json::json;

use super::draft::check_price;
use super::edit::Named;
use super::{AnyOrder, Edit, Side};
use crate::deribit::Deribit;
use crate::deribit::data::{OrderResponse, UserTrade};
use crate::error::Error;
use crate::protocol::Request;

/// How to close a position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Close {
    /// At whatever price there is.
    Market,
    /// At this price or better.
    Limit(f64),
}

impl Deribit {
    /// Buys: `private/buy`.
    ///
    /// # Errors
    /// [`Error::Config`] for what can be known to be wrong before it is sent: an unknown instrument, a price off its
    /// tick. Otherwise as [`Client::call`](crate::Client::call); [`Error::executed`] says whether there may be an
    /// order in spite of it.
    pub async fn buy(&self, order: impl Into<AnyOrder>) -> Result<OrderResponse, Error> {
        self.place(Side::Buy, order.into()).await
    }

    /// Sells: `private/sell`.
    ///
    /// # Errors
    /// As [`buy`](Self::buy).
    pub async fn sell(&self, order: impl Into<AnyOrder>) -> Result<OrderResponse, Error> {
        self.place(Side::Sell, order.into()).await
    }

    pub(crate) async fn place(&self, side: Side, order: AnyOrder) -> Result<OrderResponse, Error> {
        let instrument = self.instruments().require(order.instrument_name()).await?;
        self.ask(order.request(side, &instrument)?).await
    }

    /// Edits an order: `private/edit` or `private/edit_by_label`.
    ///
    /// # Errors
    /// As [`buy`](Self::buy).
    pub async fn edit<B: Named>(&self, edit: Edit<B>) -> Result<OrderResponse, Error> {
        let instrument = self.instruments().require(edit.instrument_name()).await?;
        self.ask(edit.request(&instrument)?).await
    }

    /// Closes the position in an instrument by an order that may only reduce it: `private/close_position`.
    ///
    /// # Errors
    /// As [`buy`](Self::buy).
    pub async fn close_position(&self, instrument_name: &str, how: Close) -> Result<OrderResponse, Error> {
        let instrument = self.instruments().require(instrument_name).await?;
        let params = match how {
            Close::Market => json!({ "instrument_name": instrument_name, "type": "market" }),
            Close::Limit(price) => {
                let price = check_price("price", price, &instrument)?;
                json!({ "instrument_name": instrument_name, "type": "limit", "price": price })
            }
        };
        self.ask(Request::with("private/close_position", &params)?).await
    }

    /// Makes a request whose answer is an order with its trades.
    pub(crate) async fn ask(&self, request: Request) -> Result<OrderResponse, Error> {
        let method = request.method.clone();
        Ok(self.client().request(request).await?.decode_as(&method)?)
    }
}

impl OrderResponse {
    /// How much was executed at once.
    pub fn executed(&self) -> f64 {
        self.trades.iter().map(|trade: &UserTrade| trade.amount).sum()
    }
}
