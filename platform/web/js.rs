//! What is called by name on whatever global there is: `window`, a worker's `self`, or another runtime's.

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(super) fn performance_now() -> f64;

    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    fn get_random_values(into: &mut [u8]) -> Result<Object, JsValue>;
}

/// It has not enough room for the string.
pub(super) const NO_ROOM: i32 = -1;
/// The value is no string.
pub(super) const NO_STRING: i32 = -2;

// What is done for each message is done there, because each call from here to there costs as much as to read a hundred
// bytes. A view of memory is made again when memory has grown, which takes the old one away.
#[wasm_bindgen(inline_js = r"
const encoder = new TextEncoder()
let view = new Uint8Array()
export function encode(text, memory, at, room) {
  if (typeof text !== 'string') return -2
  if (view.length !== room || view.byteOffset !== at || view.buffer !== memory.buffer) {
    view = new Uint8Array(memory.buffer, at, room)
  }
  const { read, written } = encoder.encodeInto(text, view)
  return read === text.length ? written : -1
}
// What an event of a class other than the browser's throws must not pass through the handler.
export function reading(handler) {
  return (event) => {
    let data
    try {
      data = event.data
    } catch {}
    handler(data)
  }
}
")]
extern "C" {
    /// Writes a string as UTF-8 into memory, at this address; how many bytes that took.
    pub(super) fn encode(text: &JsValue, memory: &JsValue, at: usize, room: usize) -> i32;

    /// A handler of message events that passes their data on.
    pub(super) fn reading(handler: &Function) -> Function;
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
