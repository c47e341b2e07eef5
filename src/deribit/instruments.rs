//! What is known about instruments: [`Instruments`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;

use super::data::{Instrument, InstrumentStateChange, Kind};
use super::query::Query;
use super::{Code, Deribit, query, topics};
use crate::client::{Client, Subscription};
use crate::config::{Overflow, Queue};
use crate::error::{ConfigError, Error, Refusal};
use crate::protocol::Request;
use crate::queue::Update;

mod rounding;
#[cfg(test)]
mod tests;

pub use rounding::Rounding;

/// The instruments of the venue, as far as they were asked for: each is fetched once, and again after the venue said
/// that it changed, or after a cut during which that may have been missed. Clones share what is known.
///
/// It does nothing by itself: news (`instrument.state.any.any`) waits in a bounded queue and is read when something
/// is looked up.
///
/// ```no_run
/// # async fn f(deribit: steadysocket::deribit::Deribit) -> Result<(), steadysocket::Error> {
/// use steadysocket::deribit::Rounding;
/// let instruments = deribit.instruments();
/// if let Some(perpetual) = instruments.find("BTC-PERPETUAL").await? {
///     println!("{}", perpetual.round_price(60_000.3, Rounding::Down));
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Instruments(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    client: Client,
    known: Mutex<Known>,
    /// Held while something is fetched, so that several who need the same ask once.
    fetching: futures::lock::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    by_name: HashMap<String, Arc<Instrument>>,
    /// Whether that is all there are.
    complete: bool,
    news: News,
}

/// Where changes are heard of.
#[derive(Debug, Default)]
enum News {
    #[default]
    NotAskedFor,
    From(Subscription<InstrumentStateChange>),
    /// This server has no such channel: what is known stays.
    Unavailable,
}

impl Known {
    /// Takes in what has been said since the last time.
    fn catch_up(&mut self) {
        let News::From(news) = &mut self.news else { return };
        let mut heard = Vec::new();
        let mut ended = false;
        while let Some(update) = news.next().now_or_never() {
            match update {
                Some(update) => heard.push(update),
                None => {
                    ended = true;
                    break;
                }
            }
        }
        if ended {
            self.news = News::NotAskedFor;
        }
        for update in heard {
            self.hear(update);
        }
    }

    fn hear(&mut self, update: Update<InstrumentStateChange>) {
        match update {
            Update::Data(change) => {
                // What it is now is asked for when somebody needs it.
                self.by_name.remove(&change.instrument_name);
                self.complete = false;
            }
            // Until there is a connection again nobody can be asked, and terms do not change with every cut.
            Update::Interrupted(_) => {}
            // Something may have been missed.
            _ => {
                self.by_name.clear();
                self.complete = false;
            }
        }
    }

    fn insert(&mut self, instrument: Instrument) -> Arc<Instrument> {
        let instrument = Arc::new(instrument);
        self.by_name.insert(instrument.instrument_name.clone(), instrument.clone());
        instrument
    }

    /// Keeps a list, and whether it is all there is.
    fn insert_all(&mut self, list: Vec<Instrument>, complete: bool) -> Vec<Arc<Instrument>> {
        self.complete |= complete;
        list.into_iter().map(|instrument| self.insert(instrument)).collect()
    }
}

impl Instruments {
    pub(super) fn new(client: Client) -> Self {
        let (known, fetching) = (Mutex::default(), futures::lock::Mutex::new(()));
        Self(Arc::new(Shared { client, known, fetching }))
    }

    /// The instrument of this name, when it is known already. Never waits.
    pub fn get(&self, name: &str) -> Option<Arc<Instrument>> {
        let mut known = self.known();
        known.catch_up();
        known.by_name.get(name).cloned()
    }

    /// The instrument of this name, fetched when it is not known. `None` when the venue has none.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn find(&self, name: &str) -> Result<Option<Arc<Instrument>>, Error> {
        if let Some(known) = self.get(name) {
            return Ok(Some(known));
        }
        let _one = self.0.fetching.lock().await;
        if let Some(known) = self.get(name) {
            return Ok(Some(known));
        }
        let params = serde_json::json!({ "instrument_name": name });
        let (fetched, ()) = futures::join!(self.ask::<query::GetInstrument>(&params), self.watch());
        match fetched {
            Ok(instrument) => Ok(Some(self.known().insert(instrument))),
            Err(error) if is_unknown(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// As [`find`](Self::find), with an error on field `instrument_name` for one that the venue does not have.
    ///
    /// # Errors
    /// That, and as [`Client::call`].
    pub async fn require(&self, name: &str) -> Result<Arc<Instrument>, Error> {
        let unknown = || ConfigError::new("instrument_name", format!("the venue has no {name}"));
        Ok(self.find(name).await?.ok_or_else(unknown)?)
    }

    /// All active instruments, sorted by name. They are fetched at once where they are not known.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn all(&self) -> Result<Vec<Arc<Instrument>>, Error> {
        let _one = self.0.fetching.lock().await;
        let mut all = self.complete();
        if all.is_empty() {
            let params = serde_json::json!({ "currency": "any" });
            let (fetched, ()) = futures::join!(self.ask::<query::GetInstruments>(&params), self.watch());
            all = self.known().insert_all(fetched?, true);
        }
        all.sort_by(|one, other| one.instrument_name.cmp(&other.instrument_name));
        Ok(all)
    }

    /// The active instruments of a kind and a currency, fetched anew, and known from now on.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn of_kind(&self, kind: Kind, currency: &str) -> Result<Vec<Arc<Instrument>>, Error> {
        let _one = self.0.fetching.lock().await;
        let params = serde_json::json!({ "currency": currency, "kind": kind });
        let (fetched, ()) = futures::join!(self.ask::<query::GetInstruments>(&params), self.watch());
        Ok(self.known().insert_all(fetched?, false))
    }

    /// Everything, when that is known.
    fn complete(&self) -> Vec<Arc<Instrument>> {
        let mut known = self.known();
        known.catch_up();
        if known.complete { known.by_name.values().cloned().collect() } else { Vec::new() }
    }

    /// Asks to be told of changes, unless that was done.
    async fn watch(&self) {
        if !matches!(self.known().news, News::NotAskedFor) {
            return;
        }
        // A few changes are taken one by one; after many, everything is asked for again.
        let queue = Queue { capacity: 256, overflow: Overflow::DropOldest, ..Queue::default() };
        let news = match topics::instrument_state("any", "any").subscribe_with(&self.0.client, queue).await {
            Ok(subscription) => News::From(subscription),
            Err(Error::Refused { reason: Refusal::NotConfirmed | Refusal::Error(_), .. }) => {
                News::Unavailable
            }
            // The next one who needs something tries again.
            Err(_) => News::NotAskedFor,
        };
        self.known().news = news;
    }

    async fn ask<Q: Query>(&self, params: &serde_json::Value) -> Result<Q::Answer, Error> {
        let result = self.0.client.request(Request::with(Q::METHOD, params)?).await?;
        Ok(Q::decode(&result)?)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deribit {
    /// What is known about instruments, shared by all clones of this handle.
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
    }
}

/// Whether the venue says that there is no such instrument.
fn is_unknown(error: &Error) -> bool {
    matches!(
        Code::of(error),
        Some(Code::NotFound | Code::InvalidOrUnsupportedInstrument | Code::InvalidParams | Code::BadArgument)
    )
}
