//! Updates of a subscription, of messages or of events, taken one at a time.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures::Stream;
use js_sys::{Array, Function};
use steadysocket::protocol::Unmatched;
use steadysocket::{Event, Feed, Message, Payload, State, Subscription, Update};
use wasm_bindgen::prelude::*;

use crate::bell::Bell;
use crate::errors;
use crate::objects::{in_millis, object, set};

/// A stream of updates for JavaScript.
#[wasm_bindgen]
pub struct Updates(RefCell<Inner>);

struct Inner {
    /// `None` once it was closed from outside.
    source: Option<Source>,
    bell: Option<Bell>,
    dropped: f64,
}

enum Source {
    Data(Subscription),
    Messages(Feed<Unmatched>),
    Events(Feed<Event>),
}

impl Updates {
    /// A subscription's data.
    pub fn of_data(subscription: Subscription) -> Self {
        Self::new(Source::Data(subscription))
    }

    /// What belongs to nobody.
    pub fn of_messages(feed: Feed<Unmatched>) -> Self {
        Self::new(Source::Messages(feed))
    }

    /// What happens to the connection.
    pub fn of_events(feed: Feed<Event>) -> Self {
        Self::new(Source::Events(feed))
    }

    fn new(source: Source) -> Self {
        Self(RefCell::new(Inner { source: Some(source), bell: None, dropped: 0.0 }))
    }
}

impl Inner {
    fn poll(&mut self) -> Poll<JsValue> {
        let mut cx = Context::from_waker(self.bell.as_ref().map_or(Waker::noop(), Bell::waker));
        match &mut self.source {
            None => Poll::Ready(JsValue::UNDEFINED),
            Some(Source::Data(source)) => next(source, &mut cx, &|data: Payload| errors::payload(&data)),
            Some(Source::Messages(source)) => next(source, &mut cx, &|message| unmatched(&message)),
            Some(Source::Events(source)) => next(source, &mut cx, &|event| describe_event(&event)),
        }
    }
}

#[wasm_bindgen]
impl Updates {
    /// Has `ring` called once something can be taken, each time after nothing could be.
    pub fn on_ready(&self, ring: Function) {
        self.0.borrow_mut().bell = Some(Bell::new(ring));
    }

    /// The next update if one waits, else `null`; `undefined` at the end. Data is itself, news is an array that starts
    /// with its name.
    pub fn take(&self) -> JsValue {
        match self.0.borrow_mut().poll() {
            Poll::Ready(update) => update,
            Poll::Pending => JsValue::NULL,
        }
    }

    /// How many updates were dropped or replaced because the consumer was too slow.
    pub fn dropped(&self) -> f64 {
        let inner = self.0.borrow();
        match &inner.source {
            Some(Source::Data(source)) => source.dropped() as f64,
            Some(Source::Messages(source)) => source.dropped() as f64,
            Some(Source::Events(source)) => source.dropped() as f64,
            None => inner.dropped,
        }
    }

    /// How many updates of a subscription wait to be read.
    pub fn waiting(&self) -> usize {
        match &self.0.borrow().source {
            Some(Source::Data(source)) => source.waiting(),
            Some(Source::Messages(_) | Source::Events(_)) | None => 0,
        }
    }

    /// Has a subscription's channel begin anew.
    pub fn renew(&self) {
        if let Some(Source::Data(source)) = &self.0.borrow().source {
            source.renew();
        }
    }

    /// Leaves. It rings no more, and gives `undefined`.
    pub fn close(&self) {
        let dropped = self.dropped();
        let mut inner = self.0.borrow_mut();
        inner.dropped = dropped;
        let left = (inner.source.take(), inner.bell.take());
        drop(inner);
        drop(left);
    }
}

fn next<T, S: Stream<Item = Update<T>> + Unpin>(
    source: &mut S,
    cx: &mut Context<'_>,
    data: &dyn Fn(T) -> JsValue,
) -> Poll<JsValue> {
    Pin::new(source).poll_next(cx).map(|update| describe(update.map(|update| update.map(data))))
}

/// Compiled once for all sources.
fn describe(update: Option<Update<JsValue>>) -> JsValue {
    match update {
        None => JsValue::UNDEFINED,
        Some(Update::Data(item)) => item,
        Some(Update::Lagged(count)) => news("lagged", count as f64),
        Some(Update::Interrupted(reason)) => news("interrupted", errors::disconnect(&reason)),
        Some(Update::Renewing) => news("renewing", JsValue::UNDEFINED),
        Some(Update::Resumed) => news("resumed", JsValue::UNDEFINED),
        Some(Update::Refused(reason)) => news("refused", errors::text(&reason)),
        Some(Update::Overflowed) => news("overflowed", JsValue::UNDEFINED),
        Some(Update::Invalid(problem)) => news("invalid", errors::text(&problem)),
        Some(_) => news("other", JsValue::UNDEFINED),
    }
}

fn news(name: &str, detail: impl Into<JsValue>) -> JsValue {
    Array::of2(&name.into(), &detail.into()).into()
}

fn unmatched(message: &Unmatched) -> JsValue {
    let kind = |kind: &str| ("kind", kind.into());
    match message {
        Unmatched::Message(Message::Text(text)) => object([kind("text"), ("text", text.as_str().into())]),
        Unmatched::Message(Message::Binary(bytes)) => {
            object([kind("binary"), ("bytes", js_sys::Uint8Array::from(bytes.as_ref()).into())])
        }
        Unmatched::Notification { method, params } => object([
            kind("notification"),
            ("method", method.as_str().into()),
            ("params", errors::payload(params)),
        ]),
        Unmatched::Request { id, method, params } => object([
            kind("request"),
            ("id", id.as_str().into()),
            ("method", method.as_str().into()),
            ("params", errors::payload(params)),
        ]),
        Unmatched::Error(error) => object([kind("error"), ("error", errors::rpc(error))]),
        _ => object([kind("other")]),
    }
}

/// A state as an object.
pub fn state(state: &State) -> JsValue {
    let name = |name: &str| ("name", name.into());
    match state {
        State::Connecting { attempt } => object([name("connecting"), ("attempt", (*attempt).into())]),
        State::Restoring => object([name("restoring")]),
        State::Live => object([name("live")]),
        State::Waiting { attempt, delay, reason } => object([
            name("waiting"),
            ("attempt", (*attempt).into()),
            ("delay", in_millis(*delay).into()),
            ("reason", errors::disconnect(reason)),
        ]),
        State::Closing => object([name("closing")]),
        State::Ended(reason) => object([name("ended"), ("reason", errors::ended(reason))]),
        _ => object([name("other")]),
    }
}

fn describe_event(event: &Event) -> JsValue {
    let (name, detail) = match event {
        Event::State(now) => ("state", state(now)),
        Event::Disconnected(reason) => ("disconnected", errors::disconnect(reason)),
        Event::Invalid(problem) => ("invalid", problem.as_str().into()),
        Event::LateReply(id) => ("latereply", (id.0 as f64).into()),
        Event::UnknownReply(id) => ("unknownreply", (id.0 as f64).into()),
        Event::Refused { channel, reason } => {
            let detail = object([("channel", channel.as_str().into())]);
            set(&detail, "reason", errors::text(reason));
            ("refused", detail)
        }
        Event::Unmatched => ("unmatched", JsValue::UNDEFINED),
        Event::Asked => ("asked", JsValue::UNDEFINED),
        Event::Answered(after) => ("answered", in_millis(*after).into()),
        _ => ("other", JsValue::UNDEFINED),
    };
    news(name, detail)
}
