//! What is subscribed to, as one stream.

use futures::future::{BoxFuture, try_join_all};
use futures::stream::{BoxStream, SelectAll, StreamExt, select_all};
use serde::Serialize;
use steadysocket::deribit::data::{GroupedBook, Level, Quote, Ticker, Trade};
use steadysocket::deribit::{Interval, Scope, Topic, topics};
use steadysocket::{Client, Error, Update};

/// Everything that comes, each with the row that it belongs to.
pub type Market = SelectAll<Updates>;
type Updates = BoxStream<'static, (usize, Update<Reading>)>;

/// What is shown of a message.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reading {
    Ticker { bid: Option<f64>, ask: Option<f64>, last: Option<f64>, change: Option<f64>, timestamp: u64 },
    Quote { bid: Option<f64>, ask: Option<f64>, timestamp: u64 },
    Book { bid: Option<f64>, ask: Option<f64>, bid_depth: f64, ask_depth: f64, timestamp: u64 },
    Trades { count: usize, last: Option<LastTrade> },
}

#[derive(Clone, Debug, Serialize)]
pub struct LastTrade {
    pub price: f64,
    pub amount: f64,
    pub direction: String,
    pub timestamp: u64,
}

/// Subscribes to the ticker of each instrument, and to the quotes, the book and the trades of the first. Returns the stream and
/// the channels' names, one a row.
pub async fn subscribe(client: &Client, instruments: &[String]) -> Result<(Market, Vec<String>), Error> {
    let interval = Interval::Ms100;
    let mut rows = Rows { client, requests: Vec::new(), channels: Vec::new() };
    for instrument in instruments {
        rows.add(topics::ticker(instrument, interval), Reading::of_ticker);
    }
    if let Some(instrument) = instruments.first() {
        rows.add(topics::quote(instrument), Reading::of_quote);
        // The best levels, whole each time: enough to look at. To trade on, every single change is needed.
        rows.add(topics::grouped_book(instrument, "none", 10, interval), Reading::of_book);
        rows.add(topics::trades(Scope::instrument(instrument), interval), Reading::of_trades);
    }
    // Asked for together, they leave in one request.
    let streams = try_join_all(rows.requests).await?;
    Ok((select_all(streams), rows.channels))
}

struct Rows<'a> {
    client: &'a Client,
    requests: Vec<BoxFuture<'a, Result<Updates, Error>>>,
    channels: Vec<String>,
}

impl Rows<'_> {
    fn add<T>(&mut self, topic: Topic<T>, read: fn(T) -> Reading)
    where
        T: serde::de::DeserializeOwned + 'static,
    {
        let (client, row) = (self.client, self.channels.len());
        self.channels.push(topic.to_string());
        self.requests.push(Box::pin(async move {
            let subscription = topic.subscribe(client).await?;
            Ok(subscription.map(move |update| (row, update.map(read))).boxed())
        }));
    }
}

impl Reading {
    fn of_ticker(ticker: Ticker) -> Self {
        Self::Ticker {
            bid: ticker.best_bid().map(|level| level.price),
            ask: ticker.best_ask().map(|level| level.price),
            last: ticker.last_price,
            change: ticker.stats.price_change,
            timestamp: ticker.timestamp,
        }
    }

    fn of_quote(quote: Quote) -> Self {
        Self::Quote {
            bid: quote.best_bid().map(|level| level.price),
            ask: quote.best_ask().map(|level| level.price),
            timestamp: quote.timestamp,
        }
    }

    fn of_book(book: GroupedBook) -> Self {
        let best = |levels: &[Level]| levels.first().map(|level| level.price);
        let depth = |levels: &[Level]| levels.iter().map(|level| level.amount).sum();
        Self::Book {
            bid: best(&book.bids),
            ask: best(&book.asks),
            bid_depth: depth(&book.bids),
            ask_depth: depth(&book.asks),
            timestamp: book.timestamp,
        }
    }

    fn of_trades(trades: Vec<Trade>) -> Self {
        let last = trades.last().map(|trade| LastTrade {
            price: trade.price,
            amount: trade.amount,
            direction: trade.direction.to_string(),
            timestamp: trade.timestamp,
        });
        Self::Trades { count: trades.len(), last }
    }
}
