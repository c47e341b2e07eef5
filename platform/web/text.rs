//! How strings come into this program's memory: through one buffer that all sockets use in turn.

use std::cell::RefCell;

use bytes::Bytes;
use js_sys::JsString;

use super::js::TextEncoder;
use crate::frame::Text;

/// A buffer that grew beyond this is given back after use.
const KEPT: usize = 1024 * 1024;

thread_local! {
    static INTAKE: RefCell<Intake> = RefCell::new(Intake { encoder: TextEncoder::new(), buffer: Vec::new() });
}

struct Intake {
    encoder: TextEncoder,
    buffer: Vec<u8>,
}

/// Takes a string in, unless it has more than `limit` bytes.
pub(super) fn take(string: &JsString, limit: usize) -> Option<Text> {
    INTAKE.with_borrow_mut(|intake| {
        let text = intake.encode(string, limit).and_then(|bytes| Text::try_from(bytes).ok());
        if intake.buffer.len() > KEPT {
            intake.buffer = Vec::new();
        }
        text
    })
}

impl Intake {
    fn encode(&mut self, string: &JsString, limit: usize) -> Option<Bytes> {
        let units = string.length();
        // Each UTF-16 unit takes one byte at least, and three at most. Most text is ASCII, so it fits the first time.
        let least = units as usize;
        if least > limit {
            return None;
        }
        self.reserve(least);
        let mut done = self.encoder.encode_into(string, &mut self.buffer);
        if done.read() < units {
            self.reserve(least.saturating_mul(3).min(limit));
            done = self.encoder.encode_into(string, &mut self.buffer);
        }
        let bytes = self.buffer.get(..done.written() as usize)?;
        (done.read() == units && bytes.len() <= limit).then(|| Bytes::copy_from_slice(bytes))
    }

    fn reserve(&mut self, length: usize) {
        if self.buffer.len() < length {
            self.buffer.resize(length, 0);
        }
    }
}
