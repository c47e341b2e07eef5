//! Options by expiry and strike: [`OptionChain`].

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::stream::SelectAll;
use futures::{Stream, StreamExt};

use super::channel::Interval;
use super::data::{Instrument, Kind, OptionMarkPrice, OptionType, Ticker};
use super::{Deribit, topics};
use crate::client::Subscription;
use crate::error::{Error, Refusal};
use crate::queue::Update;

/// All options of a currency, by expiry and strike, with their mark prices, and with quotes where they are
/// [watched](Self::watch).
///
/// What a cut made stale is gone until it comes again: what is there is what the venue last sent.
///
/// ```no_run
/// # async fn f(deribit: steadysocket::deribit::Deribit) -> Result<(), steadysocket::Error> {
/// let mut chain = deribit.option_chain("BTC").await?;
/// let next = chain.expiries().next().map(|expiry| expiry.timestamp);
/// if let Some(next) = next {
///     chain.watch(next).await?;
/// }
/// while chain.next().await.is_some() {
///     for strike in chain.expiries().take(1).flat_map(|expiry| expiry.strikes()) {
///         println!("{}: {:?}", strike.strike, strike.call.as_ref().and_then(|call| call.mark_price()));
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "dropping it leaves its channels"]
pub struct OptionChain {
    deribit: Deribit,
    expiries: BTreeMap<u64, Expiry>,
    /// Expiry and strike of each option.
    places: HashMap<String, (u64, u64)>,
    sources: SelectAll<Source>,
}

/// The options that expire together.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Expiry {
    /// When, in milliseconds since 1970.
    pub timestamp: u64,
    strikes: BTreeMap<u64, Strike>,
}

/// The options of one strike.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Strike {
    /// The strike.
    pub strike: f64,
    /// The right to buy.
    pub call: Option<ChainOption>,
    /// The right to sell.
    pub put: Option<ChainOption>,
}

/// One option of a chain.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChainOption {
    /// The option.
    pub instrument: Arc<Instrument>,
    /// What the venue last said about its mark price.
    pub mark: Option<OptionMarkPrice>,
    /// What the venue last said about it, where it is watched.
    pub ticker: Option<Ticker>,
}

/// What changed in a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChainUpdate {
    /// Mark prices of this many options.
    Marks(usize),
    /// The ticker of this option.
    Ticker(String),
    /// Mark prices or a ticker are stale, and gone.
    Stale,
    /// A channel is back.
    Resumed,
}

impl Expiry {
    /// The strikes, the lowest first.
    pub fn strikes(&self) -> impl Iterator<Item = &Strike> {
        self.strikes.values()
    }

    fn options(&self) -> impl Iterator<Item = &ChainOption> {
        self.strikes.values().flat_map(|strike| strike.call.iter().chain(&strike.put))
    }
}

impl ChainOption {
    /// The mark price, from whichever channel has one.
    pub fn mark_price(&self) -> Option<f64> {
        let marked = self.mark.as_ref().map(|mark| mark.mark_price);
        self.ticker.as_ref().and_then(|ticker| ticker.mark_price).or(marked)
    }
}

impl Deribit {
    /// The active options of a currency, with their mark prices: see [`OptionChain`].
    ///
    /// # Errors
    /// As [`Client::call`](crate::Client::call) and [`Client::subscribe`](crate::Client::subscribe).
    pub async fn option_chain(&self, currency: &str) -> Result<OptionChain, Error> {
        let options = self.instruments().of_kind(Kind::Option, currency).await?;
        let mut chain = OptionChain {
            deribit: self.clone(),
            expiries: BTreeMap::new(),
            places: HashMap::new(),
            sources: SelectAll::new(),
        };
        let mut indices: Vec<_> = options.iter().filter_map(|option| option.price_index.clone()).collect();
        indices.sort();
        indices.dedup();
        options.into_iter().for_each(|option| chain.add(option));
        for index in indices {
            match self.subscribe(&topics::option_mark_prices(&*index)).await {
                Ok(marks) => chain.sources.push(Source::Marks(index, marks)),
                // Of an index without such a channel tickers tell the mark prices.
                Err(Error::Refused { reason: Refusal::NotConfirmed, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(chain)
    }
}

impl OptionChain {
    /// The expiries, the next one first.
    pub fn expiries(&self) -> impl Iterator<Item = &Expiry> {
        self.expiries.values()
    }

    /// The options that expire at this time.
    pub fn expiry(&self, timestamp: u64) -> Option<&Expiry> {
        self.expiries.get(&timestamp)
    }

    /// An option by its name.
    pub fn option(&self, name: &str) -> Option<&ChainOption> {
        let (expiry, strike) = self.places.get(name)?;
        let strike = self.expiries.get(expiry)?.strikes.get(strike)?;
        strike.call.iter().chain(&strike.put).find(|option| option.instrument.instrument_name == name)
    }

    /// Subscribes to the tickers of all options that expire at this time: their quotes, volatilities and greeks.
    ///
    /// # Errors
    /// As [`Client::subscribe`](crate::Client::subscribe).
    pub async fn watch(&mut self, expiry: u64) -> Result<(), Error> {
        let names: Vec<_> = self.expiries.get(&expiry).into_iter().flat_map(Expiry::options).collect();
        let names = names.into_iter().map(|option| option.instrument.instrument_name.clone());
        let topics: Vec<_> = names.map(|name| topics::ticker(name, Interval::Ms100)).collect();
        // All at once: the session puts them into few requests.
        let subscribed = topics.iter().map(|topic| self.deribit.subscribe(topic));
        for ticker in futures::future::try_join_all(subscribed).await? {
            let name = ticker.channel().split('.').nth(1).unwrap_or_default().to_owned();
            self.sources.push(Source::Ticker(name, ticker));
        }
        Ok(())
    }

    /// Leaves the tickers of all options that expire at this time.
    pub fn unwatch(&mut self, expiry: u64) {
        let places = &self.places;
        let stays = |source: &Source| match source {
            Source::Marks(..) => true,
            Source::Ticker(name, _) => places.get(name).is_none_or(|(of, _)| *of != expiry),
        };
        self.sources = std::mem::take(&mut self.sources).into_iter().filter(stays).collect();
        let strikes =
            self.expiries.get_mut(&expiry).into_iter().flat_map(|expiry| expiry.strikes.values_mut());
        strikes.flat_map(Strike::options_mut).for_each(|option| option.ticker = None);
    }

    /// What changes next; `None` once the client has ended, or when nothing is subscribed to.
    pub async fn next(&mut self) -> Option<ChainUpdate> {
        let Some((source, news)) = self.sources.next().await else {
            let options = self.expiries.values_mut().flat_map(|expiry| expiry.strikes.values_mut());
            options
                .flat_map(Strike::options_mut)
                .for_each(|option| (option.mark, option.ticker) = (None, None));
            return None;
        };
        Some(match news {
            News::Marks(marks) => {
                let changed = marks.len();
                for mark in marks {
                    if let Some(option) = self.option_mut(&mark.instrument_name) {
                        option.mark = Some(mark);
                    }
                }
                ChainUpdate::Marks(changed)
            }
            News::Ticker(ticker) => {
                if let Some(option) = self.option_mut(&source) {
                    option.ticker = Some(*ticker);
                }
                ChainUpdate::Ticker(source)
            }
            News::MarksLost => {
                let options = self.expiries.values_mut().flat_map(|expiry| expiry.strikes.values_mut());
                let options = options.flat_map(Strike::options_mut);
                let of_index =
                    options.filter(|option| option.instrument.price_index.as_ref() == Some(&source));
                of_index.for_each(|option| option.mark = None);
                ChainUpdate::Stale
            }
            News::TickerLost => {
                if let Some(option) = self.option_mut(&source) {
                    option.ticker = None;
                }
                ChainUpdate::Stale
            }
            News::Resumed => ChainUpdate::Resumed,
        })
    }

    fn add(&mut self, option: Arc<Instrument>) {
        let (Some(timestamp), Some(strike)) = (option.expiration_timestamp, option.strike) else { return };
        // Of positive numbers the bits are in the numbers' order.
        let place = strike.max(0.0).to_bits();
        let expiry = self.expiries.entry(timestamp);
        let expiry = expiry.or_insert_with(|| Expiry { timestamp, strikes: BTreeMap::new() });
        let strike = expiry.strikes.entry(place).or_insert(Strike { strike, call: None, put: None });
        let slot = match option.option_type {
            Some(OptionType::Call) => &mut strike.call,
            Some(OptionType::Put) => &mut strike.put,
            Some(OptionType::Unknown(_)) | None => return,
        };
        self.places.insert(option.instrument_name.clone(), (timestamp, place));
        *slot = Some(ChainOption { instrument: option, mark: None, ticker: None });
    }

    fn option_mut(&mut self, name: &str) -> Option<&mut ChainOption> {
        let (expiry, strike) = self.places.get(name)?;
        let strike = self.expiries.get_mut(expiry)?.strikes.get_mut(strike)?;
        strike.options_mut().find(|option| option.instrument.instrument_name == name)
    }
}

impl Strike {
    fn options_mut(&mut self) -> impl Iterator<Item = &mut ChainOption> {
        self.call.iter_mut().chain(&mut self.put)
    }
}

/// A channel that a chain listens to, with the index or the option it is about.
#[derive(Debug)]
enum Source {
    Marks(String, Subscription<Vec<OptionMarkPrice>>),
    Ticker(String, Subscription<Ticker>),
}

/// What a channel says.
#[derive(Debug, PartialEq)]
enum News {
    Marks(Vec<OptionMarkPrice>),
    Ticker(Box<Ticker>),
    MarksLost,
    TickerLost,
    Resumed,
}

impl Stream for Source {
    type Item = (String, News);

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.get_mut() {
            Self::Marks(index, marks) => Pin::new(marks).poll_next(cx).map(|update| {
                update.map(|update| (index.clone(), news(update, News::Marks, News::MarksLost)))
            }),
            Self::Ticker(name, ticker) => Pin::new(ticker).poll_next(cx).map(|update| {
                let data = |ticker| News::Ticker(Box::new(ticker));
                update.map(|update| (name.clone(), news(update, data, News::TickerLost)))
            }),
        }
    }
}

/// Every message has all of what it is about, so a lost one is made up for by the next.
fn news<T>(update: Update<T>, data: impl FnOnce(T) -> News, lost: News) -> News {
    match update {
        Update::Data(update) => data(update),
        Update::Resumed => News::Resumed,
        Update::Lagged(_)
        | Update::Interrupted(_)
        | Update::Renewing
        | Update::Refused(_)
        | Update::Overflowed
        | Update::Invalid(_) => lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_not_shown() {
        let marks = |update: Update<Vec<OptionMarkPrice>>| news(update, News::Marks, News::MarksLost);
        assert_eq!(marks(Update::Data(vec![])), News::Marks(vec![]));
        assert_eq!(marks(Update::Resumed), News::Resumed);
        for lost in [Update::Lagged(1), Update::Renewing, Update::Overflowed] {
            assert_eq!(marks(lost), News::MarksLost);
        }
    }
}
