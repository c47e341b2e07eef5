//! Many clients by name.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::future::join_all;

use crate::client::{Client, WeakClient};
use crate::error::Ended;

/// Clients by name. Clones are handles to the same registry.
///
/// It keeps no client alive: an entry goes when its client ends or the last handle of it is dropped. Every operation on
/// one name takes the same time however many there are.
///
/// ```
/// use steadysocket::Registry;
///
/// # fn f(client: steadysocket::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::new();
/// registry.register_with("deribit-1", &client, [("venue", "deribit"), ("desk", "options")])?;
/// for entry in registry.entries() {
///     println!("{} is {:?}", entry.name, entry.client.state());
/// }
/// drop(client);
/// assert!(registry.is_empty());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    by_name: HashMap<Arc<str>, Registered>,
    /// How many registrations there have been.
    count: u64,
}

#[derive(Debug)]
struct Registered {
    number: u64,
    client: WeakClient,
    labels: Arc<[(String, String)]>,
}

/// A registered client, as [`Registry::entries`] finds it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Its name.
    pub name: Arc<str>,
    /// The client: its [`state`](Client::state), [`stats`](Client::stats), [`endpoint`](Client::endpoint) and when it was
    /// [`created`](Client::created). It stays alive as long as this does.
    pub client: Client,
    /// What its owner says of it.
    pub labels: Arc<[(String, String)]>,
}

/// What became of a client that [`Registry::drain_all`] drained.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Drained {
    /// Its name.
    pub name: Arc<str>,
    /// Why it ended: [`Ended::Closed`], unless it ended by itself meanwhile.
    pub ended: Ended,
    /// How long that took, closing included.
    pub took: Duration,
    /// Whether it took less than it was given. Then no call was cut short.
    pub in_time: bool,
}

/// Why a client was not registered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotRegistered {
    /// Another client that lives has the name.
    #[error("a client named {} is registered already", crate::show::Quoted(.0))]
    NameTaken(String),
    /// The client has ended.
    #[error("the client has ended: {0}")]
    Ended(Ended),
}

impl Registry {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a client a name. One client may have several.
    ///
    /// # Errors
    /// [`NotRegistered`].
    pub fn register(&self, name: impl Into<Arc<str>>, client: &Client) -> Result<(), NotRegistered> {
        self.register_with(name, client, std::iter::empty::<(String, String)>())
    }

    /// As [`register`](Self::register), with labels.
    ///
    /// # Errors
    /// [`NotRegistered`].
    pub fn register_with<K: Into<String>, V: Into<String>>(
        &self,
        name: impl Into<Arc<str>>,
        client: &Client,
        labels: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), NotRegistered> {
        let name = name.into();
        let labels = labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        let number = self.lock().insert(name.clone(), client, labels)?;
        // When the client has ended meanwhile, the badge goes at once, and takes the entry along.
        let badge = Badge { entries: Arc::downgrade(&self.0), name, number };
        client.wear(Box::new(badge)).map_err(NotRegistered::Ended)
    }

    /// The client of this name.
    pub fn get(&self, name: &str) -> Option<Client> {
        self.lock().by_name.get(name)?.client.upgrade()
    }

    /// Takes a name away. The client lives on.
    pub fn remove(&self, name: &str) -> Option<Client> {
        self.lock().by_name.remove(name)?.client.upgrade()
    }

    /// All clients, in the order in which they were registered.
    pub fn entries(&self) -> Vec<Entry> {
        let mut found = self.lock().all();
        found.sort_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Drains all clients at once, each within `timeout` and its [`Config::close_timeout`](crate::Config::close_timeout)
    /// after that: see [`Client::drain`]. What became of each, in the order in which they were registered; of one with
    /// several names, under each of them. They go from the registry as they end.
    ///
    /// One that is registered meanwhile is not drained. Dropping this future stops nothing.
    ///
    /// ```no_run
    /// # async fn f(registry: steadysocket::Registry) {
    /// # use std::time::Duration;
    /// for drained in registry.drain_all(Duration::from_secs(5)).await {
    ///     if !drained.in_time {
    ///         eprintln!("{} had work under way after {:?}", drained.name, drained.took);
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn drain_all(&self, timeout: Duration) -> Vec<Drained> {
        let drain = |Entry { name, client, .. }| async move {
            let start = client.now();
            client.drain(timeout).await;
            let took = client.now().since(start);
            Drained { name, ended: client.ended().await, took, in_time: took < timeout }
        };
        join_all(self.entries().into_iter().map(drain)).await
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lock().by_name.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// No client may be dropped under this lock: the last handle of one takes its badges along, which take it, too.
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn insert(
        &mut self,
        name: Arc<str>,
        client: &Client,
        labels: Arc<[(String, String)]>,
    ) -> Result<u64, NotRegistered> {
        self.count += 1;
        let registered = Registered { number: self.count, client: client.downgrade(), labels };
        match self.by_name.entry(name) {
            Place::Occupied(place) if place.get().client.is_alive() => {
                Err(NotRegistered::NameTaken(place.key().to_string()))
            }
            Place::Occupied(mut place) => {
                place.insert(registered);
                Ok(self.count)
            }
            Place::Vacant(place) => {
                place.insert(registered);
                Ok(self.count)
            }
        }
    }

    fn all(&self) -> Vec<(u64, Entry)> {
        let entry = |(name, registered): (&Arc<str>, &Registered)| {
            let (name, labels) = (name.clone(), registered.labels.clone());
            Some((registered.number, Entry { name, client: registered.client.upgrade()?, labels }))
        };
        self.by_name.iter().filter_map(entry).collect()
    }
}

/// What a registered client wears until it ends.
#[derive(Debug)]
struct Badge {
    entries: Weak<Mutex<Entries>>,
    name: Arc<str>,
    number: u64,
}

impl Drop for Badge {
    fn drop(&mut self) {
        let Some(entries) = self.entries.upgrade() else { return };
        let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
        // The name may be another's by now.
        if entries.by_name.get(&self.name).is_some_and(|entry| entry.number == self.number) {
            entries.by_name.remove(&self.name);
        }
    }
}
