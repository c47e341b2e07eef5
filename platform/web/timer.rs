//! The clock and the one timer of a client.

use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::task::AtomicWaker;
use gloo_timers::callback::Timeout;

use super::js;
use crate::time::Instant;

/// What lies between the epoch and the page's beginning, so that times before the first use can be told apart.
const PAGE_BEGAN: Instant = Instant::from_nanos(365 * 24 * 60 * 60 * 1_000_000_000);

/// The longest delay that `setTimeout` knows, in milliseconds. A longer one would fire at once.
const LONGEST: u128 = i32::MAX as u128;

thread_local! {
    /// The time of the turn that is under way, once it was asked for.
    static TURN: Cell<Turn> = const { Cell::new(Turn::None) };
}

#[derive(Clone, Copy)]
enum Turn {
    None,
    Begun,
    At(Instant),
}

/// The time since the page or worker began. All clients in it share this clock.
pub(super) fn now() -> Instant {
    if let Turn::At(now) = TURN.get() {
        return now;
    }
    // Milliseconds with a fraction; a negative time becomes zero.
    let now = PAGE_BEGAN + Duration::from_nanos((js::performance_now() * 1e6) as u64);
    if let Turn::Begun = TURN.get() {
        TURN.set(Turn::At(now));
    }
    now
}

/// Runs something during which the time stands still: to ask the browser for it costs as much as to parse a message.
pub(super) fn in_one_turn<T>(run: impl FnOnce() -> T) -> T {
    TURN.set(Turn::Begun);
    let done = run();
    TURN.set(Turn::None);
    done
}

/// Wakes a task at a time.
///
/// The next deadline of a connection moves on with each message. A timeout that would fire too early is therefore left
/// as it is, and set again when it has fired. One may also fire before its time, for its clock is not this one: Node's
/// is as old as the turn that set it.
#[derive(Default)]
pub(super) struct Timer {
    armed: Option<Armed>,
    bell: Rc<Bell>,
}

struct Armed {
    deadline: Instant,
    _timeout: Timeout,
}

#[derive(Default)]
struct Bell {
    /// Whether the timeout has fired since it was set.
    rung: Cell<bool>,
    waker: AtomicWaker,
}

impl Timer {
    /// Ready once `deadline` has come; otherwise the task is woken then. Only the last deadline counts.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let now = now();
        if now >= deadline {
            return Poll::Ready(());
        }
        self.bell.waker.register(cx.waker());
        if self.bell.rung.get() || self.armed.as_ref().is_none_or(|armed| armed.deadline > deadline) {
            self.arm(now, deadline);
        }
        Poll::Pending
    }

    fn arm(&mut self, now: Instant, deadline: Instant) {
        // Rounded up, because a timeout that fires too early is one for nothing.
        let millis = deadline.since(now).as_nanos().div_ceil(1_000_000).min(LONGEST);
        let bell = self.bell.clone();
        // The last one goes with its timeout, and rings no more.
        self.armed = None;
        self.bell.rung.set(false);
        let timeout = Timeout::new(u32::try_from(millis).unwrap_or_default(), move || {
            bell.rung.set(true);
            bell.waker.wake();
        });
        self.armed = Some(Armed { deadline, _timeout: timeout });
    }
}
