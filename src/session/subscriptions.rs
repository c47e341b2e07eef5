//! Which channels are wanted, asked for, and confirmed by the server, and who consumes them.
//!
//! Level-triggered: whatever happened, [`next_request`](Subscriptions::next_request) compares what is wanted with what
//! is so, and asks for the difference. What was asked for is never taken for what was confirmed.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasherDefault;
use std::time::Duration;

use super::random::Random;
use crate::error::{Disconnect, Refusal};
use crate::payload::Payload;
use crate::protocol::{Confirmation, Protocol, Request, RequestId};
use crate::time::Instant;

/// A channel's place in the table. It stays the channel's own while a request for it is under way.
pub(crate) type Key = usize;

/// Names one consumer of a channel. Drawn from the client's request ids, so no two are alike.
pub type ConsumerId = RequestId;

/// The default hasher with fixed keys: the session draws no entropy.
type Map<V> = HashMap<String, V, BuildHasherDefault<DefaultHasher>>;

#[derive(Debug)]
struct Channel {
    name: String,
    group: u8,
    /// Under which name its data comes, when that is not the channel's own.
    route: Option<String>,
    /// Desired while there is one.
    consumers: Vec<Consumer>,
    wire: Wire,
    /// The largest request it may be part of: halved when the server refuses a whole request, to find the culprit.
    share: usize,
    refusals: u32,
}

#[derive(Debug)]
struct Consumer {
    id: ConsumerId,
    /// When its first confirmation is due.
    due: Instant,
    /// It was told that data stopped, or has had none yet.
    interrupted: bool,
    /// It knows that the channel was confirmed at least once.
    confirmed: bool,
}

/// What the server thinks of the channel, as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    /// Not subscribed, to be asked for.
    Absent,
    /// Asked for.
    Requested,
    /// Listed by the server.
    Confirmed,
    /// Refused; asked for again at this time.
    Refused(Instant),
    /// Unsubscribe asked for.
    Leaving,
}

/// What consumers are to be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// The server confirmed the channel for the first time for this consumer.
    Confirmed,
    /// Data stopped, because the connection ended.
    Interrupted(Disconnect),
    /// Data flows again.
    Resumed,
    /// The server refused the channel; it stays desired.
    Refused(Refusal),
}

pub(crate) type Notes = Vec<(ConsumerId, Note)>;

/// A request to be made.
#[derive(Debug)]
pub(crate) enum Change {
    Subscribe(Vec<Key>, Request),
    Unsubscribe(Vec<Key>, Request),
}

#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    channels: BTreeMap<Key, Channel>,
    next_key: Key,
    names: Map<Key>,
    routes: Map<Key>,
    consumers: BTreeMap<ConsumerId, Key>,
    /// Consumers that wait for their first confirmation, and until when.
    waiting: BTreeSet<(Instant, ConsumerId)>,
    /// Channels whose state on the server differs from what is wanted, and that no request is under way for.
    to_subscribe: BTreeSet<(u8, Key)>,
    to_unsubscribe: BTreeSet<(u8, Key)>,
    retries: BTreeSet<(Instant, Key)>,
    /// Channels that were asked for since the connection opened and are not settled yet.
    unsettled: BTreeSet<Key>,
    /// How many channels have consumers.
    desired: usize,
    /// How many channels the server has confirmed.
    confirmed: usize,
}

impl Channel {
    /// The only way to change [`wire`](Self::wire), so that the count of confirmed channels stays true.
    fn turn(&mut self, wire: Wire, confirmed: &mut usize) {
        *confirmed -= usize::from(self.wire == Wire::Confirmed);
        *confirmed += usize::from(wire == Wire::Confirmed);
        self.wire = wire;
    }
}

/// How long a refused channel waits before it is asked for again: doubling, with jitter, between these.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

impl Subscriptions {
    /// Adds a consumer. Whether the channel is confirmed already; if not, it is due until `due`.
    pub(crate) fn join<P: Protocol>(
        &mut self,
        protocol: &P,
        id: ConsumerId,
        name: &str,
        due: Instant,
    ) -> bool {
        let key = match self.names.get(name) {
            Some(key) => *key,
            None => self.add(protocol.group(name), name),
        };
        self.consumers.insert(id, key);
        let Some(channel) = self.channels.get_mut(&key) else { return false };
        let confirmed = channel.wire == Wire::Confirmed;
        self.desired += usize::from(channel.consumers.is_empty());
        channel.consumers.push(Consumer { id, due, interrupted: false, confirmed });
        if !confirmed {
            self.waiting.insert((due, id));
        }
        self.to_unsubscribe.remove(&(channel.group, key));
        if let Wire::Refused(at) = channel.wire {
            // A new consumer is a reason to ask again now.
            channel.turn(Wire::Absent, &mut self.confirmed);
            self.retries.remove(&(at, key));
        }
        if channel.wire == Wire::Absent {
            self.to_subscribe.insert((channel.group, key));
        }
        confirmed
    }

    /// Removes a consumer. The last to leave takes the subscription along.
    pub(crate) fn leave(&mut self, id: ConsumerId) {
        let Some(key) = self.consumers.remove(&id) else { return };
        let Some(channel) = self.channels.get_mut(&key) else { return };
        if let Some(place) = channel.consumers.iter().position(|consumer| consumer.id == id) {
            let consumer = channel.consumers.remove(place);
            self.waiting.remove(&(consumer.due, id));
        }
        if !channel.consumers.is_empty() {
            return;
        }
        self.desired -= 1;
        match channel.wire {
            Wire::Confirmed => {
                self.to_unsubscribe.insert((channel.group, key));
            }
            Wire::Absent | Wire::Refused(_) => self.forget(key),
            // The answer decides what is left to do.
            Wire::Requested | Wire::Leaving => {}
        }
    }

    /// The consumers of the channel whose data comes under `route`; none when the route is not known.
    pub(crate) fn deliver(&mut self, route: &str, mut each: impl FnMut(ConsumerId, Option<Note>)) -> bool {
        let key = match self.names.get(route) {
            Some(key) => key,
            None => match self.routes.get(route) {
                Some(key) => key,
                None => return false,
            },
        };
        let Some(channel) = self.channels.get_mut(key) else { return false };
        for consumer in &mut channel.consumers {
            // Data may overtake the confirmation: the consumer hears that it flows before it hears what flows.
            let resumed = std::mem::take(&mut consumer.interrupted).then_some(Note::Resumed);
            each(consumer.id, resumed);
        }
        true
    }

    /// A connection is ready: everything desired is asked for.
    pub(crate) fn restore(&mut self) {
        self.retries.clear();
        self.to_unsubscribe.clear();
        self.to_subscribe = self.channels.iter().map(|(key, channel)| (channel.group, *key)).collect();
        self.unsettled = self.channels.keys().copied().collect();
    }

    /// Whether everything that was desired when the connection opened was confirmed or refused.
    pub(crate) fn is_restored(&self) -> bool {
        self.unsettled.is_empty()
    }

    /// The connection ended: nothing is subscribed any more, and what nobody wants is forgotten.
    pub(crate) fn interrupt(&mut self, reason: &Disconnect) -> Notes {
        let mut notes = Notes::new();
        self.routes.clear();
        self.to_subscribe.clear();
        self.to_unsubscribe.clear();
        self.retries.clear();
        let unwanted =
            self.channels.iter().filter(|(_, channel)| channel.consumers.is_empty()).map(|(key, _)| *key);
        for key in unwanted.collect::<Vec<_>>() {
            self.forget(key);
        }
        for channel in self.channels.values_mut() {
            channel.turn(Wire::Absent, &mut self.confirmed);
            channel.route = None;
            channel.share = usize::MAX;
            channel.refusals = 0;
            for consumer in channel.consumers.iter_mut().filter(|consumer| consumer.confirmed) {
                if !std::mem::replace(&mut consumer.interrupted, true) {
                    notes.push((consumer.id, Note::Interrupted(reason.clone())));
                }
            }
        }
        notes
    }

    /// The next request to make, if what the server has differs from what is wanted.
    pub(crate) fn next_request<P: Protocol>(&mut self, protocol: &P, notes: &mut Notes) -> Option<Change> {
        loop {
            if let Some((group, keys)) = self.chunk(protocol, true) {
                for key in &keys {
                    self.to_subscribe.remove(&(group, *key));
                    self.set_wire(*key, Wire::Requested);
                }
                match protocol.subscribe(group, &self.names(&keys)) {
                    Some(request) => return Some(Change::Subscribe(keys, request)),
                    None => self.confirm_unasked(&keys, notes),
                }
            } else {
                let (group, keys) = self.chunk(protocol, false)?;
                for key in &keys {
                    self.to_unsubscribe.remove(&(group, *key));
                    self.set_wire(*key, Wire::Leaving);
                }
                match protocol.unsubscribe(group, &self.routes_of(&keys)) {
                    Some(request) => return Some(Change::Unsubscribe(keys, request)),
                    None => self.left(&keys),
                }
            }
        }
    }

    /// The server answered a subscribe request.
    pub(crate) fn answered<P: Protocol>(
        &mut self,
        protocol: &P,
        keys: &[Key],
        answer: &Payload,
        (now, random): (Instant, &mut Random),
    ) -> Notes {
        let mut notes = Notes::new();
        let confirmed = protocol.confirmed(&self.names(keys), answer);
        let asked: BTreeSet<_> = keys.iter().collect();
        for Confirmation { channel, route } in confirmed {
            let Some(key) = self.names.get(&channel).copied().filter(|key| asked.contains(key)) else {
                continue;
            };
            self.confirm(key, route, &mut notes);
        }
        for key in keys {
            if self.wire(*key) == Some(Wire::Requested) {
                self.refuse(*key, &Refusal::NotConfirmed, (now, random), &mut notes);
            }
        }
        notes
    }

    /// A subscribe request was refused as a whole, or not answered. A refusal of many is narrowed down to the culprit.
    pub(crate) fn refused(
        &mut self,
        keys: &[Key],
        reason: &Refusal,
        (now, random): (Instant, &mut Random),
    ) -> Notes {
        let mut notes = Notes::new();
        let narrow = matches!(reason, Refusal::Error(_)) && keys.len() > 1;
        for key in keys {
            if !narrow {
                self.refuse(*key, reason, (now, random), &mut notes);
                continue;
            }
            let Some(channel) = self.channels.get_mut(key) else { continue };
            channel.share = keys.len() / 2;
            channel.turn(Wire::Absent, &mut self.confirmed);
            let entry = (channel.group, *key);
            if channel.consumers.is_empty() {
                self.forget(*key);
            } else {
                self.to_subscribe.insert(entry);
            }
        }
        notes
    }

    /// An unsubscribe request was answered, or will not be. Whoever joined meanwhile is subscribed anew.
    pub(crate) fn left(&mut self, keys: &[Key]) {
        for key in keys {
            let Some(channel) = self.channels.get_mut(key) else { continue };
            channel.turn(Wire::Absent, &mut self.confirmed);
            if channel.consumers.is_empty() {
                self.forget(*key);
            } else {
                self.to_subscribe.insert((channel.group, *key));
            }
        }
    }

    /// When a refused channel is to be asked for again.
    pub(crate) fn next_retry(&self) -> Option<Instant> {
        self.retries.first().map(|(at, _)| *at)
    }

    /// Moves refused channels whose time has come to those that are asked for.
    pub(crate) fn retry(&mut self, now: Instant) {
        while let Some((at, key)) = self.retries.first().copied().filter(|(at, _)| *at <= now) {
            self.retries.remove(&(at, key));
            if let Some(channel) = self.channels.get_mut(&key) {
                channel.turn(Wire::Absent, &mut self.confirmed);
                self.to_subscribe.insert((channel.group, key));
            }
        }
    }

    /// When the first confirmation of a consumer is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// Tells consumers that have waited long enough for their first confirmation.
    pub(crate) fn overdue(&mut self, now: Instant) -> Notes {
        let mut notes = Notes::new();
        while let Some(entry) = self.waiting.first().copied().filter(|(due, _)| *due <= now) {
            self.waiting.remove(&entry);
            notes.push((entry.1, Note::Refused(Refusal::TimedOut)));
        }
        notes
    }

    /// How many channels are wanted, and how many of them the server has confirmed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.desired, self.confirmed)
    }

    /// The channel that a consumer consumes.
    pub(crate) fn channel_of(&self, consumer: ConsumerId) -> Option<&str> {
        self.channels.get(self.consumers.get(&consumer)?).map(|channel| channel.name.as_str())
    }

    fn names(&self, keys: &[Key]) -> Vec<&str> {
        keys.iter().filter_map(|key| self.channels.get(key)).map(|channel| channel.name.as_str()).collect()
    }

    /// Under which names the channels' data comes.
    fn routes_of(&self, keys: &[Key]) -> Vec<&str> {
        let channels = keys.iter().filter_map(|key| self.channels.get(key));
        channels.map(|channel| channel.route.as_deref().unwrap_or(&channel.name)).collect()
    }

    fn add(&mut self, group: u8, name: &str) -> Key {
        let key = self.next_key;
        self.next_key += 1;
        self.names.insert(name.to_owned(), key);
        let channel = Channel {
            name: name.to_owned(),
            group,
            route: None,
            consumers: Vec::new(),
            wire: Wire::Absent,
            share: usize::MAX,
            refusals: 0,
        };
        self.channels.insert(key, channel);
        key
    }

    fn forget(&mut self, key: Key) {
        let Some(mut channel) = self.channels.remove(&key) else { return };
        let wire = channel.wire;
        channel.turn(Wire::Absent, &mut self.confirmed);
        self.names.remove(&channel.name);
        if let Some(route) = &channel.route {
            self.routes.remove(route);
        }
        if let Wire::Refused(at) = wire {
            self.retries.remove(&(at, key));
        }
        self.to_subscribe.remove(&(channel.group, key));
        self.to_unsubscribe.remove(&(channel.group, key));
        self.unsettled.remove(&key);
    }

    fn wire(&self, key: Key) -> Option<Wire> {
        self.channels.get(&key).map(|channel| channel.wire)
    }

    fn set_wire(&mut self, key: Key, wire: Wire) {
        if let Some(channel) = self.channels.get_mut(&key) {
            channel.turn(wire, &mut self.confirmed);
        }
    }

    /// Channels of one group that fit into one request.
    fn chunk<P: Protocol>(&self, protocol: &P, subscribe: bool) -> Option<(u8, Vec<Key>)> {
        let set = if subscribe { &self.to_subscribe } else { &self.to_unsubscribe };
        let group = set.first()?.0;
        let limits = protocol.subscribe_limits();
        let (mut keys, mut bytes, mut most) = (Vec::new(), 0, limits.channels.max(1));
        for (_, key) in set.iter().take_while(|(other, _)| *other == group) {
            let Some(channel) = self.channels.get(key) else { continue };
            // Two quotes and a comma.
            let size = channel.name.len() + 3;
            let share = if subscribe { channel.share.max(1) } else { usize::MAX };
            if !keys.is_empty() && (keys.len() >= most.min(share) || bytes + size > limits.bytes) {
                break;
            }
            most = most.min(share);
            bytes += size;
            keys.push(*key);
        }
        (!keys.is_empty()).then_some((group, keys))
    }

    fn confirm(&mut self, key: Key, route: String, notes: &mut Notes) {
        self.unsettled.remove(&key);
        let Some(channel) = self.channels.get_mut(&key) else { return };
        channel.turn(Wire::Confirmed, &mut self.confirmed);
        channel.share = usize::MAX;
        channel.refusals = 0;
        if route != channel.name {
            self.routes.insert(route.clone(), key);
            channel.route = Some(route);
        }
        for consumer in &mut channel.consumers {
            if !std::mem::replace(&mut consumer.confirmed, true) {
                self.waiting.remove(&(consumer.due, consumer.id));
                notes.push((consumer.id, Note::Confirmed));
            }
            if std::mem::take(&mut consumer.interrupted) {
                notes.push((consumer.id, Note::Resumed));
            }
        }
        if channel.consumers.is_empty() {
            self.to_unsubscribe.insert((channel.group, key));
        }
    }

    /// The server need not be told, so there is nothing to wait for.
    fn confirm_unasked(&mut self, keys: &[Key], notes: &mut Notes) {
        for key in keys {
            let Some(channel) = self.channels.get(key) else { continue };
            let route = channel.name.clone();
            self.confirm(*key, route, notes);
        }
    }

    fn refuse(
        &mut self,
        key: Key,
        reason: &Refusal,
        (now, random): (Instant, &mut Random),
        notes: &mut Notes,
    ) {
        self.unsettled.remove(&key);
        let Some(channel) = self.channels.get_mut(&key) else { return };
        if channel.consumers.is_empty() {
            self.forget(key);
            return;
        }
        let bound = RETRY.0.saturating_mul(1 << channel.refusals.min(6)).min(RETRY.1);
        let at = now + bound / 2 + random.up_to(bound / 2);
        channel.refusals += 1;
        channel.turn(Wire::Refused(at), &mut self.confirmed);
        channel.share = 1;
        self.retries.insert((at, key));
        notes.extend(channel.consumers.iter().map(|consumer| (consumer.id, Note::Refused(reason.clone()))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Message;
    use crate::jsonrpc::JsonRpc;
    use proptest::prelude::*;

    /// What a server would believe, told only by the requests that reach it.
    #[derive(Default)]
    struct Server {
        subscribed: BTreeSet<String>,
        in_flight: Vec<(bool, Vec<Key>, Vec<String>)>,
    }

    impl Server {
        fn take(&mut self, change: Change) {
            let (subscribe, keys, request) = match change {
                Change::Subscribe(keys, request) => (true, keys, request),
                Change::Unsubscribe(keys, request) => (false, keys, request),
            };
            let params: serde_json::Value = serde_json::from_str(&request.params.unwrap()).unwrap();
            let names = serde_json::from_value(params["channels"].clone()).unwrap();
            self.in_flight.push((subscribe, keys, names));
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Join(u8),
        Leave(usize),
        Ask,
        /// Answers the oldest request; the server knows the channels whose bit is set.
        Answer(u8),
        Refuse,
        Lose,
        Pass(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0u8..8).prop_map(Step::Join),
            (0usize..8).prop_map(Step::Leave),
            Just(Step::Ask),
            any::<u8>().prop_map(Step::Answer),
            Just(Step::Refuse),
            Just(Step::Lose),
            (0u64..100).prop_map(Step::Pass),
        ];
        prop::collection::vec(step, 0..120)
    }

    struct Life {
        subscriptions: Subscriptions,
        server: Server,
        consumers: Vec<(ConsumerId, u8)>,
        now: Instant,
        random: Random,
        next: u64,
    }

    impl Life {
        fn new() -> Self {
            Self {
                subscriptions: Subscriptions::default(),
                server: Server::default(),
                consumers: Vec::new(),
                now: Instant::ZERO,
                random: Random::new(1),
                next: 1,
            }
        }

        fn ask(&mut self) {
            while let Some(change) = self.subscriptions.next_request(&JsonRpc::new(), &mut Notes::new()) {
                self.server.take(change);
            }
        }

        fn answer(&mut self, knows: impl Fn(&str) -> bool) {
            if self.server.in_flight.is_empty() {
                return;
            }
            let (subscribe, keys, names) = self.server.in_flight.remove(0);
            let names: Vec<_> = names.into_iter().filter(|name| !subscribe || knows(name)).collect();
            for name in &names {
                if subscribe {
                    self.server.subscribed.insert(name.clone());
                } else {
                    self.server.subscribed.remove(name);
                }
            }
            if subscribe {
                let answer = Message::from(serde_json::to_string(&names).unwrap());
                let answer = Payload::part_of(&answer, answer.as_bytes());
                let chance = (self.now, &mut self.random);
                self.subscriptions.answered(&JsonRpc::new(), &keys, &answer, chance);
            } else {
                self.subscriptions.left(&keys);
            }
        }

        fn step(&mut self, step: Step) {
            match step {
                Step::Join(channel) => {
                    let id = RequestId(self.next);
                    self.next += 1;
                    self.subscriptions.join(&JsonRpc::new(), id, &format!("c{channel}"), self.now);
                    self.consumers.push((id, channel));
                }
                Step::Leave(index) if !self.consumers.is_empty() => {
                    let (id, _) = self.consumers.remove(index % self.consumers.len());
                    self.subscriptions.leave(id);
                }
                Step::Leave(_) => {}
                Step::Ask => self.ask(),
                Step::Answer(known) => self.answer(|name| known & (1 << (name.as_bytes()[1] - b'0')) != 0),
                Step::Refuse => {
                    let Some(place) = self.server.in_flight.iter().position(|(subscribe, ..)| *subscribe)
                    else {
                        return;
                    };
                    let (_, keys, _) = self.server.in_flight.remove(place);
                    let error = crate::error::RpcError { code: 1, message: "no".into(), data: None };
                    let chance = (self.now, &mut self.random);
                    self.subscriptions.refused(&keys, &Refusal::Error(error), chance);
                }
                Step::Lose => {
                    self.server = Server::default();
                    self.subscriptions.interrupt(&Disconnect::Requested);
                    self.subscriptions.restore();
                }
                Step::Pass(seconds) => {
                    self.now = self.now + Duration::from_secs(seconds);
                    self.subscriptions.retry(self.now);
                }
            }
        }
    }

    proptest! {
        /// Whatever happened: once the server answers everything, it has exactly what is consumed, and we know it.
        #[test]
        fn wanted_and_confirmed_converge(steps in steps()) {
            let mut life = Life::new();
            for step in steps {
                life.step(step);
                let (desired, confirmed) = life.subscriptions.counts();
                let wanted: BTreeSet<_> = life.consumers.iter().map(|(_, channel)| channel).collect();
                prop_assert_eq!(desired, wanted.len());
                prop_assert!(confirmed <= life.server.subscribed.len());
            }
            for _ in 0..20 {
                life.step(Step::Pass(100));
                life.ask();
                while !life.server.in_flight.is_empty() {
                    life.answer(|_| true);
                    life.ask();
                }
            }
            let wanted: BTreeSet<_> = life.consumers.iter().map(|(_, channel)| format!("c{channel}")).collect();
            prop_assert_eq!(&life.server.subscribed, &wanted);
            prop_assert_eq!(life.subscriptions.counts(), (wanted.len(), wanted.len()));
            prop_assert_eq!(life.subscriptions.channels.len(), wanted.len());
            prop_assert!(life.subscriptions.is_restored() && life.subscriptions.next_retry().is_none());
        }
    }
}
