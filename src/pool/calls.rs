//! A call that goes to the member in the best health.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::members::{MemberId, Members, Verdict};
use crate::client::Call;
use crate::error::{Error, NotSent};
use crate::mailbox::Outcome;
use crate::protocol::Request;
use crate::time::Instant;

/// A call under way: see [`Pool::request`](super::Pool::request). Dropping it cancels what has not left yet.
#[derive(Debug)]
#[must_use = "a call is not made until it is awaited"]
pub struct PoolCall {
    members: Arc<Members>,
    request: Request,
    timeout: Option<Duration>,
    /// When it was first given to a member.
    began: Option<Instant>,
    tried: Vec<MemberId>,
    under_way: Option<UnderWay>,
    done: bool,
}

#[derive(Debug)]
struct UnderWay {
    members: Arc<Members>,
    member: MemberId,
    call: Call,
    since: Instant,
    verdict: Verdict,
}

/// Whatever becomes of it, the member has one call less.
impl Drop for UnderWay {
    fn drop(&mut self) {
        self.members.finished(self.member, self.verdict);
    }
}

impl PoolCall {
    pub(super) fn new(members: Arc<Members>, request: Request) -> Self {
        Self { members, request, timeout: None, began: None, tried: Vec::new(), under_way: None, done: false }
    }

    /// How long it may take on all members together. Default: the first one's
    /// [`Config::call_timeout`](crate::Config::call_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Gives it to the best member that has not had it. `None` when there is none, or no time.
    fn next(&mut self) -> Option<UnderWay> {
        let (member, client) = self.members.choose(&self.tried)?;
        let since = client.now();
        let began = *self.began.get_or_insert(since);
        let timeout = *self.timeout.get_or_insert(client.call_timeout());
        let left = timeout.saturating_sub(since.since(began));
        self.tried.push(member);
        let call = client.request(self.request.clone()).timeout(left);
        let under_way =
            UnderWay { members: self.members.clone(), member, call, since, verdict: Verdict::Nothing };
        (!left.is_zero()).then_some(under_way)
    }

    fn end(&mut self, outcome: Outcome) -> Poll<Outcome> {
        self.done = true;
        Poll::Ready(outcome)
    }
}

impl Future for PoolCall {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = self.get_mut();
        if this.done {
            return Poll::Pending;
        }
        let mut last = NotSent::Offline;
        loop {
            if this.under_way.is_none() {
                this.under_way = this.next();
            }
            let Some(under_way) = &mut this.under_way else { return this.end(Err(last.into())) };
            let outcome = ready!(Pin::new(&mut under_way.call).poll(cx));
            let took = this.members.now().map_or(Duration::ZERO, |now| now.since(under_way.since));
            under_way.verdict = verdict(&outcome, took);
            this.under_way = None;
            match outcome {
                Err(Error::NotSent(reason)) if this.members.options.failover && is_members_own(&reason) => {
                    last = reason;
                }
                outcome => return this.end(outcome),
            }
        }
    }
}

fn verdict(outcome: &Outcome, took: Duration) -> Verdict {
    match outcome {
        Ok(_) | Err(Error::Rejected(_)) => Verdict::Answered(took),
        Err(Error::Unknown(_)) => Verdict::Failed,
        Err(Error::NotSent(NotSent::DeadlinePassed)) => Verdict::Failed,
        Err(Error::NotSent(reason)) if is_members_own(reason) => Verdict::Failed,
        Err(_) => Verdict::Nothing,
    }
}

/// Whether another member may fare better. That it did not leave is certain.
fn is_members_own(reason: &NotSent) -> bool {
    match reason {
        NotSent::QueueFull
        | NotSent::Disconnected(_)
        | NotSent::Offline
        | NotSent::RateLimited(_)
        | NotSent::Busy
        | NotSent::Draining
        | NotSent::Ended(_) => true,
        NotSent::DeadlinePassed
        | NotSent::TooExpensive
        | NotSent::TooLarge { .. }
        | NotSent::Params(_)
        | NotSent::Unsupported(_)
        | NotSent::NotLoggedIn => false,
    }
}
