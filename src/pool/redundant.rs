//! A channel on two members of a pool.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{FutureExt, Stream};

use super::members::{Key, Members};
use super::merge::{Merge, Position, SIDES, Side};
use super::stream::PoolStream;
use crate::alarm::Alarm;
use crate::error::{DecodeError, Disconnect, Error};
use crate::payload::Payload;
use crate::queue::Update;
use crate::time::Instant;

/// One channel from two members of a [`Pool`](super::Pool), each message once and in order.
///
/// While one copy is live, that the other was cut is not told, because nothing was lost. A copy that comes back ahead
/// of the other waits for what that one still brings, within [`PoolOptions::hold`](super::PoolOptions::hold) and
/// [`hold_messages`](super::PoolOptions::hold_messages). What neither brought is told by
/// [`Update::Lagged`], with 1 where the number is not known; [`Update::Interrupted`] comes when neither is live. After
/// that the sequence may begin anew; without it a sequence must not go back, or one copy's messages are taken for old.
#[must_use = "dropping a stream leaves its channel"]
pub struct Redundant<F> {
    members: Arc<Members>,
    copies: [PoolStream; 2],
    merge: Merge,
    sequence: F,
    alarm: Option<(Instant, Alarm)>,
    /// The pool was told that the copies have met.
    settled: bool,
    over: [bool; 2],
    turn: bool,
}

impl<F> fmt::Debug for Redundant<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redundant").field("copies", &self.copies).finish_non_exhaustive()
    }
}

impl<F: FnMut(&Payload) -> Option<Position> + Unpin> Redundant<F> {
    pub(super) async fn open(members: Arc<Members>, channel: String, sequence: F) -> Result<Self, Error> {
        let one = PoolStream::open(members.clone(), channel.clone(), None).await?;
        let other = PoolStream::enter(members.clone(), Key { channel: channel.into(), copy: 1 }, None);
        let merge = Merge::new(members.options.hold, members.options.hold_messages);
        members.settle(false);
        let copies = [one, other];
        Ok(Self {
            members,
            copies,
            merge,
            sequence,
            alarm: None,
            settled: false,
            over: [false; 2],
            turn: false,
        })
    }

    /// The next update; `None` once the pool's handles are gone and the last member has ended.
    pub async fn next(&mut self) -> Option<Update<Payload>> {
        std::future::poll_fn(|cx| self.poll_update(cx)).await
    }

    /// The channel's name.
    pub fn channel(&self) -> &str {
        self.copies[0].channel()
    }

    /// Whether both copies are live, and have met: whether either may be lost unnoticed.
    pub fn is_redundant(&self) -> bool {
        self.merge.is_redundant()
    }

    /// Has both copies begin anew: see [`Subscription::renew`](crate::Subscription::renew).
    pub fn renew(&self) {
        self.copies.iter().for_each(PoolStream::renew);
    }

    fn poll_update(&mut self, cx: &mut Context<'_>) -> Poll<Option<Update<Payload>>> {
        loop {
            if let Some(update) = self.merge.pop() {
                return Poll::Ready(Some(update));
            }
            let any = self.read(cx);
            self.report();
            if self.over == [true; 2] && !any {
                return Poll::Ready(None);
            }
            if !any && !self.ring(cx) {
                return Poll::Pending;
            }
        }
    }

    /// Takes one update of each copy. Whether there was any.
    fn read(&mut self, cx: &mut Context<'_>) -> bool {
        self.turn = !self.turn;
        let sides = if self.turn { SIDES } else { [SIDES[1], SIDES[0]] };
        let mut any = false;
        for side in sides {
            if self.over[side as usize] {
                continue;
            }
            if let Poll::Ready(update) = self.copies[side as usize].poll_update(cx) {
                any = true;
                self.take(side, update);
            }
        }
        any
    }

    fn take(&mut self, side: Side, update: Option<Update<Payload>>) {
        match update {
            Some(Update::Data(payload)) => match (self.sequence)(&payload) {
                Some(position) => {
                    let now = self.members.now().unwrap_or_default();
                    self.merge.data(now, side, position, payload);
                }
                None => self.merge.tell(Update::Invalid(DecodeError {
                    what: self.channel().to_owned(),
                    problem: "it has no place in the sequence".to_owned(),
                })),
            },
            Some(Update::Lagged(count)) => self.merge.lag(side, count),
            Some(Update::Resumed) => self.merge.up(side),
            Some(Update::Invalid(error)) => self.merge.tell(Update::Invalid(error)),
            // The queue of a copy has lost its end: what comes next is another subscription's.
            Some(Update::Overflowed) => self.merge.lag(side, 1),
            Some(news @ (Update::Interrupted(_) | Update::Renewing | Update::Refused(_))) => {
                self.merge.down(side, news);
            }
            None => {
                self.over[side as usize] = true;
                self.merge.down(side, Update::Interrupted(Disconnect::Moved));
            }
        }
    }

    /// Whether the time of what waits has come.
    fn ring(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.merge.deadline() else {
            self.alarm = None;
            return false;
        };
        if self.alarm.as_ref().is_none_or(|(at, _)| *at != deadline) {
            let now = self.members.now().unwrap_or(deadline);
            self.alarm = Some((deadline, self.members.sleep(deadline.since(now))));
        }
        let rung = self.alarm.as_mut().is_some_and(|(_, alarm)| alarm.poll_unpin(cx).is_ready());
        if rung {
            self.alarm = None;
            self.merge.expire(deadline);
        }
        rung
    }

    /// Tells the pool whether a member may be cut now.
    fn report(&mut self) {
        let settled = self.merge.is_redundant();
        if std::mem::replace(&mut self.settled, settled) != settled {
            self.members.settle(settled);
        }
    }
}

impl<F: FnMut(&Payload) -> Option<Position> + Unpin> Stream for Redundant<F> {
    type Item = Update<Payload>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update<Payload>>> {
        self.get_mut().poll_update(cx)
    }
}

impl<F> Drop for Redundant<F> {
    fn drop(&mut self) {
        if !self.settled {
            self.members.settle(true);
        }
    }
}
