//! What is called by name on whatever global there is: `window`, a worker's `self`, or another runtime's.

use js_sys::{JsString, Object, Reflect};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(super) fn performance_now() -> f64;

    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    fn get_random_values(into: &mut [u8]) -> Result<Object, JsValue>;

    /// `TextEncoder`: web-sys copies a string into a Rust `str` before it can be encoded, so it is bound here with the
    /// string as it is.
    pub(super) type TextEncoder;

    #[wasm_bindgen(constructor)]
    pub(super) fn new() -> TextEncoder;

    #[wasm_bindgen(method, js_name = encodeInto)]
    pub(super) fn encode_into(this: &TextEncoder, source: &JsString, into: &mut [u8]) -> Encoded;

    pub(super) type Encoded;

    /// UTF-16 code units that were taken.
    #[wasm_bindgen(method, getter)]
    pub(super) fn read(this: &Encoded) -> u32;

    /// Bytes that were written.
    #[wasm_bindgen(method, getter)]
    pub(super) fn written(this: &Encoded) -> u32;

    /// A message event, maybe of a class other than the browser's. web-sys lets what that throws pass through the handler,
    /// and the inbox would stay borrowed; by name it costs a string for each message.
    pub(super) type Incoming;

    #[wasm_bindgen(method, getter, catch)]
    pub(super) fn data(this: &Incoming) -> Result<JsValue, JsValue>;
}

/// A member of an object, unless it is missing.
pub(super) fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

/// A random number. It spreads clients over time, and guards nothing.
pub(super) fn random() -> u64 {
    let mut bytes = [0; 8];
    match get_random_values(&mut bytes) {
        Ok(_) => u64::from_ne_bytes(bytes),
        Err(_) => js_sys::Math::random().to_bits(),
    }
}
