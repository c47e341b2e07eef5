//! Which channels are wanted, asked for, and confirmed by the server, and who consumes them.
//!
//! Level-triggered: whatever happened, [`next_request`](Subscriptions::next_request) compares what is wanted with what
//! is so, and asks for the difference. What was asked for is never taken for what was confirmed.

use std::time::Duration;

mod renewal;

use self::renewal::Renewal;
use super::random::Random;
use crate::error::{Disconnect, NotSent, Refusal};
use crate::payload::Payload;
use crate::protocol::{Confirmation, Protocol, Request, RequestId};
use crate::sorted::Pairs;
use crate::table::{Key, Names, Slab, Table};
use crate::time::Instant;

/// Names one consumer of a channel. Drawn from the client's request ids, so no two are alike.
pub type ConsumerId = RequestId;

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
    /// A request for it was not answered, so the server may have subscribed it.
    unsure: bool,
    /// It was asked for since the connection opened, and neither confirmed nor refused.
    unsettled: bool,
    /// It was unsubscribed without an answer, so that data may still be on its way: what comes before the next
    /// confirmation may be of the subscription before.
    trailing: bool,
    /// Data has come since it was last asked for.
    begun: bool,
    renewal: Renewal,
}

#[derive(Debug)]
struct Consumer {
    id: ConsumerId,
    /// When its first confirmation is due.
    due: Instant,
    flow: Flow,
    /// It knows that the channel was confirmed at least once.
    confirmed: bool,
    /// It was given data, maybe ahead of the confirmation.
    fed: bool,
}

/// What a consumer was told about its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Flow {
    /// It flows.
    Flowing,
    /// It stopped, because the channel begins anew.
    Renewing,
    /// It stopped, because the connection ended, which says more.
    Interrupted,
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
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Note {
    /// The server confirmed the channel for the first time for this consumer.
    Confirmed,
    /// Data stopped, because the connection ended.
    Interrupted(Disconnect),
    /// Data stopped, because the channel is subscribed anew.
    Renewing,
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
    channels: Slab<Channel>,
    /// Channels by name.
    names: Names,
    /// Channels by the name that the server gave to their data.
    routes: Names,
    consumers: Table<Key>,
    /// Consumers that wait for their first confirmation, and until when.
    waiting: Pairs<Instant, ConsumerId>,
    /// Channels whose state on the server differs from what is wanted, and that no request is under way for, by group.
    to_subscribe: Pairs<u8, Key>,
    to_unsubscribe: Pairs<u8, Key>,
    retries: Pairs<Instant, Key>,
    /// Channels that are to begin anew. What the channel itself does not know of is over.
    renewals: Pairs<Instant, Key>,
    /// How many channels were asked for since the connection opened and are not settled yet.
    unsettled: usize,
    /// How many channels have consumers.
    desired: usize,
    /// How many of these the server has confirmed.
    confirmed: usize,
}

impl Channel {
    /// Whether it is wanted and confirmed.
    fn counts(&self) -> bool {
        self.wire == Wire::Confirmed && !self.consumers.is_empty()
    }

    /// The only way to change [`wire`](Self::wire), so that the count of confirmed channels stays true.
    fn turn(&mut self, wire: Wire, confirmed: &mut usize) {
        *confirmed -= usize::from(self.counts());
        self.wire = wire;
        self.trailing &= wire != Wire::Confirmed;
        *confirmed += usize::from(self.counts());
        if wire != Wire::Confirmed {
            // What is asked for now begins anew anyway.
            self.begun = false;
            self.renewal.clear();
        }
    }

    /// The server's name for it is no more.
    fn unroute(&mut self, key: Key, routes: &mut Names) {
        if let Some(route) = self.route.take() {
            routes.remove(&route, key);
        }
    }

    /// Its data stops; who is to be told.
    fn stop(&mut self, flow: Flow) -> impl Iterator<Item = ConsumerId> {
        let knows = |consumer: &&mut Consumer| consumer.confirmed || consumer.fed;
        self.consumers.iter_mut().filter(knows).filter(move |consumer| consumer.flow < flow).map(
            move |consumer| {
                consumer.flow = flow;
                consumer.id
            },
        )
    }

    /// It was confirmed or refused, or is not wanted any more.
    fn settle(&mut self, unsettled: &mut usize) {
        *unsettled -= usize::from(std::mem::take(&mut self.unsettled));
    }
}

impl Consumer {
    /// Its data flows; what it is to be told.
    fn resume(&mut self) -> Option<Note> {
        let before = std::mem::replace(&mut self.flow, Flow::Flowing);
        (before != Flow::Flowing).then_some(Note::Resumed)
    }
}

/// When to ask again after so many refusals. Channels that were refused together are asked for together.
fn retry_at(now: Instant, refusals: u32, draw: u64) -> Instant {
    let bound = RETRY.0.saturating_mul(1 << refusals.min(6)).min(RETRY.1);
    now + bound / 2 + Random::new(draw).up_to(bound / 2)
}

/// How long a refused channel waits before it is asked for again: doubling, with jitter, between these.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How often an unsubscribe request that is not answered is made again.
const UNSUBSCRIBES: u32 = 5;

impl Subscriptions {
    /// Adds a consumer. Whether the channel is confirmed already; if not, it is due until `due`.
    pub(crate) fn join<P: Protocol>(
        &mut self,
        protocol: &P,
        id: ConsumerId,
        name: &str,
        due: Instant,
    ) -> bool {
        let key = match self.named(name) {
            Some(key) => key,
            None => self.add(protocol.group(name), name),
        };
        self.consumers.insert(id, key);
        let Some(channel) = self.channels.get_mut(key) else { return false };
        // What everybody has left is subscribed anew, so that what the server sends first comes again.
        let leaving = self.to_unsubscribe.contains((channel.group, key));
        let confirmed = channel.wire == Wire::Confirmed && !leaving;
        let is_first = channel.consumers.is_empty();
        channel.consumers.push(Consumer { id, due, flow: Flow::Flowing, confirmed, fed: false });
        self.desired += usize::from(is_first);
        self.confirmed += usize::from(is_first && channel.counts());
        if !confirmed {
            self.waiting.insert((due, id));
        }
        if let Wire::Refused(at) = channel.wire {
            // A new consumer is a reason to ask again now.
            channel.turn(Wire::Absent, &mut self.confirmed);
            self.retries.remove((at, key));
        }
        // The answer to what is under way decides what is left to do.
        if channel.wire == Wire::Absent {
            // Asked for twice, the server would not begin anew.
            let set = if channel.unsure { &mut self.to_unsubscribe } else { &mut self.to_subscribe };
            set.insert((channel.group, key));
        }
        confirmed
    }

    /// A consumer was told of an interruption and waits for the end of it. One that has [joined](Self::join) again waits for
    /// its first confirmation besides, and had data ahead of it.
    pub(crate) fn adopt<P: Protocol>(&mut self, protocol: &P, id: ConsumerId, name: &str) {
        let confirmed = self.consumers.get(id).is_none();
        if confirmed {
            self.join(protocol, id, name, Instant::ZERO);
            self.waiting.remove((Instant::ZERO, id));
        }
        let channel = self.consumers.get(id).and_then(|key| self.channels.get_mut(*key));
        let consumers = channel.into_iter().flat_map(|channel| &mut channel.consumers);
        for consumer in consumers.filter(|consumer| consumer.id == id) {
            (consumer.confirmed, consumer.fed, consumer.flow) = (confirmed, true, Flow::Interrupted);
        }
    }

    /// Removes a consumer. The last to leave takes the subscription along.
    pub(crate) fn leave(&mut self, id: ConsumerId) {
        let Some(key) = self.consumers.remove(id) else { return };
        let Some(channel) = self.channels.get_mut(key) else { return };
        if let Some(place) = channel.consumers.iter().position(|consumer| consumer.id == id) {
            let consumer = channel.consumers.remove(place);
            self.waiting.remove((consumer.due, id));
        }
        if !channel.consumers.is_empty() {
            return;
        }
        self.desired -= 1;
        match channel.wire {
            Wire::Confirmed => {
                self.confirmed -= 1;
                self.to_unsubscribe.insert((channel.group, key));
            }
            Wire::Absent | Wire::Refused(_) => self.forget_or_leave(key),
            // The answer decides what is left to do.
            Wire::Requested | Wire::Leaving => {}
        }
    }

    /// Whether the server is to be told that a channel is left.
    pub(crate) fn is_to_leave(&self) -> bool {
        self.to_unsubscribe.first().is_some()
    }

    /// Nobody consumes anything any more. Whether there was anybody.
    pub(crate) fn leave_all(&mut self) -> bool {
        let consumers: Vec<_> = self.consumers.iter().map(|(id, _)| id).collect();
        consumers.iter().for_each(|id| self.leave(*id));
        !consumers.is_empty()
    }

    /// The consumers of the channel whose data comes under `route`; none when the route is not known.
    pub(crate) fn deliver(&mut self, route: &str, mut each: impl FnMut(ConsumerId, Option<Note>)) -> bool {
        let Some(key) = self.named(route).or_else(|| self.routed(route)) else { return false };
        let Some(channel) = self.channels.get_mut(key) else { return false };
        let begun = match channel.wire {
            Wire::Requested => !channel.trailing,
            Wire::Confirmed => true,
            Wire::Absent | Wire::Refused(_) | Wire::Leaving => false,
        };
        // What comes before the channel is asked for anew belongs to a subscription that others have left.
        let old = !begun || self.to_unsubscribe.contains((channel.group, key));
        channel.begun |= begun;
        for consumer in &mut channel.consumers {
            // A straggler of the subscription before is of no use to who waits for the next.
            if old && (!consumer.confirmed || consumer.flow == Flow::Renewing) {
                continue;
            }
            consumer.fed = true;
            // Data may overtake the confirmation: the consumer hears that it flows before it hears what flows.
            each(consumer.id, consumer.resume());
        }
        true
    }

    /// A connection is ready: everything desired is asked for.
    pub(crate) fn restore(&mut self) {
        self.retries.clear();
        self.to_unsubscribe.clear();
        self.to_subscribe.clear();
        self.unsettled = 0;
        for (key, channel) in self.channels.iter_mut() {
            self.to_subscribe.insert((channel.group, key));
            self.unsettled += 1;
            channel.unsettled = true;
        }
    }

    /// Whether everything that was desired when the connection opened was confirmed or refused.
    pub(crate) fn is_restored(&self) -> bool {
        self.unsettled == 0
    }

    /// The connection ended: nothing is subscribed any more, and what nobody wants is forgotten.
    pub(crate) fn interrupt(&mut self, reason: &Disconnect) -> Notes {
        let mut notes = Notes::new();
        self.routes.clear();
        self.to_subscribe.clear();
        self.to_unsubscribe.clear();
        self.retries.clear();
        let unwanted = self.channels.iter().filter(|(_, channel)| channel.consumers.is_empty());
        for key in unwanted.map(|(key, _)| key).collect::<Vec<_>>() {
            self.forget(key);
        }
        for (_, channel) in self.channels.iter_mut() {
            channel.turn(Wire::Absent, &mut self.confirmed);
            channel.route = None;
            channel.share = usize::MAX;
            channel.refusals = 0;
            channel.unsure = false;
            channel.trailing = false;
            let stopped = channel.stop(Flow::Interrupted);
            notes.extend(stopped.map(|consumer| (consumer, Note::Interrupted(reason.clone()))));
        }
        notes
    }

    /// The next request to make, if what the server has differs from what is wanted.
    pub(crate) fn next_request<P: Protocol>(&mut self, protocol: &P, notes: &mut Notes) -> Option<Change> {
        loop {
            if let Some((group, keys)) = self.chunk(protocol, true) {
                for &key in &keys {
                    self.to_subscribe.remove((group, key));
                    self.set_wire(key, Wire::Requested);
                }
                match protocol.subscribe(group, &self.names(&keys)) {
                    Some(request) => return Some(Change::Subscribe(keys, request)),
                    None => self.confirm_unasked(&keys, notes),
                }
            } else {
                let (group, keys) = self.chunk(protocol, false)?;
                for &key in &keys {
                    self.to_unsubscribe.remove((group, key));
                    self.set_wire(key, Wire::Leaving);
                }
                match protocol.unsubscribe(group, &self.routes_of(&keys)) {
                    Some(request) => return Some(Change::Unsubscribe(keys, request)),
                    None => notes.extend(self.left(&keys)),
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
        for Confirmation { channel, route } in confirmed {
            // The keys of one request are in order.
            let Some(key) = self.named(&channel).filter(|key| keys.binary_search(key).is_ok()) else {
                continue;
            };
            self.confirm(key, route, &mut notes);
        }
        let draw = random.next();
        for &key in keys {
            if self.wire(key) == Some(Wire::Requested) {
                self.refuse(key, &Refusal::NotConfirmed, (now, draw), &mut notes);
            }
        }
        notes
    }

    /// A subscribe request was refused as a whole, not sent, or not answered. When one channel may be to blame, a
    /// refusal of many is narrowed down to it.
    pub(crate) fn refused(
        &mut self,
        keys: &[Key],
        reason: &Refusal,
        one_to_blame: bool,
        (now, random): (Instant, &mut Random),
    ) -> Notes {
        let mut notes = Notes::new();
        let draw = random.next();
        for &key in keys {
            if !one_to_blame || keys.len() == 1 {
                self.refuse(key, reason, (now, draw), &mut notes);
                if let Some(channel) = self.channels.get_mut(key).filter(|_| one_to_blame) {
                    channel.share = 1;
                }
                continue;
            }
            let Some(channel) = self.channels.get_mut(key) else { continue };
            channel.share = keys.len() / 2;
            channel.turn(Wire::Absent, &mut self.confirmed);
            let entry = (channel.group, key);
            if channel.consumers.is_empty() {
                self.forget(key);
            } else {
                self.to_subscribe.insert(entry);
            }
        }
        notes
    }

    /// An unsubscribe request was not sent, or not answered: it is made again.
    pub(crate) fn stayed(
        &mut self,
        keys: &[Key],
        sent: bool,
        (now, random): (Instant, &mut Random),
    ) -> Notes {
        let mut notes = Notes::new();
        let draw = random.next();
        for &key in keys {
            let Some(channel) = self.channels.get_mut(key) else { continue };
            let wanted_again = !channel.consumers.is_empty();
            if sent && (wanted_again || channel.refusals >= UNSUBSCRIBES) {
                notes.extend(self.left(&[key]));
                if let Some(channel) = self.channels.get_mut(key) {
                    channel.trailing = true;
                }
                continue;
            }
            let at = retry_at(now, channel.refusals, draw);
            channel.refusals += 1;
            channel.unsure = true;
            channel.turn(Wire::Refused(at), &mut self.confirmed);
            self.retries.insert((at, key));
        }
        notes
    }

    /// An unsubscribe request was answered, or will not be. Whoever stayed or joined meanwhile is subscribed anew.
    pub(crate) fn left(&mut self, keys: &[Key]) -> Notes {
        let mut notes = Notes::new();
        for &key in keys {
            let Some(channel) = self.channels.get_mut(key) else { continue };
            channel.turn(Wire::Absent, &mut self.confirmed);
            channel.unroute(key, &mut self.routes);
            channel.unsure = false;
            channel.refusals = 0;
            if channel.consumers.is_empty() {
                self.forget(key);
            } else {
                notes.extend(channel.stop(Flow::Renewing).map(|consumer| (consumer, Note::Renewing)));
                self.to_subscribe.insert((channel.group, key));
            }
        }
        notes
    }

    /// A consumer needs what the server sends first on its channel: unless that is still to come, the channel is
    /// unsubscribed and, once that is answered, subscribed anew.
    pub(crate) fn renew(&mut self, id: ConsumerId, (now, random): (Instant, &mut Random)) {
        let Some(&key) = self.consumers.get(id) else { return };
        let Some(channel) = self.channels.get_mut(key) else { return };
        if channel.begun && !self.to_unsubscribe.contains((channel.group, key)) {
            if let Some(due) = channel.renewal.ask(now, random) {
                self.renewals.insert((due, key));
            }
            self.begin_renewals(now);
        }
    }

    fn begin_renewals(&mut self, now: Instant) {
        while let Some((due, key)) = self.renewals.first().filter(|(due, _)| *due <= now) {
            self.renewals.remove((due, key));
            let Some(channel) = self.channels.get_mut(key) else { continue };
            if channel.renewal.due() != Some(due) || channel.consumers.is_empty() {
                continue;
            }
            if channel.wire == Wire::Confirmed {
                channel.renewal.clear();
                self.to_unsubscribe.insert((channel.group, key));
            } else {
                // It was asked for, and data came ahead of the answer, which is to be waited for.
                self.renewals.insert((channel.renewal.postpone(now), key));
            }
        }
    }

    /// A subscribe request left and was not answered in time.
    pub(crate) fn doubt(&mut self, keys: &[Key]) {
        for &key in keys {
            if let Some(channel) = self.channels.get_mut(key) {
                channel.unsure = true;
            }
        }
    }

    /// When a refused channel is to be asked for again, or one is to begin anew.
    pub(crate) fn next_retry(&self) -> Option<Instant> {
        self.retries.first().into_iter().chain(self.renewals.first()).map(|(at, _)| at).min()
    }

    /// Moves channels whose time has come to those that are asked for.
    pub(crate) fn retry(&mut self, now: Instant) {
        self.begin_renewals(now);
        while let Some((at, key)) = self.retries.first().filter(|(at, _)| *at <= now) {
            self.retries.remove((at, key));
            if let Some(channel) = self.channels.get_mut(key) {
                channel.turn(Wire::Absent, &mut self.confirmed);
                // What the server may have subscribed is unsubscribed first: asked for twice, it would not begin anew.
                let set = if channel.unsure { &mut self.to_unsubscribe } else { &mut self.to_subscribe };
                set.insert((channel.group, key));
            }
        }
    }

    /// When the first confirmation of a consumer is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.waiting.first().map(|(due, _)| due)
    }

    /// Tells consumers that have waited long enough for their first confirmation.
    pub(crate) fn overdue(&mut self, now: Instant) -> Notes {
        let mut notes = Notes::new();
        while let Some(entry) = self.waiting.first().filter(|(due, _)| *due <= now) {
            self.waiting.remove(entry);
            let asked =
                self.consumed(entry.1).is_none_or(|channel| channel.unsure || channel.wire != Wire::Absent);
            let reason =
                if asked { Refusal::TimedOut } else { Refusal::NotSent(Box::new(NotSent::DeadlinePassed)) };
            notes.push((entry.1, Note::Refused(reason)));
        }
        notes
    }

    /// How many channels are wanted, and how many of these the server has confirmed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.desired, self.confirmed)
    }

    /// The channel that a consumer consumes.
    pub(crate) fn channel_of(&self, consumer: ConsumerId) -> Option<&str> {
        self.consumed(consumer).map(|channel| channel.name.as_str())
    }

    fn consumed(&self, consumer: ConsumerId) -> Option<&Channel> {
        self.channels.get(*self.consumers.get(consumer)?)
    }

    fn named(&self, name: &str) -> Option<Key> {
        let is_it = |key: &Key| self.channels.get(*key).is_some_and(|channel| channel.name == name);
        self.names.find(name).find(is_it)
    }

    fn routed(&self, route: &str) -> Option<Key> {
        let is_it = |channel: &Channel| channel.route.as_deref() == Some(route);
        self.routes.find(route).find(|key| self.channels.get(*key).is_some_and(is_it))
    }

    fn names(&self, keys: &[Key]) -> Vec<&str> {
        keys.iter().filter_map(|key| self.channels.get(*key)).map(|channel| channel.name.as_str()).collect()
    }

    /// Under which names the channels' data comes.
    fn routes_of(&self, keys: &[Key]) -> Vec<&str> {
        let channels = keys.iter().filter_map(|key| self.channels.get(*key));
        channels.map(|channel| channel.route.as_deref().unwrap_or(&channel.name)).collect()
    }

    fn add(&mut self, group: u8, name: &str) -> Key {
        let channel = Channel {
            name: name.to_owned(),
            group,
            route: None,
            consumers: Vec::new(),
            wire: Wire::Absent,
            share: usize::MAX,
            refusals: 0,
            unsure: false,
            unsettled: false,
            trailing: false,
            begun: false,
            renewal: Renewal::default(),
        };
        let key = self.channels.insert(channel);
        self.names.insert(name, key);
        key
    }

    /// Nobody wants a channel that is not confirmed. What the server may have subscribed is unsubscribed first.
    fn forget_or_leave(&mut self, key: Key) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        if !channel.unsure {
            return self.forget(key);
        }
        let entry = (channel.group, key);
        if let Wire::Refused(at) = channel.wire {
            self.retries.remove((at, key));
        }
        channel.turn(Wire::Absent, &mut self.confirmed);
        channel.settle(&mut self.unsettled);
        self.to_subscribe.remove(entry);
        self.to_unsubscribe.insert(entry);
    }

    fn forget(&mut self, key: Key) {
        let Some(mut channel) = self.channels.remove(key) else { return };
        let wire = channel.wire;
        channel.turn(Wire::Absent, &mut self.confirmed);
        self.names.remove(&channel.name, key);
        channel.unroute(key, &mut self.routes);
        if let Wire::Refused(at) = wire {
            self.retries.remove((at, key));
        }
        self.to_subscribe.remove((channel.group, key));
        self.to_unsubscribe.remove((channel.group, key));
        channel.settle(&mut self.unsettled);
    }

    fn wire(&self, key: Key) -> Option<Wire> {
        self.channels.get(key).map(|channel| channel.wire)
    }

    fn set_wire(&mut self, key: Key, wire: Wire) {
        if let Some(channel) = self.channels.get_mut(key) {
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
            keys.push(key);
        }
        (!keys.is_empty()).then_some((group, keys))
    }

    fn confirm(&mut self, key: Key, route: String, notes: &mut Notes) {
        // Whoever's data came under this name has lost it.
        let before = self.routed(&route).and_then(|other| Some((other, self.channels.get_mut(other)?)));
        if let Some((other, channel)) = before {
            channel.unroute(other, &mut self.routes);
        }
        let Some(channel) = self.channels.get_mut(key) else { return };
        channel.settle(&mut self.unsettled);
        channel.turn(Wire::Confirmed, &mut self.confirmed);
        channel.share = usize::MAX;
        channel.refusals = 0;
        channel.unsure = false;
        channel.unroute(key, &mut self.routes);
        if route != channel.name {
            self.routes.insert(&route, key);
            channel.route = Some(route);
        }
        for consumer in &mut channel.consumers {
            if !std::mem::replace(&mut consumer.confirmed, true) {
                self.waiting.remove((consumer.due, consumer.id));
                notes.push((consumer.id, Note::Confirmed));
            }
            notes.extend(consumer.resume().map(|note| (consumer.id, note)));
        }
        if channel.consumers.is_empty() {
            self.to_unsubscribe.insert((channel.group, key));
        }
    }

    /// The server need not be told, so there is nothing to wait for.
    fn confirm_unasked(&mut self, keys: &[Key], notes: &mut Notes) {
        for &key in keys {
            let Some(channel) = self.channels.get(key) else { continue };
            let route = channel.name.clone();
            self.confirm(key, route, notes);
        }
    }

    fn refuse(&mut self, key: Key, reason: &Refusal, (now, draw): (Instant, u64), notes: &mut Notes) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        channel.settle(&mut self.unsettled);
        if channel.consumers.is_empty() {
            self.forget_or_leave(key);
            return;
        }
        let at = retry_at(now, channel.refusals, draw);
        channel.refusals = channel.refusals.saturating_add(1);
        channel.turn(Wire::Refused(at), &mut self.confirmed);
        channel.unroute(key, &mut self.routes);
        self.retries.insert((at, key));
        notes.extend(channel.consumers.iter().map(|consumer| (consumer.id, Note::Refused(reason.clone()))));
    }
}

#[cfg(test)]
mod tests;
