//! The faults that wait on one connection for their moment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Fault;
use super::orders::{Afterwards, MatchFate};

/// What happens to a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReplyFate {
    pub(crate) delay: Duration,
    pub(crate) copies: usize,
}

impl ReplyFate {
    /// Once and at once.
    pub(crate) fn prompt() -> Self {
        Self { delay: Duration::ZERO, copies: 1 }
    }

    /// The same, some time later.
    pub(crate) fn after(self, detour: Duration) -> Self {
        Self { delay: self.delay + detour, ..self }
    }
}

/// Waiting faults of one connection.
#[derive(Debug, Default)]
pub(crate) struct Mischief {
    delay: Duration,
    late: Option<Duration>,
    lose: bool,
    duplicate: bool,
    gaps: BTreeSet<String>,
    refused: BTreeSet<String>,
    failing_subscribes: usize,
    failing_calls: BTreeMap<String, (i64, usize)>,
    next_match: Option<MatchFate>,
}

impl Mischief {
    /// Takes a fault that has to wait for its moment; hands back one that does not.
    pub(crate) fn plan(&mut self, fault: Fault) -> Option<Fault> {
        match fault {
            Fault::DelayReplies(delay) => self.delay = delay,
            Fault::LateReply(delay) => self.late = Some(delay),
            Fault::LoseReply => self.lose = true,
            Fault::DuplicateReply => self.duplicate = true,
            Fault::Gap(channel) => self.gaps.extend([channel]),
            Fault::RefuseChannel(channel) => self.refused.extend([channel]),
            Fault::AllowChannel(channel) => self.refused.retain(|refused| *refused != channel),
            Fault::FailSubscribes(count) => self.failing_subscribes = count,
            Fault::FailCalls { method, code, count } => {
                self.failing_calls.insert(method, (code, count));
            }
            Fault::FailAfterMatch(code) => self.fate().afterwards = Afterwards::Fail(code),
            Fault::CutBeforeMatch(cut) => self.fate().cut_before = Some(cut),
            Fault::CutAfterMatch(cut) => self.fate().afterwards = Afterwards::Cut(cut.how()),
            Fault::AnswerThenCut(cut) => self.fate().afterwards = Afterwards::AnswerAndCut(cut.how()),
            Fault::LoseMatchReply => self.fate().afterwards = Afterwards::Nothing,
            Fault::DelayMatch(delay) => self.fate().delay = delay,
            Fault::CutThenMatch(cut, delay) => {
                self.fate().delay = delay;
                self.fate().cut_meanwhile = Some(cut);
            }
            at_once => return Some(at_once),
        }
        None
    }

    fn fate(&mut self) -> &mut MatchFate {
        self.next_match.get_or_insert_default()
    }

    /// Decides over the next request to the matching engine.
    pub(crate) fn match_fate(&mut self) -> Option<MatchFate> {
        self.next_match.take()
    }

    /// Decides over the next reply.
    pub(crate) fn reply(&mut self) -> ReplyFate {
        let lost = std::mem::take(&mut self.lose);
        let twice = std::mem::take(&mut self.duplicate);
        let copies = if lost { 0 } else { 1 + usize::from(twice) };
        ReplyFate { delay: self.delay + self.late.take().unwrap_or_default(), copies }
    }

    /// Whether this update is the one to lose.
    pub(crate) fn loses(&mut self, channel: &str, opens: bool) -> bool {
        !opens && self.gaps.remove(channel)
    }

    pub(crate) fn refuses(&self, channel: &str) -> bool {
        self.refused.contains(channel)
    }

    /// The error code that this call is to fail with.
    pub(crate) fn fails_call(&mut self, method: &str) -> Option<i64> {
        let (code, left) = self.failing_calls.get_mut(method).filter(|(_, left)| *left > 0)?;
        *left -= 1;
        Some(*code)
    }

    /// Whether this `subscribe` is one to fail.
    pub(crate) fn fails_subscribe(&mut self) -> bool {
        let fails = self.failing_subscribes > 0;
        self.failing_subscribes = self.failing_subscribes.saturating_sub(1);
        fails
    }
}
