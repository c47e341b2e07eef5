//! Where to look for an order, and when, until it is certain whether the exchange has it. It is given the time and the
//! answers, and asks nobody itself.
//!
//! That an order is not there proves nothing while it may still be on its way: the last bytes of a lost connection may be
//! read after a look-up on the next. So each order carries a `valid_until`, after which the exchange refuses it
//! (13888), and absence counts only when it was looked for after that time on the exchange's own clock.

use std::time::Duration;

use crate::deribit::ServerTime;

/// How long after `valid_until` the exchange may still be at work on an order that it began before: a request waits up
/// to 5 s for the lock on its account (10050), and the clocks of the venue's machines may differ a little.
pub(super) const SETTLING: Duration = Duration::from_secs(6);

/// Orders that ended are among the recent ones for 30 minutes; less is relied upon.
const RECENT: Duration = Duration::from_secs(25 * 60);

/// They are in the history "after a short delay"; more is allowed for.
const INDEXED: Duration = Duration::from_secs(60 * 60);

/// The first pause between two rounds; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A list that the exchange keeps, where an order may be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Recent orders with its label, in one of the currencies that it may be counted under.
    Label(usize),
    /// Open orders with its label, which may be waiting for their trigger.
    OpenLabel(usize),
    /// Orders of its instrument that ended lately.
    Recent,
    /// Orders of its instrument that ended longer ago.
    History,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Look there, and say so by [`Search::absent`] or [`Search::failed`] unless the order was found.
    Look(List),
    /// Wait this long.
    Wait(Duration),
    /// It is nowhere and will not come any more.
    NeverArrived,
}

/// The search for one order.
#[derive(Debug)]
pub(super) struct Search {
    /// No earlier than this it was made, in milliseconds of the exchange's clock.
    born: u64,
    /// It is refused from here on.
    valid_until: u64,
    currencies: usize,
    /// The exchange's time when the present round began, and the lists that are left of it, the last first.
    round: Option<(u64, Vec<List>)>,
    pauses: Pauses,
}

impl Search {
    pub(super) fn new(born: u64, valid_until: u64, currencies: usize) -> Self {
        Self { born, valid_until, currencies, round: None, pauses: Pauses::default() }
    }

    /// The next thing to do. `time` is `None` while the exchange's clock is not known.
    pub(super) fn next(&mut self, time: Option<ServerTime>) -> Next {
        let Some(now) = time.map(ServerTime::earliest_millis) else { return Next::Wait(self.pauses.next()) };
        let (began, left) = match self.round.take() {
            Some(round) => round,
            None => (now, lists(self.absence(now), self.currencies)),
        };
        if let Some(list) = left.last().copied() {
            self.round = Some((began, left));
            return Next::Look(list);
        }
        match (self.absence(began), self.absence(now)) {
            // It would still be in that list: the round took no longer than the list remembers.
            (Absence::Proves(one), Absence::Proves(other)) if one == other => Next::NeverArrived,
            (Absence::TooEarly, _) => Next::Wait(self.pauses.next_until(self.valid_until, time)),
            _ => Next::Wait(self.pauses.next()),
        }
    }

    /// It is not in the list.
    pub(super) fn absent(&mut self) {
        if let Some((_, left)) = &mut self.round {
            left.pop();
        }
    }

    /// It could not be looked for: begin again after this time.
    pub(super) fn failed(&mut self) -> Duration {
        self.round = None;
        self.pauses.next()
    }

    /// What it means when an order is in none of the lists of a round that began at `now`.
    fn absence(&self, now: u64) -> Absence {
        let age = Duration::from_millis(now.saturating_sub(self.born));
        match () {
            () if now <= settled(self.valid_until) => Absence::TooEarly,
            () if age < RECENT => Absence::Proves(List::Recent),
            () if age > INDEXED => Absence::Proves(List::History),
            () => Absence::BetweenTheTwo,
        }
    }
}

/// Since when, on the exchange's clock, a request with this `valid_until` is not executed any more.
fn settled(valid_until: u64) -> u64 {
    valid_until.saturating_add(millis(SETTLING))
}

/// Whether a request with this `valid_until` is certain not to be executed any more.
pub(super) fn is_settled(valid_until: u64, now: Option<ServerTime>) -> bool {
    now.is_some_and(|now| now.earliest_millis() > settled(valid_until))
}

/// How long to wait between questions: each time twice as long.
#[derive(Debug)]
pub(super) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(FIRST_PAUSE)
    }
}

impl Pauses {
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        pause
    }

    /// No longer than until a request with this `valid_until` is certain not to be executed any more.
    pub(super) fn next_until(&mut self, valid_until: u64, now: Option<ServerTime>) -> Duration {
        let left = now.map(|now| settled(valid_until).saturating_sub(now.earliest_millis()));
        let pause = self.next();
        left.map_or(pause, |left| pause.min(Duration::from_millis(left + 1)))
    }
}

/// What it means when an order is in no list.
enum Absence {
    /// It may still come.
    TooEarly,
    /// It is no longer certain to be among the recent orders, and not yet among the old ones.
    BetweenTheTwo,
    /// It never came, when it is not in this list either.
    Proves(List),
}

/// Where to look, the last first.
fn lists(absence: Absence, currencies: usize) -> Vec<List> {
    let by_label = (0..currencies).rev().map(List::Label);
    let open = (0..currencies).rev().map(List::OpenLabel);
    match absence {
        Absence::TooEarly => by_label.collect(),
        Absence::BetweenTheTwo => [List::History, List::Recent].into_iter().chain(by_label).collect(),
        Absence::Proves(list) => std::iter::once(list).chain(open).chain(by_label).collect(),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BORN: u64 = 1_790_000_000_000;
    const VALID_UNTIL: u64 = BORN + 10_000;

    fn at(millis: u64) -> Option<ServerTime> {
        Some(ServerTime { micros: (BORN + millis) * 1000, error: Duration::ZERO })
    }

    /// Looks everywhere and finds nothing; the lists, and when it was sure.
    fn search_in_vain(from: u64) -> (Vec<List>, u64) {
        let mut search = Search::new(BORN, VALID_UNTIL, 1);
        let (mut now, mut asked) = (from, Vec::new());
        for _ in 0..1000 {
            match search.next(at(now)) {
                Next::Look(list) => {
                    asked.push(list);
                    search.absent();
                    now += 5;
                }
                Next::Wait(time) => now += time.as_millis() as u64,
                Next::NeverArrived => return (asked, now),
            }
        }
        panic!("it never ends");
    }

    #[test]
    fn absence_counts_only_after_the_order_has_expired() {
        let (asked, sure) = search_in_vain(1_000);
        let early = asked.iter().filter(|list| **list == List::Label(0)).count() - 1;
        assert!((3..=7).contains(&early), "{asked:?}");
        assert_eq!(asked[early..], [List::Label(0), List::OpenLabel(0), List::Recent]);
        let settled = 10_000 + SETTLING.as_millis() as u64;
        assert!((settled..settled + 100).contains(&sure), "{sure}");
    }

    #[test]
    fn an_order_that_expired_long_ago_is_looked_for_in_the_history() {
        let hour = 3_600_000;
        let (asked, sure) = search_in_vain(hour + 1);
        assert_eq!(asked, [List::Label(0), List::OpenLabel(0), List::History]);
        assert!(sure < hour + 100, "{sure}");
        // Between the two lists it may be in neither.
        let (asked, sure) = search_in_vain(30 * 60_000);
        assert_eq!(asked[..3], [List::Label(0), List::Recent, List::History]);
        assert!((hour..hour + 20_000).contains(&sure), "{sure}");
    }

    #[test]
    fn a_round_that_outlasts_its_list_proves_nothing() {
        let minutes = 60_000;
        let mut search = Search::new(BORN, VALID_UNTIL, 1);
        for (minute, list) in [(24, List::Label(0)), (28, List::OpenLabel(0)), (40, List::Recent)] {
            assert_eq!(search.next(at(minute * minutes)), Next::Look(list));
            search.absent();
        }
        assert_eq!(search.next(at(41 * minutes)), Next::Wait(FIRST_PAUSE));
        for list in [List::Label(0), List::OpenLabel(0), List::History] {
            assert_eq!(search.next(at(61 * minutes)), Next::Look(list));
            search.absent();
        }
        assert_eq!(search.next(at(62 * minutes)), Next::NeverArrived);
    }

    #[test]
    fn a_round_that_failed_proves_nothing() {
        let mut search = Search::new(BORN, VALID_UNTIL, 2);
        assert_eq!(search.next(None), Next::Wait(FIRST_PAUSE));
        assert_eq!(search.next(at(60_000)), Next::Look(List::Label(0)));
        search.absent();
        assert_eq!(search.next(at(60_010)), Next::Look(List::Label(1)));
        search.failed();
        assert_eq!(search.next(at(61_000)), Next::Look(List::Label(0)));
    }

    #[test]
    fn an_uncertain_clock_makes_it_wait_longer() {
        let error = Duration::from_secs(3);
        let late = ServerTime { error, ..at(10_000 + 6_001).unwrap() };
        assert!(!is_settled(VALID_UNTIL, Some(late)) && is_settled(VALID_UNTIL, at(10_000 + 6_001)));
        assert!(!is_settled(VALID_UNTIL, None) && !is_settled(VALID_UNTIL, at(10_000 + 6_000)));
    }

    proptest! {
        /// Whenever the exchange executes an order, up to the last moment, nobody is told that it never arrived.
        #[test]
        fn what_was_executed_is_found(
            executed in 0..10_000 + SETTLING.as_millis() as u64,
            start in 0u64..4_000_000,
            delays in prop::collection::vec(0u64..3_000, 60..61),
            failures in prop::collection::vec(prop::bool::weighted(0.2), 60..61),
        ) {
            let mut search = Search::new(BORN, VALID_UNTIL, 1);
            let mut now = start;
            for (delay, fails) in delays.into_iter().zip(failures).cycle().take(2_000) {
                match search.next(at(now)) {
                    Next::Wait(time) => now += time.as_millis() as u64,
                    // The order, once executed, is among the recent ones for half an hour, then in the history.
                    Next::Look(list) => {
                        now += delay;
                        let age = now.saturating_sub(executed);
                        let there = match list {
                            List::Label(_) | List::Recent => age < 30 * 60_000,
                            List::OpenLabel(_) => false,
                            List::History => age > 40 * 60_000,
                        };
                        if fails {
                            now += search.failed().as_millis() as u64;
                        } else if now > executed && there {
                            return Ok(());
                        } else {
                            search.absent();
                        }
                    }
                    Next::NeverArrived => prop_assert!(false, "executed at {executed}, given up at {now}"),
                }
            }
            prop_assert!(false, "it never ends");
        }
    }
}
