//! The trading floor: the market and everyone who listens to it, behind one lock, so that a snapshot and the
//! changes that follow it always fit.

mod feed;
mod name;

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Value, json};

use self::feed::Feed;
use self::name::Channel;
pub(crate) use self::name::{area, is_private, is_public_raw};
use crate::accounts::AccountId;
use crate::connection::outbox::{Handle, Item};
use crate::market::Market;
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
    pub(crate) market: Market,
    /// While true the market stands still; channels still publish what they have not said yet.
    pub(crate) frozen: bool,
    open: BTreeMap<Key, Open>,
    beat: u64,
    rng: Rng,
}

impl Floor {
    pub(crate) fn new(market: Market, rng: Rng) -> Self {
        Self { market, frozen: false, open: BTreeMap::new(), beat: 0, rng }
    }

    /// Whether a channel of this name exists.
    pub(crate) fn exists(&self, name: &str) -> bool {
        Channel::parse(name, &self.market).is_some()
    }

    /// Adds a reader, which gets what the channel greets with.
    pub(crate) fn join(&mut self, ticket: Ticket, handle: &Handle, now_ms: i64) {
        let Ticket { name, owner, label } = ticket;
        let Some(channel) = Channel::parse(&name, &self.market) else { return };
        let market = &self.market;
        let open = self
            .open
            .entry((name.clone(), owner))
            .or_insert_with(|| Open { feed: Feed::open(channel, market), readers: Vec::new() });
        let reader = Reader { handle: handle.clone(), label };
        if let Some(data) = open.feed.greeting(market, now_ms) {
            reader.handle.send(update(&name, &data, reader.label.as_deref(), &mut self.rng));
        }
        open.readers.push(reader);
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
            self.market.step(now_ms);
        }
        self.beat += 1;
        for ((name, _), open) in &mut self.open {
            if let Some(data) = open.feed.next(&self.market, now_ms, self.beat) {
                send_to_all(&open.readers, name, &data, &mut self.rng);
            }
        }
        if self.beat.is_multiple_of(CHATTER_BEATS) {
            self.chatter();
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
        let channel = Channel::parse(name, &self.market)?;
        let data = Feed::open(channel, &self.market).greeting(&self.market, now_ms)?;
        Some(update(name, &data, None, &mut self.rng))
    }

    /// The platform state says often that nothing is locked.
    fn chatter(&mut self) {
        let names: Vec<&str> = self.market.index_names().collect();
        if let Some(name) = self.rng.choice(names) {
            self.announce("platform_state", &json!({ "price_index": name, "locked": false, "reasons": [] }));
        }
    }
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
