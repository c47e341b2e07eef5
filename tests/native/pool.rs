//! Several connections used as one, over real sockets. A channel on two of them is held against a witness, whose own
//! connection is never touched: what a channel said to the one it must have said to the other, once and in order.
//!
//! `CUTS=1000 SEED=7 make pool` cuts more often, and elsewhere.

use std::collections::VecDeque;
use std::ops::AddAssign;
use std::time::Duration;

use futures::Stream;
use serde_json::Value;
use steadysocket::deribit::sequence;
use steadysocket::error::Disconnect;
use steadysocket::pool::{Position, Redundant};
use steadysocket::{Client, Payload, Pool, PoolOptions, State, Update};
use steadysocket_exchange::{Door, Exchange, Fault, Journal, Span, Target};
use tokio::sync::watch;

use crate::support::*;

const TRADES: &str = "trades.BTC-PERPETUAL.100ms";

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Where a message of the book, or of the trades, stands, by the venue's documents.
fn place(payload: &Payload) -> u64 {
    let data: Value = payload.decode().unwrap();
    let number = match data.as_array() {
        Some(trades) => trades.iter().map(|trade| trade["trade_seq"].as_u64()).max().flatten(),
        None => data["change_id"].as_u64(),
    };
    number.unwrap_or_else(|| panic!("no number: {data}"))
}

/// What was judged, summed over channels.
#[derive(Debug, Default, PartialEq)]
struct Judged {
    messages: usize,
    lost: usize,
    gaps: usize,
    duplicates: usize,
    interruptions: usize,
}

impl AddAssign for Judged {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.lost += other.lost;
        self.gaps += other.gaps;
        self.duplicates += other.duplicates;
        self.interruptions += other.interruptions;
    }
}

/// Holds what a redundant stream told against what the witness heard.
fn judge(told: Vec<Update<Payload>>, heard: Vec<Payload>) -> Judged {
    let mut judged = Judged::default();
    let mut got = Vec::new();
    for update in told {
        match update {
            Update::Data(payload) => got.push(payload),
            Update::Lagged(_) => judged.gaps += 1,
            Update::Interrupted(_) | Update::Resumed => judged.interruptions += 1,
            other => panic!("{other:?}"),
        }
    }
    judged.messages = got.len();
    // Each has a beginning of its own.
    let first = place(&got[0]);
    let mut missing: VecDeque<_> = heard.into_iter().filter(|payload| place(payload) > first).collect();
    let mut last = first;
    for payload in got.drain(1..) {
        let at = place(&payload);
        if at <= last {
            judged.duplicates += 1;
            continue;
        }
        while let Some(expected) = missing.pop_front() {
            if expected == payload {
                break;
            }
            judged.lost += 1;
        }
        last = at;
    }
    judged.lost += missing.len();
    judged
}

#[test]
fn the_judge_sees_what_is_wrong() {
    let message = |at: u64| Payload::from(&*format!(r#"{{"change_id":{at}}}"#));
    let heard = || [1, 2, 3, 5, 8, 9].map(message).to_vec();
    let judge = |told: &[Option<u64>]| {
        // Nothing at a place stands for a gap.
        let update = |at: &Option<u64>| at.map_or(Update::Lagged(1), |at| Update::Data(message(at)));
        let Judged { messages, lost, gaps, duplicates, .. } =
            judge(told.iter().map(update).collect(), heard());
        (messages, lost, gaps, duplicates)
    };
    assert_eq!(judge(&[2, 3, 5, 8, 9].map(Some)), (5, 0, 0, 0));
    assert_eq!(judge(&[2, 3, 8].map(Some)), (3, 2, 0, 0));
    assert_eq!(judge(&[2, 3, 3, 5, 2, 8, 9].map(Some)), (7, 0, 0, 2));
    assert_eq!(judge(&[Some(2), None, Some(9)]), (2, 3, 1, 0));
}

/// What a reader of a redundant stream said when it had read all that had arrived.
#[derive(Clone, Copy, Debug, Default)]
struct Idle {
    times: u64,
    redundant: bool,
}

/// Reads a redundant stream up to the message with the number that is told, in a task of its own.
async fn read<F>(
    mut stream: Redundant<F>,
    idle: watch::Sender<Idle>,
    mut until: watch::Receiver<Option<u64>>,
) -> Vec<Update<Payload>>
where
    F: FnMut(&Payload) -> Option<Position> + Send + Sync + Unpin,
{
    let mut told = Vec::new();
    let mut last = 0;
    loop {
        if until.borrow().is_some_and(|end| last >= end) {
            return told;
        }
        let update = std::future::poll_fn(|cx| {
            let poll = std::pin::Pin::new(&mut stream).poll_next(cx);
            if poll.is_pending() {
                let redundant = stream.is_redundant();
                idle.send_modify(|idle| *idle = Idle { times: idle.times + 1, redundant });
            }
            poll
        });
        tokio::select! {
            update = update => {
                let update = update.expect("the stream ended");
                if let Update::Data(payload) = &update {
                    last = place(payload);
                }
                told.push(update);
            }
            _ = until.changed() => {}
        }
    }
}

/// The same for the witness, to whom nothing happens.
async fn witness(mut stream: Raw, mut until: watch::Receiver<Option<u64>>) -> Vec<Payload> {
    let mut heard = Vec::new();
    let mut last = 0;
    loop {
        if until.borrow().is_some_and(|end| last >= end) {
            return heard;
        }
        tokio::select! {
            payload = only_data(&mut stream) => {
                last = place(&payload);
                heard.push(payload);
            }
            _ = until.changed() => {}
        }
    }
}

/// A channel, its reader and its witness.
struct Channel {
    idle: watch::Receiver<Idle>,
    until: watch::Sender<Option<u64>>,
    reader: tokio::task::JoinHandle<Vec<Update<Payload>>>,
    witness: tokio::task::JoinHandle<Vec<Payload>>,
}

/// Two connections used as one, and a third that watches.
struct Rig {
    exchange: Exchange,
    pool: Pool,
    members: [Client; 2],
    /// The number that the exchange gave to each member's connection.
    connections: [u64; 2],
    watching: Client,
    channels: Vec<Channel>,
}

impl Rig {
    async fn new(seed: u64) -> Self {
        let exchange = exchange().seed(seed).start().await.unwrap();
        let members = [connect(&exchange).await, connect(&exchange).await];
        let watching = connect(&exchange).await;
        let pool = Pool::new(members.clone(), PoolOptions::default()).unwrap();
        let connections = [1, 2];
        let mut rig = Self { exchange, pool, members, connections, watching, channels: Vec::new() };
        rig.listen(BOOK, sequence::book).await;
        rig.listen(TRADES, sequence::trades).await;
        rig.met().await;
        rig
    }

    async fn listen(&mut self, channel: &str, sequence: fn(&Payload) -> Option<Position>) {
        let heard = subscribe(&self.watching, channel).await.unwrap();
        let stream = soon(self.pool.redundant(channel, sequence)).await.unwrap();
        let (tell, idle) = watch::channel(Idle::default());
        let (until, told) = watch::channel(None);
        let reader = tokio::spawn(read(stream, tell, told.clone()));
        let witness = tokio::spawn(witness(heard, told));
        self.channels.push(Channel { idle, until, reader, witness });
    }

    /// Waits until the readers have read what there is, and all is there twice.
    async fn met(&mut self) {
        for channel in &mut self.channels {
            // The one that it is at now may have begun before.
            let after = channel.idle.borrow().times + 2;
            soon(channel.idle.wait_for(|idle| idle.times >= after && idle.redundant)).await.unwrap();
        }
    }

    /// Waits until a member has all its channels again on a new connection.
    async fn restored(&mut self, which: usize, disconnects: u64) {
        let member = self.members[which].clone();
        let wanted = self.channels.len();
        let restored = |_: &Idle| {
            let stats = member.stats();
            stats.disconnects > disconnects && member.state() == State::Live && stats.confirmed == wanted
        };
        // Of what the other brings there is always more.
        soon(self.channels[0].idle.wait_for(restored)).await.unwrap();
        self.met().await;
        self.connections[which] = self.exchange.look(Journal::opened);
    }

    /// Stops the market, and compares.
    async fn judge(self) -> Judged {
        self.exchange.freeze(true);
        let book = self.exchange.book("BTC-PERPETUAL").unwrap().change_id;
        let params = serde_json::json!({ "instrument_name": "BTC-PERPETUAL", "count": 1 });
        let trades: Value =
            soon(self.pool.call("public/get_last_trades_by_instrument", params)).await.unwrap();
        let trade = trades["trades"][0]["trade_seq"].as_u64().unwrap();
        let mut judged = Judged::default();
        for (channel, end) in self.channels.into_iter().zip([book, trade]) {
            channel.until.send(Some(end)).unwrap();
            let told = soon(channel.reader).await.unwrap();
            judged += judge(told, soon(channel.witness).await.unwrap());
        }
        judged
    }
}

/// The ways in which a connection is lost. The last one says nothing for a moment before.
const CUTS: [&str; 5] = ["reset", "drop", "close 1001 restart", "close 1011 oops", "stall"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cuts_of_either_connection_are_not_seen_by_who_is_on_two() {
    let (cuts, seed) = (number("CUTS", 100), number("SEED", 1));
    let mut rig = Rig::new(seed).await;
    let mut random = seed;
    let mut roll = move |sides: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % sides
    };
    for count in 0..cuts {
        let which = usize::from(count % 2 == 1);
        let (connection, before) = (rig.connections[which], rig.members[which].stats().disconnects);
        // Somewhere between two messages, and what these are made of.
        tokio::time::sleep(Duration::from_micros(roll(40_000))).await;
        let fault = CUTS[roll(CUTS.len() as u64) as usize];
        rig.exchange.command(&format!("{fault} @{connection}")).unwrap();
        if fault == "stall" {
            rig.met().await;
            rig.exchange.fault(Target::Connection(connection), Fault::Reset);
        }
        rig.restored(which, before).await;
    }
    let connections = rig.exchange.look(Journal::opened) - 1;
    let judged = rig.judge().await;
    let Judged { messages, lost, gaps, duplicates, interruptions } = judged;
    println!("| cuts | connections | messages | lost | gaps reported | duplicates | interruptions | seed |");
    println!(
        "| {cuts} | {connections} | {messages} | {lost} | {gaps} | {duplicates} | {interruptions} | {seed} |"
    );
    assert_eq!(connections, cuts + 2, "SEED={seed}");
    assert!(messages as u64 > cuts, "SEED={seed}: the market was too quiet");
    assert_eq!(judged, Judged { messages, ..Judged::default() }, "SEED={seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planned_reconnects_make_before_they_break() {
    let mut rig = Rig::new(2).await;
    for _ in 0..5 {
        soon(rig.pool.reconnect()).await;
    }
    rig.met().await;
    let journal = rig.exchange.journal();
    assert_eq!(journal.opened(), 3 + 10);
    // Whenever one was left, another one had been there all the time since, and was there for longer.
    let members: Vec<_> = journal.connections().filter(|connection| connection.number != 3).collect();
    for left in &members {
        let Some((at, _)) = &left.closed else { continue };
        let others = members.iter().filter(|other| other.number != left.number && other.opened < *at);
        let mut there = others.filter(|other| other.closed.as_ref().is_none_or(|(end, _)| end > at));
        assert!(there.next().is_some(), "nothing was there when {} was left", left.number);
    }
    let judged = rig.judge().await;
    assert_eq!(judged, Judged { messages: judged.messages, ..Judged::default() });
}

#[tokio::test]
async fn the_channels_of_a_member_that_dies_move_to_another() {
    let exchange = exchange().start().await.unwrap();
    let members = [connect(&exchange).await, connect(&exchange).await];
    let pool = Pool::new(members.clone(), PoolOptions::default()).unwrap();
    let mut streams = Vec::new();
    for channel in [BOOK, QUOTE, TICKER, TRADES] {
        streams.push(soon(pool.subscribe::<Payload>(channel)).await.unwrap());
    }
    let on = |number| exchange.look(|journal| journal.connection(number).unwrap().channels.clone());
    assert_eq!((on(1).len(), on(2).len()), (2, 2), "they are spread");
    let [one, other] = [pool.scores()[0].member, pool.scores()[1].member];
    let dying = streams[0].member().unwrap();
    let survivor = if dying == one { other } else { one };

    // It is cut, and not let in again: the member ends.
    exchange.door(Door::Refuse { status: 401, retry_after: None }, Span::UntilOpened);
    exchange.fault(Target::Connection(1), Fault::Drop);
    for stream in &mut streams {
        let moves = stream.member() == Some(dying);
        let mut news = Vec::new();
        let mut data = 0;
        // Until it has moved, or long enough to see that nothing happens to it.
        while data < 20 || (moves && news.len() < 2) {
            match soon(stream.next()).await.unwrap() {
                Update::Data(_) => data += 1,
                other => news.push(other),
            }
        }
        match &news[..] {
            [] if !moves => {}
            // Another stream may have found out before that the member is gone.
            [Update::Interrupted(Disconnect::Dropped(_) | Disconnect::Moved), Update::Resumed] if moves => {}
            other => panic!("{}, which moves: {moves}: {other:?}", stream.channel()),
        }
        assert_eq!(stream.member(), Some(survivor));
    }
    assert_eq!(on(2).len(), 4);
    assert_eq!(exchange.look(|journal| journal.refusals().count()), 1, "it was not tried again");
    assert_eq!(pool.scores().len(), 1);
    assert!(matches!(members[0].state(), State::Ended(_)));
    let _: u64 = soon(pool.call("public/get_time", ())).await.unwrap();
}
