//! A rate limiter that several clients share.

use std::cell::OnceCell;
use std::rc::Rc;

use js_sys::{Array, Object};
use steadysocket::error::ConfigError;
use steadysocket::transport::Platform;
use steadysocket::{Bucket, Limiter, Refill, Web};
use wasm_bindgen::prelude::*;

use crate::objects::{number, object};
use crate::options::wrong;

/// The limiter of the first client that uses it, for all that come after.
#[wasm_bindgen]
#[derive(Clone)]
pub struct SharedLimiter(Rc<Shared>);

struct Shared {
    /// What is to be other than the protocol says: an object for each bucket, by name.
    changes: Object,
    limiter: OnceCell<Limiter>,
}

#[wasm_bindgen]
impl SharedLimiter {
    /// A limiter that nobody uses yet.
    #[wasm_bindgen(constructor)]
    pub fn new(changes: Object) -> Self {
        Self(Rc::new(Shared { changes, limiter: OnceCell::new() }))
    }

    /// Another handle to the same limiter, to be given away.
    pub fn share(&self) -> Self {
        self.clone()
    }

    /// Each bucket as it is now; none before the first client.
    pub fn levels(&self) -> Array {
        let Some(limiter) = self.0.limiter.get() else { return Array::new() };
        let now = Web::new().now();
        let levels = Array::new();
        for (index, bucket) in limiter.buckets().into_iter().enumerate() {
            levels.push(&object([
                ("name", bucket.name.into()),
                ("capacity", (bucket.capacity as f64).into()),
                ("refill", refill(bucket.refill)),
                ("reserve", (bucket.reserve as f64).into()),
                ("available", (limiter.available(now, index).unwrap_or_default() as f64).into()),
            ]));
        }
        levels
    }
}

impl SharedLimiter {
    /// The limiter, made of a protocol's buckets when this is the first to ask.
    pub fn limiter(&self, mut buckets: Vec<Bucket>) -> Result<Limiter, ConfigError> {
        if let Some(limiter) = self.0.limiter.get() {
            return Ok(limiter.clone());
        }
        for entry in Object::entries(&self.0.changes) {
            let entry: Array = entry.unchecked_into();
            let name = entry.get(0).as_string();
            let bucket = buckets.iter_mut().find(|bucket| Some(bucket.name) == name.as_deref());
            let Some(bucket) = bucket else {
                return Err(wrong("limiter", "names a bucket that the protocol does not have"));
            };
            change(bucket, &entry.get(1));
        }
        Ok(self.0.limiter.get_or_init(|| Limiter::new(buckets)).clone())
    }
}

/// How many a second; `null` for credits that come back with an answer.
fn refill(refill: Refill) -> JsValue {
    match refill {
        Refill::PerSecond(credits) => (credits as f64).into(),
        Refill::WhenAnswered => JsValue::NULL,
    }
}

fn change(bucket: &mut Bucket, given: &JsValue) {
    let set = |name, value: &mut u64| *value = number(given, name).map_or(*value, |given| given as u64);
    set("capacity", &mut bucket.capacity);
    if let Refill::PerSecond(credits) = &mut bucket.refill {
        set("refill", credits);
    }
    set("reserve", &mut bucket.reserve);
}
