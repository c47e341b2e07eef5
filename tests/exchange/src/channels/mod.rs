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
pub(crate) use self::name::is_public_raw;
use crate::connection::outbox::{Handle, Item};
use crate::market::Market;
use crate::rpc::envelope;

/// About 2.6 frames a second.
const CHATTER_BEATS: u64 = 15;

#[derive(Debug)]
struct Open {
    feed: Feed,
    readers: Vec<Handle>,
}

/// The market and its readers.
#[derive(Debug)]
pub(crate) struct Floor {
    pub(crate) market: Market,
    /// While true the market stands still; channels still publish what they have not said yet.
    pub(crate) frozen: bool,
    open: BTreeMap<String, Open>,
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
    pub(crate) fn join(&mut self, name: &str, reader: &Handle, now_ms: i64) {
        let Some(channel) = Channel::parse(name, &self.market) else { return };
        let market = &self.market;
        let open = self
            .open
            .entry(name.to_owned())
            .or_insert_with(|| Open { feed: Feed::open(channel, market), readers: Vec::new() });
        if let Some(data) = open.feed.greeting(market, now_ms) {
            reader.send(update(name, &data, &mut self.rng));
        }
        open.readers.push(reader.clone());
    }

    /// Removes a reader. A channel that nobody reads forgets what it published.
    pub(crate) fn leave(&mut self, name: &str, number: u64) {
        if let Some(open) = self.open.get_mut(name) {
            open.readers.retain(|reader| reader.number() != number);
            if open.readers.is_empty() {
                self.open.remove(name);
            }
        }
    }

    /// One beat: the market steps, then every channel publishes what is due.
    pub(crate) fn beat(&mut self, now_ms: i64) {
        if !self.frozen {
            self.market.step(now_ms);
        }
        self.beat += 1;
        for (name, open) in &mut self.open {
            if let Some(data) = open.feed.next(&self.market, now_ms, self.beat) {
                send_to_all(&open.readers, &update(name, &data, &mut self.rng));
            }
        }
        if self.beat.is_multiple_of(CHATTER_BEATS) {
            self.chatter();
        }
    }

    /// Sends one frame to the readers of a channel.
    pub(crate) fn announce(&mut self, name: &str, data: &Value) {
        if let Some(open) = self.open.get(name) {
            send_to_all(&open.readers, &update(name, data, &mut self.rng));
        }
    }

    /// A frame of a channel as it would greet a new reader, for ticks that come too late.
    pub(crate) fn stray(&mut self, name: &str, now_ms: i64) -> Option<Item> {
        let channel = Channel::parse(name, &self.market)?;
        let data = Feed::open(channel, &self.market).greeting(&self.market, now_ms)?;
        Some(update(name, &data, &mut self.rng))
    }

    /// The platform state says often that nothing is locked.
    fn chatter(&mut self) {
        let names: Vec<&str> = self.market.index_names().collect();
        if let Some(name) = self.rng.choice(names) {
            self.announce("platform_state", &json!({ "price_index": name, "locked": false, "reasons": [] }));
        }
    }
}

fn send_to_all(readers: &[Handle], item: &Item) {
    for reader in readers {
        reader.send(item.clone());
    }
}

fn update(name: &str, data: &Value, rng: &mut Rng) -> Item {
    Item::Update {
        channel: Arc::from(name),
        // Losing the first frame is another fault than losing one of the sequence.
        opens: data.get("type").is_some_and(|kind| kind == "snapshot"),
        text: envelope::update(name, data, rng).into(),
    }
}
