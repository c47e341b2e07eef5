//! Plain JavaScript objects, read and written by name.

use std::time::Duration;

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

/// A member that is there.
pub fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

/// A number that is there.
pub fn number(object: &JsValue, name: &str) -> Option<f64> {
    member(object, name)?.as_f64()
}

/// A text that is there.
pub fn text(object: &JsValue, name: &str) -> Option<String> {
    member(object, name)?.as_string()
}

/// A time in milliseconds that is there. What is no time becomes none at all, which validation then refuses.
pub fn millis(object: &JsValue, name: &str) -> Option<Duration> {
    number(object, name).map(duration)
}

/// Milliseconds as a duration.
pub fn duration(millis: f64) -> Duration {
    Duration::try_from_secs_f64(millis / 1000.0).unwrap_or(if millis > 0.0 {
        Duration::MAX
    } else {
        Duration::ZERO
    })
}

/// A duration in milliseconds.
pub fn in_millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// A new object with these members.
pub fn object<const N: usize>(members: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new().into();
    add(&object, &members);
    object
}

fn add(object: &JsValue, members: &[(&str, JsValue)]) {
    members.iter().for_each(|(name, value)| set(object, name, value));
}

/// Adds a member to an object of our own, which refuses nothing.
pub fn set(object: &JsValue, name: &str, value: impl Into<JsValue>) {
    let _ = Reflect::set(object, &name.into(), &value.into());
}
