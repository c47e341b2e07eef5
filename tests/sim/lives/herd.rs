//! A thousand clients of one venue that goes away and comes back.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use steadysocket::error::ConnectError;
use steadysocket::time::Instant;
use steadysocket::{Client, CloseCode, CloseFrame, Frame, JsonRpc, State};

use super::say;
use crate::calls::config;
use crate::test;
use crate::world::{ConnId, Dial, Net, Venue, World};

const CLIENTS: usize = 1000;
const WINDOW: Duration = Duration::from_millis(100);

/// Accepts everybody while it is up, and notes when they come.
#[derive(Default)]
struct Gate {
    down_until: Instant,
    /// Whether it says how long it will be away.
    tells: bool,
    attempts: Vec<Instant>,
    open: Vec<ConnId>,
}

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Gate>>);

impl Venue for Shared {
    fn dial(&mut self, net: &mut Net, _: ConnId) -> Dial {
        let mut gate = self.0.borrow_mut();
        gate.attempts.push(net.now());
        if net.now() < gate.down_until && gate.tells {
            // In whole seconds, as `Retry-After` has them.
            let retry_after = Some(Duration::from_secs(gate.down_until.since(net.now()).as_secs() + 1));
            return Dial::Fail(ConnectError::Status { status: 503, retry_after, location: None });
        }
        if net.now() < gate.down_until {
            return Dial::Fail(ConnectError::Tcp("refused".into()));
        }
        Dial::Accept
    }

    fn opened(&mut self, _: &mut Net, conn: ConnId) {
        self.0.borrow_mut().open.push(conn);
    }

    fn frame(&mut self, net: &mut Net, conn: ConnId, frame: Frame) {
        if let Frame::Ping(payload) = frame {
            net.send(conn, Frame::Pong(payload));
        }
    }

    fn gone(&mut self, _: &mut Net, _: ConnId) {}

    fn tick(&mut self, _: &mut Net, _: u64) {}
}

/// How the venue lets go of everybody.
#[derive(Clone, Copy, Debug)]
enum Leaves {
    /// Without a word: the machine is gone.
    Reset,
    /// It says that it restarts.
    Restart,
    /// Its proxy stays, and says when to come back.
    Busy,
}

struct Return {
    /// The most attempts within a window, once the venue is back.
    peak: usize,
    attempts: usize,
    /// When the last client is live again, counted from the venue's return.
    all_back: Duration,
}

fn outage(seed: u64, leaves: Leaves, outage: Duration) -> Return {
    let gate = Shared::default();
    let world = World::new(seed, gate.clone());
    let clients: Vec<Client> =
        (0..CLIENTS).map(|_| world.client(config().retry_initial_connect(true), JsonRpc::new())).collect();
    world.run_for(Duration::from_secs(20));
    let left = world.now();
    let back = left + outage;
    gate.0.borrow_mut().down_until = back;
    gate.0.borrow_mut().tells = matches!(leaves, Leaves::Busy);
    let open = std::mem::take(&mut gate.0.borrow_mut().open);
    assert_eq!(open.len(), CLIENTS);
    world.net(|net| {
        for conn in open {
            if matches!(leaves, Leaves::Restart) {
                let frame = CloseFrame::new(CloseCode::SERVICE_RESTART, "");
                net.send(conn, Frame::Close(Some(frame)));
            }
            net.end(conn, "gone");
        }
    });
    let mut all_back = Duration::ZERO;
    while clients.iter().any(|client| client.state() != State::Live) || world.now() < back {
        world.run_for(WINDOW);
        all_back = world.now().since(back);
        assert!(all_back < Duration::from_secs(120), "not all come back");
    }
    let mut windows: BTreeMap<u64, usize> = BTreeMap::new();
    let gate = gate.0.borrow();
    // Windows that begin at every hundredth of one another.
    for at in gate.attempts.iter().filter(|at| **at >= back) {
        *windows.entry(at.as_nanos() / 1_000_000).or_default() += 1;
    }
    let width = WINDOW.as_millis() as u64;
    let peak = windows
        .keys()
        .map(|first| windows.range(first..&(first + width)).map(|(_, count)| count).sum())
        .max();
    let attempts = gate.attempts.iter().filter(|at| **at >= left).count();
    Return { peak: peak.unwrap_or_default(), attempts, all_back }
}

#[test]
fn a_herd_does_not_trample_the_venue_that_comes_back() {
    let outages = [(Leaves::Reset, 5), (Leaves::Reset, 20), (Leaves::Restart, 20), (Leaves::Busy, 20)];
    for (leaves, seconds) in outages {
        let Return { peak, attempts, all_back } = outage(7, leaves, Duration::from_secs(seconds));
        say(&format!(
            "herd: {leaves:?}, {seconds} s away: at most {peak} of {CLIENTS} come within {WINDOW:?}, \
             {attempts} attempts, all back after {all_back:?}"
        ));
        assert!(peak < CLIENTS / 20, "{leaves:?}: {peak}");
    }
}
