//! Many short lives, each decided by one seed: the network, the clock, entropy, the venue and what goes wrong, also in the
//! user's own protocol. After everything that happens, every promise is checked.
//!
//! `make sim` tries seeds for as long as one likes: `SEEDS=1000000 make sim`. `SEED=7 make sim` replays one life, and
//! ends it at the same step.

mod herd;
mod life;
mod plan;
mod protocol;
mod venue;

use std::sync::atomic::{AtomicU64, Ordering};

use steadysocket::Transport;
use steadysocket::transport::Platform;

use crate::test;
use life::{Broken, Tally, live};
use plan::Plan;

/// What consumers listen to, and the venue publishes.
const CHANNELS: [&str; 3] = ["a", "b", "c"];

/// Lives in the ordinary test run.
const SEEDS: u64 = if cfg!(target_family = "wasm") { 300 } else { 10_000 };

/// Prints in the ordinary test run too, where the harness keeps what `println!` says to itself.
pub fn say(line: &str) {
    if cfg!(target_family = "wasm") {
        println!("{line}");
    } else {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes());
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|value| value.parse().ok())
}

/// `SEED`, or a new one.
pub fn seed() -> u64 {
    number("SEED").unwrap_or_else(|| Transport::new().seed())
}

/// A plan that breaks a promise, with no more faults than it takes.
fn shrink(mut plan: Plan, mut broken: Broken) -> (Plan, Broken) {
    while let Some((fewer, same)) = (0..plan.faults.len()).find_map(|index| {
        let fewer = plan.without(index);
        let broken = live(&fewer).err()?;
        Some((fewer, broken))
    }) {
        (plan, broken) = (fewer, same);
    }
    (plan, broken)
}

/// Lives all of these, on every core there is.
fn live_all(seeds: std::ops::Range<u64>) -> Tally {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut tally = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return tally;
            }
            let plan = Plan::of(seed);
            match live(&plan) {
                Ok(life) => tally.add(&life),
                Err(broken) => {
                    next.store(seeds.end, Ordering::Relaxed);
                    let (least, same) = shrink(plan.clone(), broken.clone());
                    panic!(
                        "{broken}\n{plan}\nreplay: SEED={seed} make sim\nthe least that it takes: {same}\n{least}"
                    );
                }
            }
        }
    };
    if cfg!(target_family = "wasm") {
        return work();
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut sum = Tally::default();
        for worker in workers {
            match worker.join() {
                Ok(tally) => sum.add(&tally),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        sum
    })
}

#[test]
fn every_promise_holds_in_every_life() {
    if let Some(seed) = number("SEED") {
        let plan = Plan::of(seed);
        say(&format!("{plan}"));
        match live(&plan) {
            Ok(tally) => say(&format!("all is well: {tally:?}")),
            Err(broken) => panic!("{broken}"),
        }
        return;
    }
    let first = if number("SEEDS").is_some() { seed() >> 1 } else { 0 };
    let count = number("SEEDS").unwrap_or(SEEDS);
    say(&format!("lives: seeds {first} to {}", first + count - 1));
    let tally = live_all(first..first + count);
    say(&format!("lives: {count} seeds, {tally:?}"));
    assert!(tally.happened_everything(), "the lives are too quiet to prove anything: {tally:?}");
}

#[test]
fn the_same_seed_gives_the_same_life() {
    for seed in 0..20 {
        assert_eq!(live(&Plan::of(seed)), live(&Plan::of(seed)), "{seed}");
    }
    assert_ne!(live(&Plan::of(1)), live(&Plan::of(2)));
}

/// Whatever happens in a life, its recording replays to the same. Nobody lets the replayed protocol panic.
#[cfg(feature = "record")]
#[test]
fn every_life_replays() {
    use steadysocket::recorder::{Memory, Reader, Recorder};
    use steadysocket::replay::Replay;

    for seed in 0..SEEDS / 100 {
        let memory = Memory::new(usize::MAX);
        let recorder = Recorder::new(memory.clone(), std::time::Duration::default);
        life::live_with(&Plan::of(seed).without_panics(), |config| config.recorder(Some(recorder))).unwrap();
        let text = memory.text();
        let history =
            Replay::new(Reader::new(text.as_bytes()), || protocol::Login::new(Default::default())).history();
        let history = history.unwrap_or_else(|problem| panic!("SEED={seed}: {problem}"));
        let (events, sent) = (history.events.len(), history.sent.len());
        assert!(events > 3 && sent > 3, "SEED={seed}: {events} events, {sent} frames sent");
        assert_eq!(history.differences, [], "SEED={seed}");
    }
}
