//! A place at the exchange, taken before the upgrade is answered: whoever knows that it is connected can already be
//! reached by faults, and a place is given back however its connection ends.

use std::net::IpAddr;
use std::sync::Arc;

use super::ending::Closed;
use super::outbox::{Handle, Inbox, outbox};
use crate::faults::Fault;
use crate::state::State;

/// One taken place.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(super) ip: IpAddr,
    pub(super) handle: Handle,
    pub(super) inbox: Inbox,
    /// Lasting faults that were there before.
    pub(super) faults: Vec<Fault>,
    pub(super) lease: Lease,
}

/// Gives the place back when it is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) state: Arc<State>,
    number: u64,
}

impl Seat {
    /// Takes a place, unless the address has as many as it may.
    pub(crate) fn take(state: &Arc<State>, ip: IpAddr) -> Option<Self> {
        let opened = state.clock.uptime();
        // Counting and entering is one step, so that two clients cannot share the last place.
        state.note(|journal| {
            if journal.open_from(ip) >= state.settings.connections_per_ip {
                return None;
            }
            let number = journal.note_open(ip, opened);
            let (handle, inbox) = outbox(number, state.settings.outbox);
            let faults = state.enter(&handle);
            Some(Self { ip, handle, inbox, faults, lease: Lease { state: state.clone(), number } })
        })
    }
}

impl Lease {
    /// Nobody reaches the connection any more; this is why.
    pub(super) fn end(&self, why: Closed) {
        self.state.leave(self.number, why == Closed::Logout);
        self.state.note(|journal| journal.note_close(self.number, self.state.clock.uptime(), why));
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The first reason given stays; then this changes nothing.
        self.end(Closed::Lost);
    }
}
