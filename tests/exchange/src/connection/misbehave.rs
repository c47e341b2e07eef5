//! The faults of a connection that do not wait for their moment.

use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::ending::{Ending, How};
use super::{Connection, Flow, end};
use crate::faults::Fault;
use crate::rpc::envelope;

/// An id that no client has come to, and that every client can read as a number.
const UNKNOWN_ID: u64 = 1 << 52;

impl Connection {
    pub(super) fn misbehave(&mut self, fault: Fault) -> Flow {
        match fault {
            Fault::Drop => return end(Ending::fault(How::Fin, "drop")),
            Fault::Reset => return end(Ending::fault(How::Reset, "reset")),
            Fault::Close { code, reason } => return end(Ending::fault(How::Frame(code, reason), "close")),
            Fault::Stall => self.stall(true),
            Fault::Resume => {
                self.stall(false);
                return self.inbox.postponed.take().map_or(Flow::Continue(()), |order| self.obey(order));
            }
            Fault::UnknownReply => self.unknown_reply(),
            Fault::Garbage => self.pipe.push(Message::text("{\"jsonrpc\":\"2.0\",\"met\u{fffd}")),
            Fault::Oversize(bytes) => self.pipe.push(Message::text(padding(bytes))),
            Fault::Binary(bytes) => self.pipe.push(Message::Binary(vec![0xa5; bytes].into())),
            Fault::Pings(count) => {
                (0..count).for_each(|n| self.pipe.push(Message::Ping(Bytes::from(n.to_string()))));
            }
            Fault::StrayUpdate(channel) => self.stray(&channel),
            // The rest waits in the mischief.
            _ => {}
        }
        Flow::Continue(())
    }

    fn stall(&mut self, stalled: bool) {
        self.pipe.stall(stalled);
        self.stalled = stalled.then(Instant::now);
    }

    fn stray(&mut self, channel: &str) {
        let now_ms = self.session.state.clock.millis();
        let stray = self.session.state.floor().stray(channel, now_ms);
        if let Some(item) = stray {
            self.write(item);
        }
    }

    fn unknown_reply(&mut self) {
        let now = self.session.state.clock.micros();
        let timing = envelope::Timing { us_in: now, us_out: now };
        let testnet = self.session.state.settings.testnet;
        let text = envelope::reply(
            Some(&json!(UNKNOWN_ID)),
            &Ok("ok".into()),
            timing,
            testnet,
            &mut self.session.rng,
        );
        self.pipe.push(Message::text(text));
    }
}

/// A JSON text of exactly so many bytes, where that is possible.
fn padding(bytes: usize) -> String {
    format!("{{\"padding\":\"{}\"}}", "x".repeat(bytes.saturating_sub(14)))
}
