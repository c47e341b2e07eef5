//! From futures to promises.

use std::future::Future;
use std::pin::Pin;

use futures::future::{Either, select};
use js_sys::Promise;
use steadysocket::Error;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use crate::errors;

/// A promise of what the future gives. When `cancel` settles first, the future is dropped, and nobody looks at what the
/// promise gives. `cancel` must settle in the end, or it would be held for ever.
pub fn promise(
    cancel: Option<Promise>,
    future: impl Future<Output = Result<JsValue, Error>> + 'static,
) -> Promise {
    start(cancel, Box::pin(future))
}

/// Compiled once for all futures.
fn start(cancel: Option<Promise>, future: Pin<Box<dyn Future<Output = Result<JsValue, Error>>>>) -> Promise {
    future_to_promise(async move {
        let outcome = match cancel {
            None => future.await,
            Some(cancel) => match select(future, JsFuture::from(cancel)).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right(_) => Ok(JsValue::UNDEFINED),
            },
        };
        outcome.map_err(|error| errors::error(&error))
    })
}
