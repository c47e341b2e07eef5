//! The trading floor: the market and everyone who listens to it, behind one lock, so that a snapshot and the
//! changes that follow it always fit.

mod book;
mod feed;
mod name;
mod ticker;
mod user;

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Value, json};

use self::feed::Feed;
use self::name::Channel;
pub(crate) use self::name::{area, is_private, is_public_raw};
use crate::accounts::AccountId;
use crate::connection::outbox::{Handle, Item};
use crate::engine::Engine;
use crate::ledger::Recorder;
use crate::rpc::envelope;

/// About 2.6 frames a second.
const CHATTER_BEATS: u64 = 15;

/// A subscription that is granted and not joined yet.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) name: String,
    /// Whose channel it is, when it is a private one.
    pub(crate) owner: Option<AccountId>,
    /// What the client wants its private notifications to carry.
    pub(crate) label: Option<String>,
}

/// A channel by its name and, when it is private, by its owner.
type Key = (String, Option<AccountId>);

#[derive(Debug)]
struct Reader {
    handle: Handle,
    label: Option<String>,
}

#[derive(Debug)]
struct Open {
    feed: Feed,
    readers: Vec<Reader>,
}

/// The market and its readers.
#[derive(Debug)]
pub(crate) struct Floor {
    pub(crate) engine: Engine,
    pub(crate) ledger: Recorder,
    /// While true the market stands still; channels still publish what they have not said yet.
    pub(crate) frozen: bool,
    /// What was announced so far, oldest first.
    pub(crate) announcements: Vec<Value>,
    open: BTreeMap<Key, Open>,
    beat: u64,
    rng: Rng,
}

impl Floor {
    pub(crate) fn new(engine: Engine, rng: Rng) -> Self {
        Self {
            engine,
            ledger: Recorder::default(),
            frozen: false,
            announcements: Vec::new(),
            open: BTreeMap::new(),
            beat: 0,
            rng,
        }
    }

    /// Whether a channel of this name exists.
    pub(crate) fn exists(&self, name: &str) -> bool {
        Channel::parse(name, &self.engine.market).is_some()
    }

    /// Adds a reader, which gets what the channel greets with.
    pub(crate) fn join(&mut self, ticket: Ticket, handle: &Handle, now_ms: i64) {
        let Ticket { name, owner, label } = ticket;
        let key = (name, owner);
        if !self.open.contains_key(&key) {
            let channel = Channel::parse(&key.0, &self.engine.market);
            let Some(feed) =
                channel.and_then(|channel| Feed::open(channel, owner, &self.engine.market, now_ms))
            else {
                return;
            };
            self.open.insert(key.clone(), Open { feed, readers: Vec::new() });
        }
        let Some(open) = self.open.get_mut(&key) else { return };
        for data in open.feed.greeting(&self.engine, now_ms) {
            handle.send(update(&key.0, &data, label.as_deref(), &mut self.rng));
        }
        open.readers.push(Reader { handle: handle.clone(), label });
    }

    /// Removes a reader. A channel that nobody reads forgets what it published.
    pub(crate) fn leave(&mut self, name: &str, owner: Option<AccountId>, number: u64) {
        let key = (name.to_owned(), owner);
        if let Some(open) = self.open.get_mut(&key) {
            open.readers.retain(|reader| reader.handle.number() != number);
            if open.readers.is_empty() {
                self.open.remove(&key);
            }
        }
    }

    /// One beat: the market steps, then every channel publishes what is due.
    pub(crate) fn beat(&mut self, now_ms: i64) {
        if !self.frozen {
            self.engine.step(now_ms);
        }
        self.beat += 1;
        self.publish(now_ms, Some(self.beat));
        if self.beat.is_multiple_of(CHATTER_BEATS) {
            self.chatter();
        }
    }

    /// Moves the market by one step; the channels speak of it at the next beat.
    pub(crate) fn step(&mut self, now_ms: i64) {
        self.engine.step(now_ms);
        self.hear();
    }

    /// Tells the readers what happened: at a beat all that are due, in between those that wait for nothing.
    pub(crate) fn publish(&mut self, now_ms: i64, beat: Option<u64>) {
        self.hear();
        for ((name, _), open) in &mut self.open {
            for data in open.feed.next(&self.engine, now_ms, beat) {
                send_to_all(&open.readers, name, &data, &mut self.rng);
            }
        }
    }

    fn hear(&mut self) {
        let news = self.engine.take_news();
        if !news.is_empty() {
            self.open.values_mut().for_each(|open| open.feed.hear(&news, &self.engine));
        }
    }

    /// Sends one frame to the readers of a public channel.
    pub(crate) fn announce(&mut self, name: &str, data: &Value) {
        if let Some(open) = self.open.get(&(name.to_owned(), None)) {
            send_to_all(&open.readers, name, data, &mut self.rng);
        }
    }

    /// A frame of a public channel as it would greet a new reader, for ticks that come too late.
    pub(crate) fn stray(&mut self, name: &str, now_ms: i64) -> Option<Item> {
        let channel = Channel::parse(name, &self.engine.market)?;
        let feed = Feed::open(channel, None, &self.engine.market, now_ms)?;
        let data = feed.greeting(&self.engine, now_ms).into_iter().next()?;
        Some(update(name, &data, None, &mut self.rng))
    }

    /// Locks an index, or unlocks it, and says so.
    pub(crate) fn lock(&mut self, index: &str, locked: bool) {
        if self.engine.market.index(index).is_none() {
            return;
        }
        if locked {
            self.engine.locked.insert(index.to_owned())
        } else {
            self.engine.locked.remove(index)
        };
        self.announce("platform_state", &lock_state(index, locked));
    }

    /// Announces something to those who listen and those who ask later.
    pub(crate) fn announce_text(&mut self, text: &str, now_ms: i64) {
        let id = now_ms + i64::try_from(self.announcements.len()).unwrap_or(0);
        let told = json!({
            "id": id, "title": text, "body": text, "important": false, "publication_timestamp": now_ms,
        });
        let mut data = told.clone();
        data["action"] = json!("new");
        self.announce("announcements", &data);
        self.announcements.push(told);
    }

    /// Tells an account something on one of its channels.
    pub(crate) fn tell(&mut self, account: AccountId, name: &str, data: &Value) {
        if let Some(open) = self.open.get(&(name.to_owned(), Some(account))) {
            send_to_all(&open.readers, name, data, &mut self.rng);
        }
    }

    /// The platform state says often that nothing is locked.
    fn chatter(&mut self) {
        let names: Vec<&str> = self.engine.market.index_names().collect();
        if let Some(name) = self.rng.choice(names) {
            let locked = self.engine.locked.contains(name);
            self.announce("platform_state", &lock_state(name, locked));
        }
    }
}

fn lock_state(index: &str, locked: bool) -> Value {
    json!({ "price_index": index, "locked": locked, "reasons": [] })
}

/// Readers without a label share one frame.
fn send_to_all(readers: &[Reader], name: &str, data: &Value, rng: &mut Rng) {
    let mut plain: Option<Item> = None;
    for reader in readers {
        let item = match &reader.label {
            Some(label) => update(name, data, Some(label), rng),
            None => plain.get_or_insert_with(|| update(name, data, None, rng)).clone(),
        };
        reader.handle.send(item);
    }
}

fn update(name: &str, data: &Value, label: Option<&str>, rng: &mut Rng) -> Item {
    Item::Update {
        channel: Arc::from(name),
        // Losing the first frame is another fault than losing one of the sequence.
        opens: data.get("type").is_some_and(|kind| kind == "snapshot"),
        text: envelope::update(name, data, label, rng).into(),
    }
}
