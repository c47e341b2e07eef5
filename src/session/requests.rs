//! What waits to be sent and what waits for an answer. Each request settles exactly once, and leaves at most once.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use super::limiter::{Cost, Lane, Limited, Limiter};
use crate::config::OutboundLimit;
use crate::error::NotSent;
use crate::frame::Message;
use crate::protocol::{Protocol, Request, RequestId};
use crate::sorted::{Number, Pairs};
use crate::table::{Key, Table};
use crate::telemetry::Calls;
use crate::time::Instant;

/// What a request is for, and so who hears of its outcome.
#[derive(Debug)]
pub(crate) enum Owner {
    /// The user.
    User,
    /// A step of the protocol's opening or upkeep.
    Step,
    /// The reply to the server's heartbeat, or a probe: nobody waits for it.
    Nobody,
    /// A subscribe request for these channels.
    Subscribe(Vec<Key>),
    /// An unsubscribe request for these channels.
    Unsubscribe(Vec<Key>),
}

/// What is to be sent.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Work {
    /// A request that is answered.
    Call(Request),
    /// A request that is not answered: it settles when it has left.
    Notify(Request),
    /// Several at once. Those with an id are answered, each under its own id.
    Batch(Vec<(Option<RequestId>, Request)>),
    /// A message as it is: it settles when it has left.
    Message(Message),
}

impl Work {
    /// Bytes that it holds in a queue.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Call(request) | Self::Notify(request) => request.size(),
            Self::Batch(items) => items.iter().map(|(_, request)| request.size()).sum(),
            Self::Message(message) => message.as_bytes().len(),
        }
    }

    /// The requests of a batch that are answered.
    pub(crate) fn members(&self) -> Vec<RequestId> {
        match self {
            Self::Batch(items) => items.iter().filter_map(|(member, _)| *member).collect(),
            Self::Call(_) | Self::Notify(_) | Self::Message(_) => Vec::new(),
        }
    }

    fn requests(&self) -> impl Iterator<Item = &Request> {
        let (one, many) = match self {
            Self::Call(request) | Self::Notify(request) => (Some(request), [].as_slice()),
            Self::Batch(items) => (None, items.as_slice()),
            Self::Message(_) => (None, [].as_slice()),
        };
        one.into_iter().chain(many.iter().map(|(_, request)| request))
    }
}

/// Who goes first, whatever waits behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// The session's own: steps and heartbeat replies. May leave before the opening is done.
    Session,
    /// Urgent requests of the user: cancels.
    Urgent,
    /// Subscriptions.
    Subscribe,
    /// All others.
    Normal,
}

impl Rank {
    const ALL: [Self; 4] = [Self::Session, Self::Urgent, Self::Subscribe, Self::Normal];

    fn lane(self) -> Lane {
        match self {
            Self::Session | Self::Urgent => Lane::Urgent,
            Self::Subscribe | Self::Normal => Lane::Normal,
        }
    }
}

/// One queue to the wire, by rank and class: requests that pay from one bucket first wait in turn, and not for other
/// buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line(u64);

impl Line {
    fn new(rank: Rank, costs: &[Cost]) -> Self {
        let class = costs
            .first()
            .map_or(0, |cost| u32::try_from(cost.bucket).map_or(u32::MAX, |bucket| bucket.saturating_add(1)));
        Self((rank as u64) << 32 | u64::from(class))
    }

    /// The first one of a rank.
    fn first_of(rank: Rank) -> Self {
        Self::new(rank, &[])
    }

    fn is_of(self, rank: Rank) -> bool {
        self.0 >> 32 == rank as u64
    }

    #[allow(clippy::cast_possible_truncation, reason = "the rank is not wanted")]
    fn class(self) -> u32 {
        self.0 as u32
    }
}

impl Number for Line {
    fn number(self) -> u64 {
        self.0
    }

    fn of(number: u64) -> Self {
        Self(number)
    }
}

#[derive(Debug)]
struct Entry {
    owner: Owner,
    deadline: Instant,
    stage: Stage,
    /// It has been on the wire, also when it waits to be made again: the server may have executed it.
    left: bool,
    /// Whether making it twice does no harm.
    idempotent: bool,
    /// What it took when it left, and gives back where the limiter says so.
    taken: Cow<'static, [Cost]>,
}

impl Entry {
    fn new(owner: Owner, deadline: Instant, stage: Stage, idempotent: bool) -> Self {
        Self { owner, deadline, stage, left: false, idempotent, taken: Cow::Borrowed(&[]) }
    }
}

#[derive(Debug)]
enum Stage {
    /// In a queue.
    Waiting(Box<Waiting>),
    /// Part of a batch that is in a queue; the batch's entry holds the request.
    InBatch,
    /// It left. `batch` names the batch it left with; `again` is kept for a request that may be made twice.
    Sent { batch: Option<RequestId>, again: Option<Box<Again>> },
    /// It left, and nobody waits for its answer; until that comes it holds credits that others wait for.
    Held,
}

/// What is needed to make a request a second time. It pays a second time too.
#[derive(Debug)]
struct Again {
    request: Request,
    rank: Rank,
    costs: Cow<'static, [Cost]>,
}

#[derive(Debug)]
struct Waiting {
    work: Work,
    rank: Rank,
    line: Line,
    size: usize,
    costs: Cow<'static, [Cost]>,
}

impl Waiting {
    fn new(work: Work, rank: Rank, costs: Cow<'static, [Cost]>) -> Box<Self> {
        Box::new(Self { size: work.size(), work, rank, line: Line::new(rank, &costs), costs })
    }
}

/// A request that ended, and how.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) id: RequestId,
    pub(crate) owner: Owner,
    /// Whether it has been on the wire.
    pub(crate) sent: bool,
}

/// A request that was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) owner: Owner,
    /// The batch that it left with.
    pub(crate) batch: Option<RequestId>,
    /// Whether making it twice does no harm.
    pub(crate) idempotent: bool,
}

/// What [`Requests::take`] found.
#[derive(Debug)]
pub(crate) enum Next {
    /// This message leaves now. A notification or plain message is `done` with that.
    Send { message: Message, done: Option<RequestId> },
    /// This one cannot be sent.
    Fail(Vec<Ended>, NotSent),
    /// Nothing can be sent before this time, if a time is what is missing.
    Wait(Option<Instant>),
}

#[derive(Debug)]
pub(crate) struct Requests {
    limiter: Limiter,
    /// What those are told who observe them.
    pub(crate) calls: Calls,
    entries: Table<Entry>,
    deadlines: Pairs<Instant, RequestId>,
    queues: Pairs<Line, RequestId>,
    waiting: usize,
    waiting_bytes: usize,
    /// Requests on the wire whose answers somebody waits for.
    in_flight: usize,
    /// The credits that waiting requests will take, one entry a bucket.
    owed: Vec<Cost>,
    /// The last requests that left and whose answers nobody waits for.
    unawaited: VecDeque<RequestId>,
}

/// How long an answer that nobody waits for is taken to be on its way.
const HOLD: Duration = Duration::from_secs(10);

/// How many answers that nobody waits for are known as such when they come.
const UNAWAITED: usize = 16;

/// Whoever shares the limiter gets back what is taken for requests that nobody answers any more. There are none but
/// after a panic.
#[cfg(panic = "unwind")]
impl Drop for Requests {
    fn drop(&mut self) {
        self.entries.iter().for_each(|(_, entry)| self.limiter.give_back(&entry.taken));
    }
}

impl Requests {
    pub(crate) fn new(limiter: Limiter, calls: Calls) -> Self {
        Self {
            limiter,
            calls,
            entries: Table::default(),
            deadlines: Pairs::default(),
            queues: Pairs::default(),
            waiting: 0,
            waiting_bytes: 0,
            in_flight: 0,
            owed: Vec::new(),
            unawaited: VecDeque::new(),
        }
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    /// Queues `work`. Only the user's requests are bounded: the session's own are few by construction.
    pub(crate) fn submit<P: Protocol>(
        &mut self,
        protocol: &P,
        (id, owner, rank): (RequestId, Owner, Rank),
        work: Work,
        deadline: Instant,
        limit: Option<OutboundLimit>,
    ) -> Result<(), NotSent> {
        let size = work.size();
        let full = |limit: OutboundLimit| {
            self.waiting >= limit.messages || self.waiting_bytes.saturating_add(size) > limit.bytes
        };
        if limit.is_some_and(full) {
            return Err(NotSent::QueueFull);
        }
        let costs = total_cost(protocol, &work);
        if let Work::Batch(items) = &work {
            for (member, request) in items {
                let Some(member) = *member else { continue };
                let idempotent = protocol.is_idempotent(&request.method);
                self.insert(member, Entry::new(Owner::User, deadline, Stage::InBatch, idempotent));
            }
        }
        let idempotent = matches!(&work, Work::Call(request) if protocol.is_idempotent(&request.method));
        let waiting = Waiting::new(work, rank, costs);
        self.count(&waiting);
        self.queues.insert((waiting.line, id));
        self.insert(id, Entry::new(owner, deadline, Stage::Waiting(waiting), idempotent));
        Ok(())
    }

    /// Whether the limiter has the credits for `work`, and for all that waits already.
    pub(crate) fn would_go<P: Protocol>(
        &self,
        protocol: &P,
        now: Instant,
        (work, rank): (&Work, Rank),
    ) -> Result<(), Limited> {
        let costs = total_cost(protocol, work);
        self.limiter.check_behind(now, &costs, rank.lane(), |bucket| {
            self.owed.iter().find(|owed| owed.bucket == bucket).map_or(0, |owed| owed.credits)
        })
    }

    /// The next message that may leave, of rank `lowest` or above. Charges the limiter for it.
    pub(crate) fn take<P: Protocol>(
        &mut self,
        protocol: &mut P,
        now: Instant,
        lowest: Rank,
        keep: bool,
    ) -> Next {
        let mut blocked = Vec::new();
        let mut wake: Option<Instant> = None;
        for rank in Rank::ALL.into_iter().filter(|rank| *rank <= lowest) {
            while let Some((line, id)) = self.head(rank, &blocked) {
                self.drop_cancelled_members(protocol, id);
                let Some(Entry { deadline, stage: Stage::Waiting(waiting), .. }) = self.entries.get(id)
                else {
                    self.queues.remove((line, id));
                    continue;
                };
                let deadline = *deadline;
                if deadline <= now {
                    return self.fail(id, NotSent::DeadlinePassed);
                }
                // Written and paid for in one step: what is written leaves, in the order in which it is written.
                let write = || write(protocol, now, id, &waiting.work);
                match self.limiter.spend_if(now, &waiting.costs, rank.lane(), write) {
                    Ok(Ok(message)) => return self.leave(protocol, now, (id, message), keep),
                    Ok(Err(reason)) => return self.fail(id, reason),
                    Err(Limited::Never) => return self.fail(id, NotSent::TooExpensive),
                    Err(Limited::Until(at)) if at > deadline => {
                        return self.fail(id, NotSent::RateLimited(at.since(now)));
                    }
                    // An answer will wake the driver.
                    Err(Limited::Busy) => {
                        self.calls.limited(id, &waiting.work, None);
                        blocked.push(line.class());
                    }
                    Err(Limited::Until(at)) => {
                        self.calls.limited(id, &waiting.work, Some(at.since(now)));
                        blocked.push(line.class());
                        wake = Some(wake.map_or(at, |wake| wake.min(at)));
                    }
                }
            }
        }
        Next::Wait(wake)
    }

    /// Takes the request that a reply belongs to.
    pub(crate) fn answer(&mut self, id: RequestId) -> Option<Answered> {
        let batch = match self.entries.get(id)?.stage {
            Stage::Sent { batch, .. } => batch,
            Stage::Held => {
                self.remove(id);
                return None;
            }
            Stage::Waiting(_) | Stage::InBatch => return None,
        };
        let Entry { owner, idempotent, .. } = self.remove(id)?;
        Some(Answered { owner, batch, idempotent })
    }

    /// Takes what is left of a batch of which some requests were answered.
    pub(crate) fn rest_of_batch(&mut self, batch: RequestId) -> Vec<Ended> {
        let of_batch =
            |entry: &Entry| matches!(entry.stage, Stage::Sent { batch: Some(id), .. } if id == batch);
        let ids: Vec<_> =
            self.entries.iter().filter(|(_, entry)| of_batch(entry)).map(|(id, _)| id).collect();
        ids.into_iter().filter_map(|id| self.end(id)).collect()
    }

    /// The user does not want it any more: what has not left will not leave. Whether it had left.
    pub(crate) fn cancel(&mut self, now: Instant, id: RequestId) -> bool {
        self.let_go(now, id).is_some_and(|ended| ended.sent)
    }

    /// When the next deadline passes.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| at)
    }

    /// Takes a request whose deadline has passed.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Ended> {
        loop {
            let due = self.deadlines.first().filter(|(at, _)| *at <= now)?;
            self.deadlines.remove(due);
            let ended = self.let_go(now, due.1);
            if ended.is_some() {
                return ended;
            }
        }
    }

    /// Takes everything, for a connection that ended. Requests that may be made twice are queued again when they were
    /// kept for that.
    pub(crate) fn end_all(&mut self, now: Instant, again: bool) -> Vec<Ended> {
        let ids: Vec<_> = self.entries.iter().map(|(id, _)| id).collect();
        let mut ended = Vec::new();
        for id in ids {
            if again && self.requeue(id, now) {
                continue;
            }
            ended.extend(self.end(id));
        }
        ended
    }

    /// Takes what the session itself had queued or sent, and leaves the user's waiting requests alone.
    pub(crate) fn end_own(&mut self) -> Vec<Ended> {
        let own = |entry: &Entry| !matches!(entry.owner, Owner::User);
        let ids: Vec<_> = self.entries.iter().filter(|(_, entry)| own(entry)).map(|(id, _)| id).collect();
        ids.into_iter().filter_map(|id| self.end(id)).collect()
    }

    /// Whether this is a request whose answer nobody waits for.
    pub(crate) fn is_unawaited(&self, id: RequestId) -> bool {
        self.unawaited.contains(&id)
    }

    /// Whether a request of this rank has not left yet.
    pub(crate) fn has_unsent(&self, rank: Rank) -> bool {
        self.queues.from(Line::first_of(rank)).next().is_some_and(|(line, _)| line.is_of(rank))
    }

    /// Whether this request has not left yet.
    pub(crate) fn is_unsent(&self, id: RequestId) -> bool {
        self.entries.get(id).is_some_and(|entry| !matches!(entry.stage, Stage::Sent { .. }))
    }

    /// Requests and messages that wait to be sent.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Requests that left and wait for an answer.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    fn requeue(&mut self, id: RequestId, now: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(id).filter(|entry| entry.deadline > now) else {
            return false;
        };
        let Stage::Sent { again, .. } = &mut entry.stage else { return false };
        let Some(again) = again.take() else { return false };
        let Again { request, rank, costs } = *again;
        self.limiter.give_back(&std::mem::take(&mut entry.taken));
        self.in_flight -= 1;
        let waiting = Waiting::new(Work::Call(request), rank, costs);
        self.queues.insert((waiting.line, id));
        self.count(&waiting);
        if let Some(entry) = self.entries.get_mut(id) {
            entry.stage = Stage::Waiting(waiting);
        }
        true
    }

    fn insert(&mut self, id: RequestId, entry: Entry) {
        self.in_flight += usize::from(matches!(entry.stage, Stage::Sent { .. }));
        self.deadlines.insert((entry.deadline, id));
        self.entries.insert(id, entry);
    }

    /// The oldest request among the heads of a rank's queues whose credits are not known to be missing.
    fn head(&self, rank: Rank, blocked: &[u32]) -> Option<(Line, RequestId)> {
        let mut oldest: Option<(Line, RequestId)> = None;
        let mut from = Line::first_of(rank);
        while let Some((line, id)) = self.queues.from(from).next().filter(|(line, _)| line.is_of(rank)) {
            if !blocked.contains(&line.class()) && oldest.is_none_or(|(_, other)| id < other) {
                oldest = Some((line, id));
            }
            from = Line(line.0 + 1);
        }
        oldest
    }

    /// Moves the head of a queue to the wire.
    fn leave<P: Protocol>(
        &mut self,
        protocol: &P,
        now: Instant,
        (id, message): (RequestId, Message),
        keep: bool,
    ) -> Next {
        let Some(mut entry) = self.remove(id) else { return Next::Wait(None) };
        let Stage::Waiting(waiting) = std::mem::replace(&mut entry.stage, Stage::InBatch) else {
            return Next::Wait(None);
        };
        let Waiting { work, rank, costs, .. } = *waiting;
        entry.left = true;
        match work {
            Work::Call(request) if !matches!(entry.owner, Owner::Nobody) => {
                self.calls.sent(now, id);
                let again = (keep && entry.idempotent)
                    .then(|| Box::new(Again { request, rank, costs: costs.clone() }));
                entry.stage = Stage::Sent { batch: None, again };
                entry.taken = costs;
                self.insert(id, entry);
                Next::Send { message, done: None }
            }
            Work::Call(_) => {
                self.calls.left(now, id);
                self.unawaited.truncate(UNAWAITED - 1);
                self.unawaited.push_front(id);
                self.hold(now, id, costs);
                Next::Send { message, done: None }
            }
            Work::Batch(items) => {
                let mut unanswered = Vec::new();
                for (member, request) in items {
                    let costs = protocol.cost(&request);
                    match member.and_then(|member| self.entries.get_mut(member)) {
                        Some(entry) => {
                            member.iter().for_each(|member| self.calls.sent(now, *member));
                            entry.stage = Stage::Sent { batch: Some(id), again: None };
                            entry.left = true;
                            entry.taken = costs;
                            self.in_flight += 1;
                        }
                        None => unanswered.extend_from_slice(&costs),
                    }
                }
                self.hold(now, id, Cow::Owned(unanswered));
                Next::Send { message, done: Some(id) }
            }
            Work::Notify(_) | Work::Message(_) => {
                self.calls.left(now, id);
                self.hold(now, id, costs);
                Next::Send { message, done: Some(id) }
            }
        }
    }

    /// Keeps what was taken for a request until its answer must have come.
    fn hold(&mut self, now: Instant, id: RequestId, taken: Cow<'static, [Cost]>) {
        if self.limiter.returns(&taken) {
            let entry = Entry { taken, ..Entry::new(Owner::Nobody, now + HOLD, Stage::Held, false) };
            self.insert(id, entry);
        }
    }

    /// Nobody waits for it any more. What it holds comes back when it is answered.
    fn let_go(&mut self, now: Instant, id: RequestId) -> Option<Ended> {
        let entry = self.entries.get_mut(id)?;
        let taken = match entry.stage {
            Stage::Held if entry.deadline > now => return None,
            Stage::Sent { .. } => std::mem::take(&mut entry.taken),
            Stage::Held | Stage::Waiting(_) | Stage::InBatch => Cow::Borrowed(&[][..]),
        };
        let ended = self.end(id);
        self.hold(now, id, taken);
        ended
    }

    /// Takes requests that were cancelled out of a batch that is still waiting; an empty batch goes too.
    fn drop_cancelled_members<P: Protocol>(&mut self, protocol: &P, batch: RequestId) {
        if self.members(batch).into_iter().all(|member| self.entries.contains(member)) {
            return;
        }
        let Some(mut entry) = self.remove(batch) else { return };
        if let Stage::Waiting(waiting) = &mut entry.stage
            && let Work::Batch(items) = &mut waiting.work
        {
            items.retain(|(member, _)| member.is_none_or(|member| self.entries.contains(member)));
            if items.is_empty() {
                return;
            }
            waiting.size = waiting.work.size();
            waiting.costs = total_cost(protocol, &waiting.work);
            waiting.line = Line::new(waiting.rank, &waiting.costs);
            self.count(waiting);
            self.queues.insert((waiting.line, batch));
        }
        self.insert(batch, entry);
    }

    fn fail(&mut self, id: RequestId, reason: NotSent) -> Next {
        let members = self.members(id);
        let ended = std::iter::once(id).chain(members).filter_map(|id| self.end(id)).collect();
        Next::Fail(ended, reason)
    }

    fn members(&self, id: RequestId) -> Vec<RequestId> {
        match self.entries.get(id).map(|entry| &entry.stage) {
            Some(Stage::Waiting(waiting)) => match &waiting.work {
                Work::Batch(items) => items.iter().filter_map(|(member, _)| *member).collect(),
                Work::Call(_) | Work::Notify(_) | Work::Message(_) => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn end(&mut self, id: RequestId) -> Option<Ended> {
        let entry = self.remove(id).filter(|entry| !matches!(entry.stage, Stage::Held))?;
        Some(Ended { id, owner: entry.owner, sent: entry.left })
    }

    /// The only way out of the table.
    fn remove(&mut self, id: RequestId) -> Option<Entry> {
        let entry = self.entries.remove(id)?;
        self.deadlines.remove((entry.deadline, id));
        match &entry.stage {
            Stage::Waiting(waiting) => {
                self.discount(waiting);
                self.queues.remove((waiting.line, id));
            }
            Stage::Sent { .. } => self.in_flight -= 1,
            Stage::InBatch | Stage::Held => {}
        }
        self.limiter.give_back(&entry.taken);
        Some(entry)
    }

    fn count(&mut self, waiting: &Waiting) {
        self.waiting += 1;
        self.waiting_bytes += waiting.size;
        for cost in waiting.costs.iter() {
            match self.owed.iter_mut().find(|owed| owed.bucket == cost.bucket) {
                Some(owed) => owed.credits = owed.credits.saturating_add(cost.credits),
                None => self.owed.push(*cost),
            }
        }
    }

    fn discount(&mut self, waiting: &Waiting) {
        self.waiting -= 1;
        self.waiting_bytes -= waiting.size;
        for cost in waiting.costs.iter() {
            if let Some(owed) = self.owed.iter_mut().find(|owed| owed.bucket == cost.bucket) {
                owed.credits = owed.credits.saturating_sub(cost.credits);
            }
        }
    }
}

fn write<P: Protocol>(
    protocol: &mut P,
    now: Instant,
    id: RequestId,
    work: &Work,
) -> Result<Message, NotSent> {
    match work {
        Work::Call(request) => protocol.encode(now, Some(id), request),
        Work::Notify(request) => protocol.encode(now, None, request),
        Work::Batch(items) => protocol.encode_batch(items),
        Work::Message(message) => Ok(message.clone()),
    }
}

fn total_cost<P: Protocol>(protocol: &P, work: &Work) -> Cow<'static, [Cost]> {
    let mut costs = Cow::Borrowed(&[][..]);
    for request in work.requests() {
        let cost = protocol.cost(request);
        if costs.is_empty() { costs = cost } else { costs.to_mut().extend_from_slice(&cost) }
    }
    costs
}
