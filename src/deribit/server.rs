//! What the server says about itself in every reply: which of the venue's worlds it is, and the time.

use std::time::Duration;

use super::clock::Clock;
use crate::error::OpeningError;
use crate::json::{self, Str};
use crate::jsonrpc::Extra;
use crate::payload::Payload;
use crate::protocol::RequestId;
use crate::time::Instant;

/// The members that replies have besides those of JSON-RPC.
pub(super) const MEMBERS: &[&str] = &["testnet", "usIn", "usOut"];

/// A reply that takes longer than this to come says little about the time.
const LATE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Server {
    /// What it must say that it is.
    expected: Option<bool>,
    /// What it last said on this connection.
    testnet: Option<bool>,
    pub(super) clock: Clock,
    /// A request whose reply is awaited to tell the time, and when it left.
    timed: Option<(RequestId, Instant)>,
}

impl Server {
    pub(super) fn new(expected: Option<bool>) -> Self {
        Self { expected, testnet: None, clock: Clock::default(), timed: None }
    }

    /// A new connection began.
    pub(super) fn reset(&mut self) {
        (self.testnet, self.timed) = (None, None);
    }

    /// A request leaves.
    pub(super) fn asked(&mut self, now: Instant, id: RequestId) {
        if self.timed.is_none_or(|(_, sent)| now.since(sent) > LATE) {
            self.timed = Some((id, now));
        }
    }

    /// `public/get_time` was answered.
    pub(super) fn told(&self, asked: Instant, now: Instant, answer: &Payload) {
        if let Some(millis) = json::unsigned(answer.as_bytes()) {
            self.clock.told(asked, now, millis);
        }
    }

    /// Something came from it. What is wrong with that, if it was not told before.
    pub(super) fn heard(
        &mut self,
        now: Instant,
        reply: Option<RequestId>,
        [testnet, us_in, us_out]: Extra<'_>,
    ) -> Option<OpeningError> {
        if let Some((_, sent)) = self.timed.take_if(|(id, _)| Some(*id) == reply)
            && let Some(times) = us_in.and_then(micros).zip(us_out.and_then(micros))
        {
            self.clock.sample(sent, now, times);
        }
        let testnet = match testnet? {
            b"true" => true,
            b"false" => false,
            _ => return None,
        };
        let is_news = self.testnet.replace(testnet) != Some(testnet);
        self.check().err().filter(|_| is_news)
    }

    /// Refuses to go on when orders would go to another environment than the options say.
    pub(super) fn check(&self) -> Result<(), OpeningError> {
        match (self.expected, self.testnet) {
            (Some(expected), Some(found)) if expected != found => {
                let name = |testnet| if testnet { "the test network" } else { "production" };
                let problem = format!("the server is {}, and {} was asked for", name(found), name(expected));
                Err(OpeningError::WrongServer(problem))
            }
            _ => Ok(()),
        }
    }
}

/// A number of microseconds. Some years ago the venue wrote them as strings.
fn micros(value: &[u8]) -> Option<u64> {
    json::unsigned(value).or_else(|| json::unsigned(&Str::of(value)?.bytes()))
}
