//! From futures to promises.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use js_sys::Promise;
use steadysocket::Error;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::errors;

type Work = Pin<Box<dyn Future<Output = Result<JsValue, Error>>>>;

/// Cancels the work that it was given away with. That is gone when `cancel` returns: by way of a promise it would go some
/// microtasks later, in which a request may still leave.
#[wasm_bindgen]
#[derive(Clone, Default)]
pub struct Cancel(Rc<RefCell<Slot>>);

#[derive(Default)]
struct Slot {
    /// `None` before it is given, while it is polled, and when it is over.
    work: Option<Work>,
    cancelled: bool,
    waker: Option<Waker>,
}

#[wasm_bindgen]
impl Cancel {
    /// A handle for one call.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another handle to the same, to be given away.
    pub fn share(&self) -> Self {
        self.clone()
    }

    /// Drops the work; its promise gives nothing.
    pub fn cancel(&self) {
        let mut slot = self.0.borrow_mut();
        slot.cancelled = true;
        let (work, waker) = (slot.work.take(), slot.waker.take());
        drop(slot);
        drop(work);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Cancel {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<JsValue, Error>> {
        let Some(mut work) = self.0.borrow_mut().work.take() else {
            return Poll::Ready(Ok(JsValue::UNDEFINED));
        };
        let outcome = work.as_mut().poll(cx);
        let mut slot = self.0.borrow_mut();
        match outcome {
            Poll::Pending if !slot.cancelled => {
                slot.work = Some(work);
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Poll::Pending => Poll::Ready(Ok(JsValue::UNDEFINED)),
            ready => ready,
        }
    }
}

/// A promise of what the future gives, and nothing once it is cancelled.
pub fn promise(
    cancel: Option<Cancel>,
    future: impl Future<Output = Result<JsValue, Error>> + 'static,
) -> Promise {
    start(cancel.unwrap_or_default(), Box::pin(future))
}

/// Compiled once for all futures.
fn start(cancel: Cancel, work: Work) -> Promise {
    cancel.0.borrow_mut().work = Some(work);
    future_to_promise(
        async move { poll_fn(|cx| cancel.poll(cx)).await.map_err(|error| errors::error(&error)) },
    )
}
