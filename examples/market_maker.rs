//! A market maker: it quotes both sides while it knows the market, its orders and its position, and cancels its quotes at
//! once when it does not.
//!
//! `cargo run --example market_maker -- --seconds 10`, against a local exchange that loses a message of the book and cuts
//! the connection meanwhile; without `--seconds` until Ctrl-C. Or with an address and a key of the test network:
//! `DERIBIT_CLIENT_ID=… DERIBIT_CLIENT_SECRET=… cargo run --example market_maker -- wss://test.deribit.com/ws/api/v2`.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::OptionFuture;
use lexopt::{Arg, ValueExt};
use steadysocket::config::{Heartbeat, WhenBlocked};
use steadysocket::deribit::book::{Book, Change, Levels};
use steadysocket::deribit::data::{Instrument, Order, Position};
use steadysocket::deribit::{CancelOnDisconnect, Deribit, Interval, Options, OrderEvent, OrderTracker};
use steadysocket::deribit::{Rounding, Scope, Side, order::Edit, query::Answer};
use steadysocket::{Error, Native, Url};
use steadysocket_exchange::{Exchange, Fault, Target};
use tokio::{task::JoinSet, time};

const INSTRUMENT: &str = "BTC-PERPETUAL";
/// What our orders are called. Others of the account are left alone.
const LABEL: &str = "maker";
/// How much a quote is for, and the most that is held either way, in US dollars.
const AMOUNT: f64 = 100.0;
const MOST: f64 = 500.0;
/// How far quotes are from the middle of the market, and how far they may be off before they are moved, as fractions.
const DISTANCE: f64 = 0.000_1;
const SLACK: f64 = 0.000_02;
/// A quote that the exchange has not taken by then has missed its moment, and is refused.
const PROMPT: Duration = Duration::from_secs(1);
/// How long to wait at the end until it is certain that no order is left.
const PATIENCE: Duration = Duration::from_secs(30);

type AnyError = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let (mut url, mut seconds) = (None, f64::from(u32::MAX));
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("seconds") => seconds = arguments.value()?.parse()?,
            Arg::Value(address) if url.is_none() => url = Some(address.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let exchange = Exchange::builder().start().await?;
    let deribit = connect(url.as_deref(), &exchange).await?;
    let mut maker = Maker::start(&deribit).await?;
    let trouble = make_trouble(&exchange, maker.book.channel().to_owned());
    let ended = tokio::select! {
        ended = maker.run() => ended,
        () = trouble => Ok(()),
        () = time::sleep(Duration::from_secs_f64(seconds)) => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    // Whatever ended it, no order of ours stays.
    maker.is_ending = true;
    maker.steer();
    time::timeout(PATIENCE, maker.run()).await.map_err(|_| "orders may be live: look for yourself")??;
    let left = deribit
        .get_open_orders_by_instrument(INSTRUMENT)
        .await?
        .iter()
        .filter(|order| is_ours(order))
        .count();
    println!("the end: {left} orders, position {}", deribit.get_position(INSTRUMENT).await?.size);
    deribit.close().await;
    ended
}

async fn connect(url: Option<&str>, exchange: &Exchange) -> Result<Deribit, AnyError> {
    let options = match url {
        None => Options::at(exchange.url())?.credentials("local", "local-secret"),
        Some(url) if Url::parse(url)?.host() == "www.deribit.com" => {
            return Err("this is an example: it does not trade with real money".into());
        }
        Some(url) => {
            let key = |name: &str| std::env::var(name).map_err(|_| format!("set {name}"));
            Options::at(url)?.signed_credentials(key("DERIBIT_CLIENT_ID")?, key("DERIBIT_CLIENT_SECRET")?)
        }
    };
    // A connection that died without a word is found out in 4 s. The exchange cancels the orders of each that is cut.
    let options = options.cancel_on_disconnect(CancelOnDisconnect::Connection);
    let quick = Duration::from_secs(2);
    let heartbeat = Heartbeat { idle: quick, timeout: quick };
    // No quote waits for the next connection, where it would be out of date.
    let config = options.config()?.heartbeat(Some(heartbeat)).when_offline(WhenBlocked::Refuse);
    Ok(Deribit::connect_with(options, config, Native::new()).await?)
}

struct Maker {
    deribit: Deribit,
    instrument: Arc<Instrument>,
    book: Book,
    orders: OrderTracker,
    /// `None` until the exchange has said it, after each execution anew.
    position: Option<f64>,
    asking: OptionFuture<Answer<Position>>,
    /// The calls under way, by what there may be one of at a time: a quote a side, a cancellation an order.
    busy: BTreeSet<String>,
    calls: JoinSet<(String, Result<Option<Order>, Error>)>,
    is_ending: bool,
}

impl Maker {
    async fn start(deribit: &Deribit) -> Result<Self, Error> {
        Ok(Self {
            deribit: deribit.clone(),
            instrument: deribit.instruments().require(INSTRUMENT).await?,
            book: deribit.book(INSTRUMENT, Interval::Ms100).await?,
            orders: deribit.track_orders_of(Scope::Instrument(INSTRUMENT.into())).await?,
            position: None,
            asking: None.into(),
            busy: BTreeSet::new(),
            calls: JoinSet::new(),
            is_ending: false,
        })
    }

    /// Quotes until something fails for good; or, when it is to end, until no order of ours is left.
    async fn run(&mut self) -> Result<(), AnyError> {
        while !self.is_ending
            || !self.orders.is_live()
            || !self.busy.is_empty()
            || self.orders.iter().any(is_ours)
        {
            tokio::select! {
                change = self.book.next() => match change {
                    Some(Change::Stale(why)) => println!("book stale: {why}"),
                    Some(Change::Live) => println!("book live"),
                    Some(_) => {}
                    None => return Err(self.deribit.client().ended().await.into()),
                },
                Some(event) = self.orders.next() => self.hear(event),
                Some(called) = self.calls.join_next() => self.answered(called?)?,
                Some(position) = &mut self.asking => self.told_position(position),
            }
            self.steer();
        }
        Ok(())
    }

    fn hear(&mut self, event: OrderEvent) {
        match event {
            OrderEvent::Stale(why) => println!("orders stale: {why}"),
            OrderEvent::Live => println!("orders live: {}", self.orders.len()),
            OrderEvent::Changed(change) => {
                println!("{} {}: {:?}", change.order.direction, change.order.order_id, change.kind());
                if change.executed() == 0.0 {
                    return;
                }
            }
            other => println!("{other:?}"),
        }
        self.position = None;
        self.asking = Some(self.deribit.get_position(INSTRUMENT).into_future()).into();
    }

    fn told_position(&mut self, position: Result<Position, Error>) {
        self.asking = None.into();
        match position {
            Ok(position) => self.position = Some(position.size),
            // Begins anew once the exchange can be asked.
            Err(_) => self.orders.refresh(),
        }
    }

    fn answered(&mut self, (name, answer): (String, Result<Option<Order>, Error>)) -> Result<(), Error> {
        self.busy.remove(&name);
        match answer {
            Ok(order) => order.into_iter().for_each(|order| self.orders.observe(order)),
            // The order had ended, or the connection has: the tracker tells what is the matter.
            Err(error @ (Error::Rejected(_) | Error::NotSent(_))) => println!("{name}: {error}"),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Compares our orders with what they should be, and asks for the difference.
    fn steer(&mut self) {
        let is_certain = self.orders.is_live() && !self.is_ending;
        let middle = self.book.live().and_then(Levels::mid).filter(|_| is_certain);
        for (side, sign, rounding) in [(Side::Buy, 1.0, Rounding::Down), (Side::Sell, -1.0, Rounding::Up)] {
            let quotes = self.orders.on_side(INSTRUMENT, side).filter(|order| is_ours(order));
            let quotes: Vec<Order> = quotes.cloned().collect();
            let Some(middle) = middle else {
                quotes.into_iter().for_each(|order| self.cancel(order));
                continue;
            };
            // A call under way, or the position that is asked for, may change what there is to do.
            let Some(position) = self.position.filter(|_| !self.busy.contains(side.as_str())) else {
                continue;
            };
            let price = self.instrument.round_price(middle * (1.0 - sign * DISTANCE), rounding);
            let is_off =
                |order: &Order| order.limit_price().is_none_or(|at| (at - price).abs() > price * SLACK);
            let mut quotes = quotes.into_iter();
            match quotes.next() {
                Some(order) if sign * position + AMOUNT > MOST => self.cancel(order),
                Some(order) if is_off(&order) => self.reprice(side, &order, price),
                None if sign * position + AMOUNT <= MOST => self.quote(side, price),
                _ => {}
            }
            quotes.for_each(|order| self.cancel(order));
        }
    }

    fn quote(&mut self, side: Side, price: f64) {
        println!("quote: {} {AMOUNT} at {price}", side.as_str());
        let order = Order::limit(INSTRUMENT, AMOUNT, price).post_only().label(LABEL);
        let placing = self.deribit.place(side, order).timeout(PROMPT);
        self.call(side.as_str(), async {
            let settled = placing.settled().await?;
            if settled.order().is_none() {
                println!("no order: {settled:?}");
                time::sleep(PROMPT).await;
            }
            Ok(settled.order().cloned())
        });
    }

    fn reprice(&mut self, side: Side, order: &Order, price: f64) {
        println!("move: {} to {price}", side.as_str());
        let editing = self.deribit.edit(Edit::of(order).price(price).post_only(true)).timeout(PROMPT);
        self.call(side.as_str(), async { editing.settled().await.map(Some) });
    }

    fn cancel(&mut self, order: Order) {
        // While the connection is away the exchange does it.
        if self.orders.is_live() {
            let cancelling = self.deribit.cancel(&*order.order_id);
            self.call(&order.order_id, async { cancelling.settled().await.map(Some) });
        }
    }

    /// Makes a call, unless one of this name is under way.
    fn call(
        &mut self,
        name: &str,
        call: impl Future<Output = Result<Option<Order>, Error>> + Send + 'static,
    ) {
        let name = name.to_owned();
        if self.busy.insert(name.clone()) {
            self.calls.spawn(async move { (name, call.await) });
        }
    }
}

fn is_ours(order: &Order) -> bool {
    order.user_label() == Some(LABEL)
}

/// At the local exchange: a message of the book is lost, then the connection.
async fn make_trouble(exchange: &Exchange, book: String) {
    time::sleep(Duration::from_secs(2)).await;
    exchange.fault(Target::All, Fault::Gap(book));
    time::sleep(Duration::from_secs(2)).await;
    exchange.fault(Target::All, Fault::Reset);
    std::future::pending().await
}
