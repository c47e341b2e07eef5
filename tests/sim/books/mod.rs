//! Books that say that they are live, against the venue's own, whatever happens to the messages between them.

mod market;
mod venue;

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures::Stream;
use steadysocket::config::Queue;
use steadysocket::deribit::book::{Book, Change, Levels, Reason, Status};
use steadysocket::deribit::data::Level;
use steadysocket::deribit::{Adapter, Interval, Options};
use steadysocket::{BookFreshness, BookHealth, Client, Config, Payload, State, Subscription};

use self::market::fingerprint;
use self::venue::{Books, Tally};
use crate::lives::{say, seed};
use crate::test;
use crate::world::World;

const DEPTH: u16 = 10;

/// A book and what the test knows about it. There is none while it is being opened.
struct Watched {
    name: String,
    market: usize,
    depth: Option<usize>,
    book: RefCell<Option<Book>>,
    /// Asked after every step; else only when its reader comes to it, after everything that waited.
    closely: bool,
    seen: RefCell<Seen>,
    /// The state that was compared last.
    last: Cell<Option<u64>>,
}

/// What the readers of books found.
#[derive(Debug, Default)]
struct Seen {
    /// How often a book was asked whether it is live.
    checks: u64,
    /// How often it said so.
    live: u64,
    /// How often its levels were compared: once for each of its states.
    compared: u64,
    became_live: u64,
    became_stale: u64,
    lagged: u64,
}

impl Seen {
    fn add(&mut self, other: &Self) {
        self.checks += other.checks;
        self.live += other.live;
        self.compared += other.compared;
        self.became_live += other.became_live;
        self.became_stale += other.became_stale;
        self.lagged += other.lagged;
    }
}

impl Watched {
    /// What this test is about: levels that are called live are the venue's, and nothing is live without a connection.
    fn check(&self, client: &Client, venue: &Books, seed: u64) {
        let mut book = self.book.borrow_mut();
        let Some(book) = book.as_mut() else { return };
        let mut seen = self.seen.borrow_mut();
        seen.checks += 1;
        let told = client.health().books;
        let told_live =
            |told: &BookHealth| told.channel == book.channel() && told.freshness == BookFreshness::Live;
        let told_live = told.iter().filter(|told| told.channel == book.channel()).all(told_live);
        let Some(levels) = book.live() else {
            assert!(!told_live, "seed {seed}: the health of {} says that it is live", self.name);
            return self.last.set(None);
        };
        seen.live += 1;
        let connected = matches!(client.state(), State::Live | State::Restoring);
        assert!(connected, "seed {seed}: {} is live without a connection", self.name);
        if self.last.replace(Some(levels.change_id())) == Some(levels.change_id()) {
            return;
        }
        seen.compared += 1;
        let key = (self.market, self.depth);
        let truth =
            venue.with(|script| script.truth.get(&key).and_then(|all| all.get(&levels.change_id()).copied()));
        assert_eq!(Some(print(levels)), truth, "seed {seed}: {} is not what it was: {levels:?}", self.name);
    }

    /// Whether the book is what the venue's is now.
    fn is_up_to_date(&self, venue: &Books) -> bool {
        let mut book = self.book.borrow_mut();
        let Some(levels) = book.as_mut().and_then(Book::live) else { return false };
        venue.with(|script| {
            let market = &script.markets[self.market];
            let now = market.print(&market.top(self.depth.unwrap_or(usize::MAX)));
            (levels.change_id(), print(levels)) == (market.change_id, now)
        })
    }
}

fn print(levels: &Levels) -> u64 {
    let pair = |level: Level| (level.price, level.amount);
    fingerprint(levels.bids().map(pair), levels.asks().map(pair))
}

/// Opens a book and reads it for ever; sometimes slowly, and sometimes it leaves and comes back.
async fn read(
    world: World,
    client: Client,
    watched: Rc<Watched>,
    interval: Interval,
    venue: Books,
    seed: u64,
) {
    let name = watched.name.clone();
    loop {
        let opened = match watched.depth {
            None => Book::open(&client, &name, interval).await,
            Some(_) => Book::open_grouped(&client, &name, "none", DEPTH, interval).await,
        };
        let Ok(book) = opened else {
            world.sleep(Duration::from_secs(1)).await;
            continue;
        };
        *watched.book.borrow_mut() = Some(book);
        loop {
            let change = std::future::poll_fn(|cx| {
                let mut book = watched.book.borrow_mut();
                Pin::new(book.as_mut().unwrap()).poll_next(cx)
            });
            note(&watched, change.await.expect("the client lives"));
            watched.check(&client, &venue, seed);
            let trouble = venue.with(|script| script.trouble);
            if trouble && !watched.closely && world.net(|net| net.chance(300)) {
                world.sleep(Duration::from_secs(10)).await;
            }
            if trouble && world.net(|net| net.chance(1_500)) {
                break;
            }
        }
        *watched.book.borrow_mut() = None;
    }
}

fn note(watched: &Watched, change: Change) {
    let mut seen = watched.seen.borrow_mut();
    match change {
        Change::Live => seen.became_live += 1,
        Change::Stale(Reason::Lagged(count)) => seen.lagged += count,
        Change::Stale(Reason::Crossed { bid, ask }) => panic!("{bid} against {ask}"),
        Change::Stale(_) => seen.became_stale += 1,
        _ => {}
    }
}

/// Somebody else consumes the same channel.
async fn listen(client: Client) {
    let mut stream: Subscription<Payload> = loop {
        if let Ok(stream) = client.subscribe("book.BTC-PERPETUAL.100ms").await {
            break stream;
        }
    };
    while stream.next().await.is_some() {}
}

/// So many messages with every kind of trouble, then calm, in which every book must come to be the venue's.
fn live(seed: u64, messages: u64) -> (Tally, Seen) {
    let venue = Books::new();
    let world = World::new(seed, venue.clone());
    world.net(|net| net.latency = (Duration::from_millis(1), Duration::from_millis(80)));
    let queue = Queue { capacity: 24, ..Queue::default() };
    let config = Config::new("wss://venue.example").unwrap().retry_initial_connect(true).queue(queue);
    let client = world.client(config, Adapter::new(Options::local()));
    let mut all = Vec::new();
    for (market, interval, depth) in [
        (0, Interval::Raw, None),
        (0, Interval::Ms100, None),
        (0, Interval::Ms100, None),
        (0, Interval::Ms100, Some(DEPTH)),
        (1, Interval::Raw, None),
        (1, Interval::Raw, None),
        (1, Interval::Agg2, None),
        (2, Interval::Raw, None),
        (2, Interval::Agg2, Some(DEPTH)),
        (3, Interval::Ms100, None),
        (3, Interval::Raw, None),
    ] {
        let name = venue.with(|script| script.markets[market].name.clone());
        let watched = Rc::new(Watched {
            name,
            market,
            depth: depth.map(usize::from),
            book: RefCell::default(),
            closely: all.len() % 2 == 0,
            seen: RefCell::default(),
            last: Cell::default(),
        });
        all.push(watched.clone());
        world.spawn(read(world.clone(), client.clone(), watched, interval, venue.clone(), seed));
    }
    world.spawn(listen(client.clone()));
    while venue.with(|script| script.tally.messages) < messages {
        world.advance();
        all.iter().filter(|watched| watched.closely).for_each(|watched| watched.check(&client, &venue, seed));
    }
    let tally = venue.with(|script| script.tally.clone());
    venue.with(|script| script.trouble = false);
    world.run_for(Duration::from_secs(200));
    venue.with(|script| script.still = true);
    world.run_for(Duration::from_secs(5));
    assert_eq!(client.state(), State::Live, "seed {seed}");
    for watched in &all {
        let mut book = watched.book.borrow_mut();
        let status = book.as_mut().map(|book| book.status().clone());
        drop(book);
        assert_eq!(status, Some(Status::Live), "seed {seed}");
        assert!(watched.is_up_to_date(&venue), "seed {seed}");
    }
    let mut seen = Seen::default();
    all.iter().for_each(|watched| seen.add(&watched.seen.borrow()));
    (tally, seen)
}

#[test]
fn a_live_book_is_the_venues() {
    let first = seed();
    let each = if cfg!(target_family = "wasm") { 5_000 } else { 25_000 };
    let given = std::env::var("MESSAGES").ok().and_then(|count| count.parse().ok());
    let wanted: u64 = given.unwrap_or(2 * each);
    say(&format!("books: replay with SEED={first} MESSAGES={wanted}"));
    let (mut tally, mut seen, mut seed) = (Tally::default(), Seen::default(), first);
    while tally.messages < wanted {
        let (told, found) = live(seed, each.min(wanted - tally.messages));
        tally.add(&told);
        seen.add(&found);
        seed = seed.wrapping_add(1);
    }
    say(&format!("books: the venue: {tally:?}"));
    say(&format!("books: the books: {seen:?}"));
    assert!(seen.live * 2 > seen.checks, "books that are never live prove nothing");
    let happened =
        [tally.dropped, tally.repeated, tally.swapped, tally.malformed, tally.stragglers, tally.cuts];
    assert!(happened.iter().all(|count| *count > 0) || wanted < each);
}
