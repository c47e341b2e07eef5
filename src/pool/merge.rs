//! Two copies of one stream made into one: what came twice is told once, and what one copy misses the other brings.

use std::collections::VecDeque;
use std::time::Duration;

use crate::payload::Payload;
use crate::queue::Update;
use crate::time::Instant;

/// Where a message stands in its channel's sequence. Numbers of one channel grow strictly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// It is all there is, such as a book's snapshot: nothing before it is needed.
    Whole(u64),
    /// It follows the message at `after` and brings the sequence to `at`, such as a book's change: when the last message
    /// was before `after`, one is missing.
    After {
        /// What must have come before.
        after: u64,
        /// Where the sequence is then.
        at: u64,
    },
    /// It is later than whatever has a smaller number, such as a time. That one is missing cannot be seen by it.
    Later(u64),
}

impl Position {
    fn at(self) -> u64 {
        match self {
            Self::Whole(at) | Self::After { at, .. } | Self::Later(at) => at,
        }
    }
}

/// Which of the two copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    One,
    Other,
}

pub(super) const SIDES: [Side; 2] = [Side::One, Side::Other];

/// Merges two copies. Pure: it is given what comes, and `now`.
#[derive(Debug)]
pub(super) struct Merge {
    legs: [Leg; 2],
    /// Where what was told has come.
    at: Option<u64>,
    told: VecDeque<Update<Payload>>,
    /// How long a copy that is ahead waits for the other, and how many of its messages.
    hold: Duration,
    most: usize,
}

#[derive(Debug, Default)]
struct Leg {
    stage: Stage,
    /// Its own last position.
    seen: Option<u64>,
    /// The next message need not follow what was told: its loss has been told.
    excused: bool,
    /// Whether it follows what was told is not known, and a time cannot say so.
    doubtful: bool,
    /// What it brought ahead of the other, and since when the first of it waits.
    held: VecDeque<(Position, Payload)>,
    since: Instant,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Down,
    /// It is back, and may have missed what the other still brings.
    Joining,
    /// Nothing is missing between what was told and its next message.
    Following,
}

impl Merge {
    /// One side is live, the other is not yet.
    pub(super) fn new(hold: Duration, most: usize) -> Self {
        let mut legs = [Leg::default(), Leg::default()];
        legs[0].stage = Stage::Following;
        Self { legs, at: None, told: VecDeque::new(), hold, most }
    }

    /// Passes something on.
    pub(super) fn tell(&mut self, update: Update<Payload>) {
        self.told.push_back(update);
    }

    pub(super) fn pop(&mut self) -> Option<Update<Payload>> {
        self.told.pop_front()
    }

    /// Whether both copies are live and joined.
    pub(super) fn is_redundant(&self) -> bool {
        self.legs.iter().all(|leg| leg.stage == Stage::Following)
    }

    /// A message.
    pub(super) fn data(&mut self, now: Instant, side: Side, position: Position, payload: Payload) {
        if self.leg(side).stage == Stage::Down {
            self.up(side);
        }
        if self.leg(side).seen.replace(position.at()).is_some_and(|seen| position.at() < seen) {
            // The venue counts anew.
            self.told.push_back(Update::Lagged(1));
            self.at = None;
            self.leg(side).excused = true;
        }
        if self.is_old(position) {
            self.leg(side).follow();
            return;
        }
        let follows = self.follows(side, position);
        match (self.leg(side).stage, follows) {
            (Stage::Following, true) => self.deliver(side, position, payload),
            (Stage::Joining, true) if self.leg(side).held.is_empty() => self.deliver(side, position, payload),
            (Stage::Following, false) if self.leg(side.other()).stage != Stage::Following => {
                self.told.push_back(Update::Lagged(1));
                self.deliver(side, position, payload);
            }
            _ => self.hold(now, side, position, payload),
        }
    }

    /// The copy lost this many messages.
    pub(super) fn lag(&mut self, side: Side, count: u64) {
        if self.leg(side.other()).stage == Stage::Following {
            self.leg(side).join();
        } else {
            self.told.push_back(Update::Lagged(count));
            self.leg(side).excused = true;
        }
    }

    /// The copy is live again.
    pub(super) fn up(&mut self, side: Side) {
        if self.leg(side).stage != Stage::Down {
            return;
        }
        if self.leg(side.other()).stage == Stage::Down {
            self.told.push_back(Update::Resumed);
            self.leg(side).follow();
        } else {
            self.leg(side).join();
        }
    }

    /// The copy stopped, which `news` says.
    pub(super) fn down(&mut self, side: Side, news: Update<Payload>) {
        let was = self.leg(side).stage;
        *self.leg(side) = Leg::default();
        match self.leg(side.other()).stage {
            Stage::Down => {
                // Nothing that came before bears on what comes after.
                self.at = None;
                if was != Stage::Down || matches!(news, Update::Refused(_)) {
                    self.told.push_back(news);
                }
            }
            Stage::Joining => self.release(side.other()),
            Stage::Following => {}
        }
    }

    /// When [`expire`](Self::expire) is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let waiting = self.legs.iter().filter(|leg| !leg.held.is_empty());
        waiting.map(|leg| leg.since + self.hold).min()
    }

    /// Gives up what a copy has waited for too long.
    pub(super) fn expire(&mut self, now: Instant) {
        for side in SIDES {
            let leg = &self.legs[side as usize];
            if !leg.held.is_empty() && leg.since + self.hold <= now {
                self.release(side);
            }
        }
    }

    fn leg(&mut self, side: Side) -> &mut Leg {
        &mut self.legs[side as usize]
    }

    fn is_old(&self, position: Position) -> bool {
        self.at.is_some_and(|at| position.at() <= at)
    }

    /// Whether nothing is missing between what was told and this message.
    fn follows(&self, side: Side, position: Position) -> bool {
        let leg = &self.legs[side as usize];
        let following = leg.stage == Stage::Following;
        match (position, self.at) {
            _ if following && leg.excused => true,
            (Position::After { after, .. }, Some(at)) => after <= at,
            (Position::After { .. }, None) | (Position::Whole(_), _) => following,
            (Position::Later(_), _) => following && !leg.doubtful,
        }
    }

    fn deliver(&mut self, side: Side, position: Position, payload: Payload) {
        self.leg(side).follow();
        self.at = Some(position.at());
        self.told.push_back(Update::Data(payload));
        self.meet(side.other());
    }

    /// Lets the other copy go on where what was told has come to.
    fn meet(&mut self, side: Side) {
        let mut met = false;
        while let Some((position, _)) = self.legs[side as usize].held.front() {
            let position = *position;
            let old = self.is_old(position);
            if !old && !met && !self.follows(side, position) {
                return;
            }
            met = true;
            let Some((_, payload)) = self.leg(side).held.pop_front() else { return };
            if !old {
                self.at = Some(position.at());
                self.told.push_back(Update::Data(payload));
            }
        }
        if met {
            self.leg(side).follow();
        }
    }

    fn hold(&mut self, now: Instant, side: Side, position: Position, payload: Payload) {
        let leg = self.leg(side);
        leg.stage = Stage::Joining;
        if leg.held.is_empty() {
            leg.since = now;
        }
        leg.held.push_back((position, payload));
        if leg.held.len() > self.most {
            self.release(side);
        }
    }

    /// What this copy waits for will not come.
    fn release(&mut self, side: Side) {
        let held = std::mem::take(&mut self.leg(side).held);
        self.leg(side).follow();
        self.leg(side).doubtful = held.is_empty();
        let mut first = true;
        for (position, payload) in held {
            if self.is_old(position) {
                continue;
            }
            let follows =
                matches!((position, self.at), (Position::After { after, .. }, Some(at)) if after <= at);
            if std::mem::take(&mut first) && !follows {
                self.told.push_back(Update::Lagged(1));
            }
            self.deliver(side, position, payload);
        }
    }
}

impl Leg {
    fn follow(&mut self) {
        self.stage = Stage::Following;
        (self.excused, self.doubtful) = (false, false);
    }

    fn join(&mut self) {
        self.stage = Stage::Joining;
        self.held.clear();
    }
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::One => Self::Other,
            Self::Other => Self::One,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Disconnect;
    use Side::{One, Other};

    const HOLD: Duration = Duration::from_secs(1);

    fn merge() -> Merge {
        Merge::new(HOLD, 4)
    }

    fn later(at: u64) -> Position {
        Position::Later(at)
    }

    fn change(at: u64) -> Position {
        Position::After { after: at - 1, at }
    }

    fn cut() -> Update<Payload> {
        Update::Interrupted(Disconnect::Requested)
    }

    impl Merge {
        fn give(&mut self, side: Side, position: Position) {
            self.data(Instant::ZERO, side, position, Payload::from(&*position.at().to_string()));
        }

        /// What was told, as text.
        fn said(&mut self) -> String {
            let told = std::mem::take(&mut self.told).into_iter().map(|update| match update {
                Update::Data(payload) => payload.as_str().unwrap().to_owned(),
                Update::Lagged(count) => format!("-{count}"),
                Update::Interrupted(_) => "cut".into(),
                Update::Resumed => "back".into(),
                other => format!("{other:?}"),
            });
            told.collect::<Vec<_>>().join(" ")
        }
    }

    #[test]
    fn what_comes_twice_is_told_once() {
        let mut merge = merge();
        merge.up(Other);
        for (side, at) in
            [(One, 1), (Other, 1), (Other, 2), (One, 2), (One, 3), (One, 4), (Other, 3), (Other, 4)]
        {
            merge.give(side, later(at));
        }
        assert_eq!(merge.said(), "1 2 3 4");
        assert!(merge.is_redundant());
    }

    #[test]
    fn a_copy_that_comes_back_ahead_waits_for_the_slower() {
        for position in [later, change] {
            let mut merge = merge();
            merge.give(One, position(7));
            merge.up(Other);
            merge.give(Other, position(10));
            merge.give(Other, position(11));
            assert_eq!(merge.said(), "7");
            for at in [8, 9, 10] {
                merge.give(One, position(at));
            }
            assert_eq!(merge.said(), "8 9 10 11");
            assert!(merge.is_redundant());
        }
    }

    #[test]
    fn what_no_copy_brings_is_told_as_lost() {
        let mut merge = merge();
        merge.give(One, change(7));
        merge.up(Other);
        merge.give(Other, change(10));
        merge.down(One, cut());
        assert_eq!(merge.said(), "7 -1 10");
        merge.give(Other, change(11));
        merge.give(Other, change(13));
        assert_eq!(merge.said(), "11 -1 13");
    }

    #[test]
    fn a_time_proves_no_continuity_and_a_number_does() {
        for (position, said) in [(later as fn(u64) -> Position, "7 -1 8 9"), (change, "7 8 9")] {
            let mut merge = merge();
            merge.give(One, position(7));
            merge.up(Other);
            merge.down(One, cut());
            merge.give(Other, position(8));
            merge.give(Other, position(9));
            assert_eq!(merge.said(), said);
        }
    }

    #[test]
    fn waiting_is_bounded_in_time_and_number() {
        let mut merge = merge();
        merge.give(One, later(1));
        merge.up(Other);
        merge.give(Other, later(5));
        assert_eq!(merge.deadline(), Some(Instant::ZERO + HOLD));
        merge.expire(Instant::ZERO + HOLD / 2);
        assert_eq!(merge.said(), "1");
        merge.expire(Instant::ZERO + HOLD);
        assert_eq!((merge.said().as_str(), merge.deadline()), ("-1 5", None));
        merge.give(One, later(4));
        assert_eq!(merge.said(), "", "it was told as lost");

        merge.down(Other, cut());
        merge.up(Other);
        (20..=24).for_each(|at| merge.give(Other, later(at)));
        assert_eq!(merge.said(), "-1 20 21 22 23 24");
    }

    #[test]
    fn an_interruption_is_told_when_no_copy_is_left() {
        let mut merge = merge();
        merge.up(Other);
        merge.give(One, later(1));
        merge.give(Other, later(1));
        merge.down(One, cut());
        assert_eq!(merge.said(), "1");
        merge.down(Other, cut());
        merge.up(One);
        merge.up(Other);
        merge.give(Other, later(4));
        merge.give(One, later(3));
        merge.give(One, later(4));
        assert_eq!(merge.said(), "cut back 3 4");
    }

    #[test]
    fn a_snapshot_of_a_copy_that_comes_back_is_not_told() {
        let mut merge = merge();
        merge.give(One, Position::Whole(5));
        merge.up(Other);
        merge.give(Other, Position::Whole(6));
        merge.give(One, change(6));
        merge.give(Other, change(7));
        assert_eq!(merge.said(), "5 6 7");
    }

    #[test]
    fn a_sequence_that_begins_anew_is_told() {
        let mut merge = merge();
        merge.give(One, change(100));
        merge.give(One, change(1));
        merge.give(One, change(2));
        assert_eq!(merge.said(), "100 -1 1 2");
    }

    #[test]
    fn a_copy_that_lost_some_waits_for_the_other_to_bring_it() {
        let mut merge = merge();
        merge.up(Other);
        merge.give(One, later(1));
        merge.give(Other, later(1));
        merge.lag(Other, 2);
        merge.give(Other, later(4));
        (2..=4).for_each(|at| merge.give(One, later(at)));
        assert_eq!(merge.said(), "1 2 3 4");
        merge.down(Other, cut());
        merge.lag(One, 3);
        merge.give(One, later(8));
        assert_eq!(merge.said(), "-3 8");
    }
}
