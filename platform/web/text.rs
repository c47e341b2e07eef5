//! How strings come into this program's memory, through one buffer that all sockets use in turn, and out of it again.

use std::cell::RefCell;

use bytes::Bytes;
use js_sys::JsString;
use wasm_bindgen::prelude::*;

use super::js::{NO_ROOM, NO_STRING, encode};
use crate::frame::Text;
use crate::payload::Payload;

/// The buffer's size. It grows for larger messages, and is given back to this size after use.
const KEPT: usize = 64 * 1024;

thread_local! {
    static INTAKE: RefCell<Intake> = RefCell::new(Intake {
        memory: wasm_bindgen::memory(),
        buffer: vec![0; KEPT],
        last: None,
    });
}

struct Intake {
    memory: JsValue,
    buffer: Vec<u8>,
    /// The message that came last, in both forms, when a part of it has the same place in both.
    last: Option<(Bytes, JsString)>,
}

/// What became of a value that came as a message.
pub(super) enum Taken {
    Text(Text),
    /// It has more bytes than the limit.
    TooLarge,
    /// Something else.
    NoString,
}

/// Takes a string in.
pub(super) fn take(value: &JsValue, limit: usize) -> Taken {
    INTAKE.with_borrow_mut(|intake| intake.take(value, limit))
}

/// A payload as a JavaScript string: without a copy where it is part of the message that came last, as it is for whoever
/// is woken by that.
pub fn string_of(payload: &Payload) -> JsString {
    let part = INTAKE.with_borrow(|intake| intake.part(payload.as_bytes()));
    part.unwrap_or_else(|| payload.as_str().unwrap_or_default().into())
}

impl Intake {
    fn take(&mut self, value: &JsValue, limit: usize) -> Taken {
        let mut written = self.encode(value);
        if written == NO_ROOM {
            // Each UTF-16 unit takes one byte at least, and three at most.
            let units = value.unchecked_ref::<JsString>().length() as usize;
            if units > limit {
                return Taken::TooLarge;
            }
            self.buffer.resize(units.saturating_mul(3).min(limit), 0);
            written = self.encode(value);
        }
        let taken = match usize::try_from(written) {
            Ok(length) if length <= limit => self.keep(value, length),
            _ if written == NO_STRING => Taken::NoString,
            _ => Taken::TooLarge,
        };
        if self.buffer.len() > KEPT {
            self.buffer = vec![0; KEPT];
            self.last = None;
        }
        taken
    }

    fn keep(&mut self, value: &JsValue, length: usize) -> Taken {
        let bytes = Bytes::copy_from_slice(&self.buffer[..length]);
        let string = value.unchecked_ref::<JsString>();
        self.last = bytes.is_ascii().then(|| (bytes.clone(), string.clone()));
        // An encoder gives nothing but UTF-8.
        Text::try_from(bytes).map_or(Taken::NoString, Taken::Text)
    }

    /// Writes a string to the buffer; how many bytes that took, or one of the numbers that say why it was not done.
    fn encode(&mut self, value: &JsValue) -> i32 {
        encode(value, &self.memory, self.buffer.as_mut_ptr() as usize, self.buffer.len())
    }

    fn part(&self, bytes: &[u8]) -> Option<JsString> {
        let (whole, string) = self.last.as_ref()?;
        let start = (bytes.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
        let end = start + bytes.len();
        (end <= whole.len()).then(|| string.slice(start as u32, end as u32))
    }
}
