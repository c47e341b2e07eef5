//! What the page notices about itself and the network.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::task::AtomicWaker;
use wasm_bindgen::prelude::*;
use web_sys::{Document, Event, EventTarget, VisibilityState};

use super::js::member;
use crate::transport::Signal;

/// More than this waits only while nobody looks, and then the oldest says nothing any more.
const MOST: usize = 8;

/// Listens to the global and the document until it is dropped. A worker has no document, other runtimes have neither.
pub(super) struct Signals {
    shared: Rc<Shared>,
    _listeners: Vec<Listener>,
}

#[derive(Default)]
struct Shared {
    waiting: RefCell<VecDeque<Signal>>,
    waker: AtomicWaker,
}

impl Signals {
    /// Starts to listen. `freeze` is not among it: a page that freezes stops in any case, and `resume` tells.
    pub(super) fn listen() -> Self {
        let shared = Rc::new(Shared::default());
        let mut listeners = Vec::new();
        let mut on = |target: &EventTarget, name, meaning: fn(&Event) -> Option<Signal>| {
            listeners.extend(Listener::new(target, name, meaning, shared.clone()));
        };
        let global: EventTarget = js_sys::global().unchecked_into();
        on(&global, "offline", |_| Some(Signal::Offline));
        on(&global, "online", |_| Some(Signal::Online));
        on(&global, "pageshow", came_from_cache);
        if let Some(document) = member(&global, "document") {
            let document: EventTarget = document.unchecked_into();
            on(&document, "visibilitychange", became_visible);
            on(&document, "resume", |_| Some(Signal::Visible));
        }
        Self { shared, _listeners: listeners }
    }

    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Signal> {
        self.shared.waker.register(cx.waker());
        self.shared.waiting.borrow_mut().pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

impl Shared {
    fn tell(&self, signal: Signal) {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() == MOST {
            waiting.pop_front();
        }
        waiting.push_back(signal);
        drop(waiting);
        self.waker.wake();
    }
}

/// A page that comes back from the back-forward cache; the first time that a page is shown says nothing new.
fn came_from_cache(event: &Event) -> Option<Signal> {
    member(event, "persisted").is_some_and(|persisted| persisted.is_truthy()).then_some(Signal::Visible)
}

fn became_visible(event: &Event) -> Option<Signal> {
    let document: Document = event.target()?.unchecked_into();
    (document.visibility_state() == VisibilityState::Visible).then_some(Signal::Visible)
}

struct Listener {
    target: EventTarget,
    name: &'static str,
    closure: Closure<dyn Fn(Event)>,
}

impl Listener {
    /// Nothing when the target has no events.
    fn new(
        target: &EventTarget,
        name: &'static str,
        meaning: fn(&Event) -> Option<Signal>,
        shared: Rc<Shared>,
    ) -> Option<Self> {
        member(target, "addEventListener")?;
        let closure = Closure::<dyn Fn(Event)>::new(move |event: Event| {
            if let Some(signal) = meaning(&event) {
                shared.tell(signal);
            }
        });
        target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref()).ok()?;
        Some(Self { target: target.clone(), name, closure })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let callback = self.closure.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback(self.name, callback);
    }
}
