//! The maintained order book for JavaScript. Its levels stay here, and go out as numbers in a `Float64Array`.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures::Stream;
use js_sys::{Float64Array, Function, Promise};
use steadysocket::deribit::Interval;
use steadysocket::deribit::book::{Book, Change, Side, Status};
use steadysocket::deribit::data::Level;
use steadysocket::error::ConfigError;
use steadysocket::time::Instant;
use wasm_bindgen::prelude::*;

use crate::bell::Bell;
use crate::client::Core;
use crate::objects::{in_millis, number, object, text};
use crate::promise::{Cancel, promise};

#[wasm_bindgen]
impl Core {
    /// The book of an instrument; the promise gives a [`BookCore`]. With a `depth` it is a grouped one.
    pub fn book(&self, instrument: String, options: &JsValue, cancel: Option<Cancel>) -> Promise {
        let interval = text(options, "interval").map_or(Ok(Interval::Ms100), |given| interval(&given));
        let depth = number(options, "depth").map(|depth| depth as u16);
        let group = text(options, "group").unwrap_or_else(|| "none".into());
        let client = self.client.clone();
        promise(cancel, async move {
            let interval = interval?;
            let book = match depth {
                None => Book::open(&client, instrument, interval).await,
                Some(depth) => Book::open_grouped(&client, instrument, group, depth, interval).await,
            };
            Ok(BookCore::new(book?).into())
        })
    }
}

fn interval(given: &str) -> Result<Interval, ConfigError> {
    match given {
        "raw" => Ok(Interval::Raw),
        "100ms" => Ok(Interval::Ms100),
        "agg2" => Ok(Interval::Agg2),
        _ => Err(ConfigError { field: "interval", problem: "must be raw, 100ms or agg2".into() }),
    }
}

/// A maintained book.
#[wasm_bindgen]
pub struct BookCore(RefCell<Inner>);

struct Inner {
    /// `None` once it was closed.
    book: Option<Book>,
    bell: Option<Bell>,
    /// The status that was told last: since when, its name and reason, and the object that told it.
    status: Option<(Told, JsValue)>,
    /// Where numbers wait to go out.
    numbers: Vec<f64>,
}

type Told = (Option<Instant>, &'static str, Option<String>);

impl BookCore {
    fn new(book: Book) -> Self {
        Self(RefCell::new(Inner { book: Some(book), bell: None, status: None, numbers: Vec::new() }))
    }
}

#[wasm_bindgen]
impl BookCore {
    /// Has `ring` called once something has changed, each time after nothing had.
    pub fn on_ready(&self, ring: Function) {
        self.0.borrow_mut().bell = Some(Bell::new(ring));
    }

    /// Takes the next change, which is whether more than levels changed; `null` if there was none, `undefined` at the
    /// end.
    pub fn take(&self) -> JsValue {
        let Inner { book: Some(book), bell, .. } = &mut *self.0.borrow_mut() else {
            return JsValue::UNDEFINED;
        };
        let mut cx = Context::from_waker(bell.as_ref().map_or(Waker::noop(), Bell::waker));
        match Pin::new(book).poll_next(&mut cx) {
            Poll::Ready(None) => JsValue::UNDEFINED,
            Poll::Ready(Some(change)) => (change != Change::Updated).into(),
            Poll::Pending => JsValue::NULL,
        }
    }

    /// `{ name, age, reason }`: how long ago it ceased to be live, in milliseconds, and why. The same object until that
    /// changes; `undefined` once it was closed.
    pub fn status(&self) -> JsValue {
        let Inner { book, status: told, .. } = &mut *self.0.borrow_mut();
        let Some(book) = book else { return JsValue::UNDEFINED };
        let age = book.stale_for().map(in_millis);
        let status = book.status();
        let name = match status {
            Status::Live => "live",
            Status::Stale { .. } => "stale",
            Status::Resyncing { .. } => "resyncing",
        };
        let now = (status.since(), name, status.why().map(ToString::to_string));
        if let Some((_, object)) = told.as_ref().filter(|(before, _)| *before == now) {
            return object.clone();
        }
        let reason = now.2.as_deref().into();
        let object = object([("name", name.into()), ("age", age.into()), ("reason", reason)]);
        *told = Some((now, object.clone()));
        object
    }

    /// The channel's name.
    pub fn channel(&self) -> Option<String> {
        self.0.borrow().book.as_ref().map(|book| book.channel().to_owned())
    }

    /// Names this state of the book.
    pub fn change_id(&self) -> f64 {
        self.0.borrow_mut().book.as_mut().map_or(0.0, |book| book.last_known().0.change_id() as f64)
    }

    /// When it last changed, by the venue's clock.
    pub fn timestamp(&self) -> f64 {
        self.0.borrow_mut().book.as_mut().map_or(0.0, |book| book.last_known().0.timestamp() as f64)
    }

    /// How many levels a side has.
    pub fn depth(&self, bids: bool) -> usize {
        let mut inner = self.0.borrow_mut();
        let Some(book) = &mut inner.book else { return 0 };
        let levels = book.last_known().0;
        if bids { levels.bids().len() } else { levels.asks().len() }
    }

    /// Writes the best levels of a side, as prices and amounts in turn; how many there were and fitted.
    pub fn levels(&self, bids: bool, into: &Float64Array) -> usize {
        let Inner { book: Some(book), numbers, .. } = &mut *self.0.borrow_mut() else { return 0 };
        let levels = book.last_known().0;
        let most = into.length() as usize / 2;
        numbers.clear();
        let mut write = |level: Level| numbers.extend([level.price, level.amount]);
        if bids {
            levels.bids().take(most).for_each(&mut write);
        } else {
            levels.asks().take(most).for_each(&mut write);
        }
        into.subarray(0, numbers.len() as u32).copy_from(numbers);
        numbers.len() / 2
    }

    /// `{ price, worst, filled }` of an order that takes from the asks or the bids.
    pub fn fill(&self, from_asks: bool, amount: f64) -> JsValue {
        let mut inner = self.0.borrow_mut();
        let side = if from_asks { Side::Asks } else { Side::Bids };
        let fill = inner.book.as_mut().and_then(|book| book.last_known().0.fill(side, amount));
        fill.map_or(JsValue::UNDEFINED, |fill| {
            let (price, worst, filled) = (fill.price.into(), fill.worst.into(), fill.filled.into());
            object([("price", price), ("worst", worst), ("filled", filled)])
        })
    }

    /// Leaves the channel. It rings no more.
    pub fn close(&self) {
        let mut inner = self.0.borrow_mut();
        let left = (inner.book.take(), inner.bell.take());
        drop(inner);
        drop(left);
    }
}
