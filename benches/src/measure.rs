//! Clocks, cores and memory of this process.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

use crate::alloc;

/// Keeps this process on one core.
pub fn pin(core: usize) {
    let mut set = CpuSet::new();
    set.set(core);
    // Where it is not allowed, or there is no such core, the figures are only noisier.
    let _ = sched_setaffinity(None, &set);
}

/// Processor time of this process, of user and kernel together, in nanoseconds.
fn cpu() -> u64 {
    nanos(ClockId::ProcessCPUTime)
}

/// A clock that all processes of the machine share, in nanoseconds.
pub fn now() -> u64 {
    nanos(ClockId::Monotonic)
}

fn nanos(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Resident memory of this process in bytes.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}

/// What a piece of work cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub cpu: u64,
    pub allocations: u64,
}

pub struct Meter {
    cpu: u64,
    allocations: u64,
}

impl Meter {
    pub fn start() -> Self {
        Self { allocations: alloc::counted(), cpu: cpu() }
    }

    pub fn stop(&self) -> Cost {
        Cost { cpu: cpu() - self.cpu, allocations: alloc::counted() - self.allocations }
    }
}

thread_local! {
    static SEEN: Cell<u64> = const { Cell::new(0) };
    static TARGET: Cell<u64> = const { Cell::new(0) };
    static PROOF: Cell<u64> = const { Cell::new(0) };
    static WAITER: Cell<Option<Waker>> = const { Cell::new(None) };
}

/// A message was received, with a number that shows it.
pub fn saw(proof: u64) {
    saw_many(1, proof);
}

pub fn saw_many(count: u64, proof: u64) {
    PROOF.set(PROOF.get().wrapping_add(proof));
    let seen = SEEN.get() + count;
    SEEN.set(seen);
    if seen >= TARGET.get() {
        WAITER.take().into_iter().for_each(Waker::wake);
    }
}

/// Counts anew.
pub fn expect(messages: u64) {
    SEEN.set(0);
    PROOF.set(0);
    TARGET.set(messages);
}

/// How many are still to come.
pub fn missing() -> u64 {
    TARGET.get().saturating_sub(SEEN.get())
}

/// Whether all have been received.
pub fn complete() -> bool {
    SEEN.get() >= TARGET.get()
}

/// Waits until all have been received; the sum of their proofs.
pub async fn completed() -> u64 {
    poll_fn(|cx| {
        if complete() {
            return Poll::Ready(());
        }
        WAITER.set(Some(cx.waker().clone()));
        Poll::Pending
    })
    .await;
    PROOF.get()
}

pub fn proof() -> u64 {
    PROOF.get()
}
