//! A channel on one member of a pool, which moves when it must.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::task::AtomicWaker;
use futures::{FutureExt, Stream};

use super::members::{Key, MemberId, Members, Place};
use crate::alarm::Alarm;
use crate::client::{Client, FromPayload, Subscription};
use crate::config::Queue;
use crate::error::{Disconnect, Ended, Error, NotSent, Refusal};
use crate::payload::Payload;
use crate::platform::BoxFuture;
use crate::queue::Update;

/// Data of one channel of a [`Pool`](super::Pool), with what happened to it, in order. Dropping it leaves the channel.
///
/// It moves to another member in its own [`next`](Self::next): nobody reads it, nothing moves.
#[must_use = "dropping a stream leaves its channel"]
pub struct PoolStream<T = Payload> {
    members: Arc<Members>,
    key: Key,
    number: u64,
    queue: Option<Queue>,
    waker: Arc<AtomicWaker>,
    /// When it was last looked where it belongs.
    version: u64,
    stage: Stage<T>,
    told: VecDeque<Update<T>>,
    /// The last that was told is that there is no data.
    interrupted: bool,
    /// How long to wait when the next member refuses it, too.
    pause: Duration,
}

enum Stage<T> {
    Nowhere,
    Joining(MemberId, BoxFuture<Result<Subscription<T>, Error>>),
    Pausing(MemberId, Alarm),
    On(MemberId, Subscription<T>),
    Over,
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl<T> fmt::Debug for PoolStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("PoolStream");
        shown.field("channel", &self.key.channel).field("member", &self.member()).finish_non_exhaustive()
    }
}

impl<T> PoolStream<T> {
    /// The channel's name.
    pub fn channel(&self) -> &str {
        &self.key.channel
    }

    /// The member that carries it; `None` while there is none.
    pub fn member(&self) -> Option<MemberId> {
        match &self.stage {
            Stage::Joining(id, _) | Stage::Pausing(id, _) | Stage::On(id, _) => Some(*id),
            Stage::Nowhere | Stage::Over => None,
        }
    }
}

impl<T: FromPayload> PoolStream<T> {
    pub(super) async fn open(
        members: Arc<Members>,
        channel: String,
        queue: Option<Queue>,
    ) -> Result<Self, Error> {
        let mut stream = Self::enter(members, Key { channel: channel.into(), copy: 0 }, queue);
        loop {
            stream.version = stream.members.version();
            let Place::At(id, client) = stream.members.place(&stream.key) else {
                return Err(stream.members.no_place());
            };
            match stream.join(client).await {
                Ok(subscription) => {
                    stream.stage = Stage::On(id, subscription);
                    return Ok(stream);
                }
                Err(Error::NotSent(NotSent::Ended(_))) => stream.members.bury(id),
                Err(error) => return Err(error),
            }
        }
    }

    /// One that has not begun: it does when it is polled.
    pub(super) fn enter(members: Arc<Members>, key: Key, queue: Option<Queue>) -> Self {
        let waker = Arc::new(AtomicWaker::new());
        let number = members.enter(&key, &waker);
        let (told, interrupted) = (VecDeque::new(), false);
        let (stage, pause) = (Stage::Nowhere, FIRST_PAUSE);
        Self { members, key, number, queue, waker, version: 0, stage, told, interrupted, pause }
    }

    /// The next update; `None` once the pool's handles are gone and the last member has ended.
    pub async fn next(&mut self) -> Option<Update<T>> {
        std::future::poll_fn(|cx| self.poll_update(cx)).await
    }

    /// Has the channel begin anew: see [`Subscription::renew`].
    pub fn renew(&self) {
        if let Stage::On(_, subscription) = &self.stage {
            subscription.renew();
        }
    }

    fn join(&self, client: Client) -> BoxFuture<Result<Subscription<T>, Error>>
    where
        T: FromPayload,
    {
        let (channel, queue) = (self.key.channel.to_string(), self.queue.unwrap_or(client.default_queue()));
        Box::pin(async move { client.subscribe_with(channel, queue).await })
    }

    pub(super) fn poll_update(&mut self, cx: &mut Context<'_>) -> Poll<Option<Update<T>>> {
        self.waker.register(cx.waker());
        loop {
            if let Some(update) = self.told.pop_front() {
                return Poll::Ready(Some(update));
            }
            self.find();
            if self.told.is_empty() {
                match self.advance(cx) {
                    Poll::Ready(None) if matches!(self.stage, Stage::Over) => return Poll::Ready(None),
                    Poll::Ready(None) => {}
                    Poll::Ready(Some(update)) => return Poll::Ready(Some(update)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        }
    }

    /// Goes where it belongs, when that has changed.
    fn find(&mut self) {
        let version = self.members.version();
        if std::mem::replace(&mut self.version, version) == version {
            return;
        }
        match self.members.place(&self.key) {
            Place::At(id, _) if self.member() == Some(id) => {}
            Place::At(id, client) => {
                self.stop(Disconnect::Moved);
                self.stage = Stage::Joining(id, self.join(client));
            }
            Place::Nowhere => self.stop(Disconnect::Moved),
            Place::Over => {
                self.stop(Disconnect::Moved);
                self.stage = Stage::Over;
            }
        }
    }

    /// Leaves where it is, and tells so once.
    fn stop(&mut self, reason: Disconnect) {
        if matches!(self.stage, Stage::On(..)) && !std::mem::replace(&mut self.interrupted, true) {
            self.told.push_back(Update::Interrupted(reason));
        }
        self.stage = Stage::Nowhere;
    }

    /// What the present stage brings; `None` when it has changed.
    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<Option<Update<T>>> {
        match &mut self.stage {
            Stage::Nowhere => Poll::Pending,
            Stage::Over => Poll::Ready(None),
            Stage::Pausing(id, alarm) => {
                let id = *id;
                futures::ready!(alarm.poll_unpin(cx));
                match self.members.client(id) {
                    Some(client) => self.stage = Stage::Joining(id, self.join(client)),
                    None => self.stage = Stage::Nowhere,
                }
                Poll::Ready(None)
            }
            Stage::Joining(id, joining) => {
                let id = *id;
                let joined = futures::ready!(joining.as_mut().poll(cx));
                Poll::Ready(self.joined(id, joined))
            }
            Stage::On(id, subscription) => {
                let id = *id;
                let Some(update) = futures::ready!(subscription.poll_update(cx)) else {
                    match subscription.ended() {
                        Some(ended) => {
                            self.stop(reason(ended));
                            self.members.bury(id);
                        }
                        // Its queue overflowed, and was to end by that.
                        None => self.stage = Stage::Over,
                    }
                    return Poll::Ready(None);
                };
                self.interrupted = match &update {
                    Update::Interrupted(_) | Update::Renewing | Update::Refused(_) => true,
                    Update::Data(_) | Update::Resumed => false,
                    Update::Lagged(_) | Update::Invalid(_) | Update::Overflowed => self.interrupted,
                };
                Poll::Ready(Some(update))
            }
        }
    }

    fn joined(&mut self, id: MemberId, joined: Result<Subscription<T>, Error>) -> Option<Update<T>> {
        let refusal = match joined {
            Ok(subscription) => {
                self.stage = Stage::On(id, subscription);
                (self.interrupted, self.pause) = (false, FIRST_PAUSE);
                return Some(Update::Resumed);
            }
            Err(Error::NotSent(NotSent::Ended(_))) => {
                self.stage = Stage::Nowhere;
                self.members.bury(id);
                return None;
            }
            Err(Error::Refused { reason, .. }) => reason,
            Err(Error::NotSent(reason)) => Refusal::NotSent(Box::new(reason)),
            Err(_) => Refusal::NotConfirmed,
        };
        let alarm = self.members.client(id).map_or_else(Alarm::off, |client| client.sleep(self.pause));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.stage = Stage::Pausing(id, alarm);
        Some(Update::Refused(refusal))
    }
}

fn reason(ended: Ended) -> Disconnect {
    match ended {
        Ended::Refused(reason) | Ended::AttemptsExhausted(reason) => reason,
        Ended::Closed | Ended::Abandoned => Disconnect::Moved,
    }
}

impl<T: FromPayload> Stream for PoolStream<T> {
    type Item = Update<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update<T>>> {
        self.get_mut().poll_update(cx)
    }
}

impl<T> Unpin for PoolStream<T> {}

impl<T> Drop for PoolStream<T> {
    fn drop(&mut self) {
        self.members.leave(&self.key, self.number);
    }
}
