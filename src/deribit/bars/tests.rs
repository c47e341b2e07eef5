use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::seam::Seam;
use super::*;

const STEP: u64 = 60_000;

fn bar(tick: u64, volume: f64) -> Bar {
    serde_json::from_value(serde_json::json!({
        "tick": tick, "open": 1, "high": 1, "low": 1, "close": volume, "volume": volume,
    }))
    .unwrap()
}

fn updates(seam: &mut Seam) -> Vec<BarUpdate> {
    std::iter::from_fn(|| seam.next()).collect()
}

#[test]
fn history_and_stream_meet_without_a_duplicate() {
    let mut seam = Seam::new(2 * STEP, Some(STEP));
    assert_eq!(seam.missing_since(), Some(STEP + 1), "the bar that was under way then is wanted");
    seam.history([bar(2 * STEP, 1.0), bar(3 * STEP, 2.0), bar(4 * STEP, 5.0)].into_iter());
    let (second, third) = (bar(2 * STEP, 1.0), bar(3 * STEP, 2.0));
    let closed =
        [BarUpdate::Closed(second), BarUpdate::Closed(third), BarUpdate::Current(bar(4 * STEP, 5.0))];
    assert_eq!(updates(&mut seam), closed);
    // What the stream had sent before the history was fetched.
    for old in [bar(3 * STEP, 2.0), bar(4 * STEP, 4.0)] {
        seam.live(old);
        assert_eq!(updates(&mut seam), []);
    }
    seam.live(bar(4 * STEP, 6.0));
    seam.live(bar(5 * STEP, 1.0));
    let closed = BarUpdate::Closed(bar(4 * STEP, 6.0));
    assert_eq!(updates(&mut seam), [closed, BarUpdate::Current(bar(5 * STEP, 1.0))]);
}

#[test]
fn a_hole_is_asked_about_once() {
    let mut seam = Seam::new(STEP, Some(STEP));
    seam.history([bar(STEP, 1.0)].into_iter());
    updates(&mut seam);
    seam.live(bar(4 * STEP, 1.0));
    assert_eq!((updates(&mut seam), seam.missing_since()), (vec![], Some(STEP)));
    // The history is behind, and it knows of one of the two bars only.
    seam.history([bar(STEP, 3.0), bar(2 * STEP, 1.0)].into_iter());
    let closed = [BarUpdate::Closed(bar(STEP, 3.0)), BarUpdate::Closed(bar(2 * STEP, 1.0))];
    assert_eq!(updates(&mut seam), [closed.to_vec(), vec![BarUpdate::Current(bar(4 * STEP, 1.0))]].concat());
    assert_eq!(seam.missing_since(), None);
}

#[test]
fn an_empty_history_is_no_end() {
    let mut seam = Seam::new(STEP, None);
    seam.history(std::iter::empty());
    assert_eq!(seam.missing_since(), None, "there is nothing to ask for");
    seam.live(bar(3 * STEP, 1.0));
    assert_eq!(seam.missing_since(), Some(STEP));
    seam.history(std::iter::empty());
    assert_eq!(updates(&mut seam), [BarUpdate::Current(bar(3 * STEP, 1.0))]);
}

#[test]
fn resolutions() {
    assert_eq!((step("1"), step("720"), step("1D")), (Some(STEP), Some(720 * STEP), Some(1440 * STEP)));
    assert_eq!((step("0"), step("x"), step("-1"), step("W")), (None, None, None, None));
}

/// An exchange, a connection to it, and a reader.
struct World {
    seam: Seam,
    bars: BTreeMap<u64, f64>,
    now: u64,
    connected: bool,
    queue: VecDeque<Update<Bar>>,
    seen: Vec<BarUpdate>,
    wanted_since: u64,
}

impl World {
    fn trade(&mut self) {
        let volume = self.bars.entry(self.now).or_default();
        *volume += 1.0;
        if self.connected {
            self.queue.push_back(Update::Data(bar(self.now, *volume)));
        }
    }

    fn cut(&mut self) {
        if std::mem::take(&mut self.connected) {
            self.queue.push_back(Update::Interrupted(crate::error::Disconnect::Requested));
        }
    }

    fn reconnect(&mut self) {
        if !std::mem::replace(&mut self.connected, true) {
            self.queue.push_back(Update::Resumed);
        }
    }

    /// The reader was too slow for the first few.
    fn overflow(&mut self) {
        let lost = self.queue.iter().take_while(|update| matches!(update, Update::Data(_))).count();
        if lost > 0 {
            self.queue.drain(..lost);
            self.queue.push_front(Update::Lagged(lost as u64));
        }
    }

    /// One round of [`Bars::next`].
    fn read(&mut self) {
        self.seen.extend(updates(&mut self.seam));
        if let Some(since) = self.seam.missing_since() {
            if self.connected {
                let bars: Vec<_> =
                    self.bars.range(since..).map(|(tick, volume)| bar(*tick, *volume)).collect();
                self.seam.history(bars.into_iter());
            }
            return;
        }
        match self.queue.pop_front() {
            Some(Update::Data(bar)) => self.seam.live(bar),
            Some(Update::Interrupted(_)) => self.seam.interrupted(),
            Some(Update::Resumed) => self.seam.resumed(),
            Some(_) => self.seam.lost(),
            None => {}
        }
    }

    fn check(&self) {
        let seen = self.seen.iter().filter_map(|update| match update {
            BarUpdate::Closed(bar) => Some((bar.tick, bar.volume)),
            _ => None,
        });
        let mut expected: Vec<_> = self.bars.range(self.wanted_since..).map(|(t, v)| (*t, *v)).collect();
        let current = expected.pop();
        assert_eq!(seen.collect::<Vec<_>>(), expected);
        let last = self.seen.iter().rev().find_map(|update| match update {
            BarUpdate::Current(bar) => Some((bar.tick, bar.volume)),
            _ => None,
        });
        assert_eq!(last, current);
    }
}

proptest! {
    /// Whatever is cut and lost, every bar is closed once, as it was in the end, in order.
    #[test]
    fn no_hole_and_no_duplicate(steps in proptest::collection::vec(0u8..12, 0..400), known_step in any::<bool>()) {
        let since = 10 * STEP;
        let mut world = World {
            seam: Seam::new(since, known_step.then_some(STEP)), bars: BTreeMap::new(), now: 7 * STEP, connected: true,
            queue: VecDeque::new(), seen: Vec::new(), wanted_since: since,
        };
        for step in steps {
            match step {
                0..=3 => world.trade(),
                4 => world.now += STEP,
                5 => world.now += 3 * STEP,
                6 => world.cut(),
                7 => world.reconnect(),
                8 => world.overflow(),
                _ => world.read(),
            }
        }
        world.reconnect();
        world.trade();
        for _ in 0..2_000 {
            world.read();
        }
        if world.now >= since {
            world.check();
        }
    }
}
