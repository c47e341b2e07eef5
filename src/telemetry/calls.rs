//! Calls that are observed: what their observations tell, and no more than that.

use std::borrow::Cow;
use std::time::Duration;

use super::{Observation, Observed, Outcome};
use crate::error::{Category, Error, NotSent, RpcError};
use crate::payload::Payload;
use crate::protocol::{Request, RequestId};
use crate::session::Work;
use crate::table::Table;
use crate::time::Instant;

/// The calls of one session under observation. Empty while nobody observes, and nothing at all without the feature.
#[derive(Debug)]
pub(crate) struct Calls(#[cfg(feature = "telemetry")] Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    observed: Observed,
    calls: Table<Call>,
    /// When the present attempt began, or the connection was made.
    since: Instant,
}

#[derive(Debug)]
struct Call {
    method: Cow<'static, str>,
    submitted: Instant,
    sent: Option<Instant>,
    /// That it waits for credits was told.
    limited: bool,
}

impl Calls {
    #[cfg(feature = "telemetry")]
    pub(crate) fn new(observed: &Observed) -> Self {
        Self(observed.is_heard().then(|| {
            let (observed, calls) = (observed.clone(), Table::default());
            Box::new(Open { observed, calls, since: Instant::ZERO })
        }))
    }

    #[cfg(not(feature = "telemetry"))]
    pub(crate) fn new(_: &Observed) -> Self {
        Self()
    }

    #[inline]
    fn with(&mut self, observe: impl FnOnce(&mut Open)) {
        #[cfg(feature = "telemetry")]
        if let Some(open) = &mut self.0 {
            observe(open);
        }
        #[cfg(not(feature = "telemetry"))]
        drop(observe);
    }

    /// An attempt to connect begins.
    pub(crate) fn connecting(&mut self, now: Instant) {
        self.with(|open| open.since = now);
    }

    /// It succeeded.
    pub(crate) fn connected(&mut self, now: Instant) {
        self.with(|open| {
            let after = now.since(std::mem::replace(&mut open.since, now));
            open.observed.tell(|| Observation::Connected { after });
        });
    }

    /// The connection is live.
    pub(crate) fn restored(&mut self, now: Instant) {
        self.with(|open| open.observed.tell(|| Observation::Restored { after: now.since(open.since) }));
    }

    /// A call is to be sent.
    pub(crate) fn submit(&mut self, now: Instant, id: RequestId, request: &Request) {
        self.with(|open| open.submit(now, id, request));
    }

    /// Something is to be sent.
    pub(crate) fn submit_work(&mut self, now: Instant, id: RequestId, work: &Work) {
        self.with(|open| match work {
            Work::Call(request) | Work::Notify(request) => open.submit(now, id, request),
            Work::Batch(items) => {
                for (member, request) in items {
                    member.iter().for_each(|member| open.submit(now, *member, request));
                }
            }
            Work::Message(_) => {}
        });
    }

    /// There are no credits for it yet.
    pub(crate) fn limited(&mut self, id: RequestId, work: &Work, wait: Option<Duration>) {
        self.with(|open| {
            open.limit(id, wait);
            work.members().into_iter().for_each(|member| open.limit(member, wait));
        });
    }

    /// It was given to the socket.
    pub(crate) fn sent(&mut self, now: Instant, id: RequestId) {
        self.with(|open| open.send(now, id));
    }

    /// It was given to the socket, and nobody waits for an answer.
    pub(crate) fn left(&mut self, now: Instant, id: RequestId) {
        self.with(|open| {
            open.send(now, id);
            open.settle(id, Outcome::Sent, None);
        });
    }

    /// A reply to it came.
    pub(crate) fn answered(&mut self, now: Instant, id: RequestId, result: &Result<Payload, RpcError>) {
        self.with(|open| {
            // A server may answer what was not sent yet.
            let Some(sent) = open.calls.get(id).and_then(|call| call.sent) else { return };
            let outcome = match result {
                Ok(_) => Outcome::Answered,
                Err(error) => Outcome::Rejected { code: error.code, category: error.meaning.category },
            };
            open.settle(id, outcome, Some(now.since(sent)));
        });
    }

    /// It ended without an answer. Harmless when it has ended.
    pub(crate) fn failed(&mut self, id: RequestId, error: impl FnOnce() -> Error) {
        self.with(|open| {
            let error = error();
            let category = error.category();
            let outcome = match error {
                Error::NotSent(NotSent::RateLimited(_) | NotSent::Busy | NotSent::TooExpensive) => {
                    if let Some(Call { method, .. }) = open.calls.get(id) {
                        open.observed.tell(|| Observation::LimiterRefused { method });
                    }
                    Outcome::NotSent(category)
                }
                Error::NotSent(_) => Outcome::NotSent(category),
                _ => Outcome::Unknown(category),
            };
            open.settle(id, outcome, None);
        });
    }

    /// Nobody waits for it any more.
    pub(crate) fn cancelled(&mut self, id: RequestId) {
        self.with(|open| open.settle(id, Outcome::Cancelled, None));
    }
}

impl Open {
    fn submit(&mut self, now: Instant, id: RequestId, request: &Request) {
        let method = request.method.clone();
        self.observed.tell(|| Observation::Submitted { method: &method });
        self.calls.insert(id, Call { method, submitted: now, sent: None, limited: false });
    }

    fn limit(&mut self, id: RequestId, wait: Option<Duration>) {
        let Some(Call { method, limited, .. }) = self.calls.get_mut(id) else { return };
        if !std::mem::replace(limited, true) {
            self.observed.tell(|| Observation::Limited { method, wait });
        }
    }

    fn send(&mut self, now: Instant, id: RequestId) {
        let Some(Call { method, submitted, sent, .. }) = self.calls.get_mut(id) else { return };
        *sent = Some(now);
        self.observed.tell(|| Observation::Sent { method, waited: now.since(*submitted) });
    }

    fn settle(&mut self, id: RequestId, outcome: Outcome, round_trip: Option<Duration>) {
        let Some(Call { method, .. }) = self.calls.remove(id) else { return };
        self.observed.tell(|| Observation::Settled { method: &method, outcome, round_trip });
    }
}

/// Only after a panic there are calls left.
impl Drop for Open {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for Call { method, sent, .. } in std::mem::take(&mut self.calls).into_values() {
            let fault = Category::Application;
            let outcome = if sent.is_some() { Outcome::Unknown(fault) } else { Outcome::NotSent(fault) };
            self.observed.tell(|| Observation::Settled { method: &method, outcome, round_trip: None });
        }
    }
}
