//! What is measured, on whom, and what must come out of it.

use crate::server::{Flood, Load};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Typed,
    Raw,
    Book,
    Calls(u64),
    Trickle,
    Idle,
    Growth,
}

/// One piece of work, everybody who does it, and the bounds.
pub struct Measure {
    pub work: Work,
    pub name: &'static str,
    /// How many messages, calls or connections.
    pub count: u64,
    pub contestants: &'static [&'static str],
    pub targets: &'static [Target],
    /// Whether allocations and instructions are of interest.
    pub counted: bool,
}

/// A bound that was set before the work was done.
pub struct Target {
    /// Who is measured against whom.
    pub ours: &'static str,
    pub against: Against,
    pub must: f64,
    pub aim: f64,
}

pub enum Against {
    /// The ratio of the costs.
    Peer(&'static str),
    /// The allocations of one message or call.
    Allocations,
}

const US: &str = "steadysocket";
const TUNGSTENITE: &str = "tokio-tungstenite";
const CALLERS: &[&str] = &[US, TUNGSTENITE, "jsonrpsee", "deribit-websocket"];

const fn ratio(ours: &'static str, peer: &'static str, must: f64, aim: f64) -> Target {
    Target { ours, against: Against::Peer(peer), must, aim }
}

const fn allocations(ours: &'static str, must: f64, aim: f64) -> Target {
    Target { ours, against: Against::Allocations, must, aim }
}

pub const MEASURES: &[Measure] = &[
    Measure {
        work: Work::Typed,
        name: "ingest to typed data, 30 channels",
        count: 200_000,
        contestants: &[US, TUNGSTENITE, "tokio-tungstenite, peeking", "jsonrpsee", "deribit-websocket"],
        targets: &[
            ratio(US, TUNGSTENITE, 0.95, 0.80),
            ratio(US, "jsonrpsee", 0.40, 0.30),
            ratio(US, "deribit-websocket", 0.40, 0.30),
            allocations(US, 2.0, 1.0),
        ],
        counted: true,
    },
    Measure {
        work: Work::Raw,
        name: "ingest to text",
        count: 400_000,
        contestants: &[US, "steadysocket, by channel", TUNGSTENITE, "fastwebsockets", "yawc"],
        targets: &[ratio(US, TUNGSTENITE, 1.35, 1.15), allocations(US, 0.1, 0.0)],
        counted: true,
    },
    Measure {
        work: Work::Book,
        name: "maintained order book, 1,000 levels",
        count: 200_000,
        contestants: &[US, TUNGSTENITE],
        targets: &[ratio(US, TUNGSTENITE, 0.80, 0.50)],
        counted: true,
    },
    Measure {
        work: Work::Calls(1),
        name: "calls, 1 in flight",
        count: 20_000,
        contestants: CALLERS,
        targets: &[ratio(US, TUNGSTENITE, 1.05, 0.95), allocations(US, 6.0, 4.0)],
        counted: true,
    },
    Measure {
        work: Work::Calls(16),
        name: "calls, 16 in flight",
        count: 60_000,
        contestants: CALLERS,
        targets: &[ratio(US, TUNGSTENITE, 0.50, 0.40), allocations(US, 6.0, 4.0)],
        counted: true,
    },
    Measure {
        work: Work::Calls(256),
        name: "calls, 256 in flight",
        count: 100_000,
        contestants: CALLERS,
        targets: &[ratio(US, TUNGSTENITE, 0.35, 0.25), allocations(US, 6.0, 4.0)],
        counted: true,
    },
    Measure {
        work: Work::Trickle,
        name: "trickle: one frame a read, to text",
        count: 20_000,
        contestants: &[US, TUNGSTENITE, "fastwebsockets", "yawc"],
        targets: &[ratio(US, TUNGSTENITE, 0.50, 0.30)],
        counted: false,
    },
    Measure {
        work: Work::Idle,
        name: "idle connection, resident memory",
        count: 1000,
        contestants: &[US, TUNGSTENITE, "jsonrpsee"],
        targets: &[ratio(US, TUNGSTENITE, 0.20, 0.10)],
        counted: false,
    },
    Measure {
        work: Work::Growth,
        name: "10,000 subscriptions, all of them fed",
        count: 200_000,
        contestants: &[FEW, MANY],
        targets: &[ratio(MANY, FEW, 1.15, 1.05)],
        counted: false,
    },
];

const FEW: &str = "steadysocket, 10 subscriptions";
const MANY: &str = "steadysocket, 10,000 subscriptions";

impl Work {
    /// What the server is asked for.
    pub fn flood(self, contestant: &str, frames: u64) -> Flood {
        match self {
            Self::Book => Flood::fast(Load::Book, frames),
            Self::Growth => Flood::fast(Load::Spread(if contestant == MANY { 10_000 } else { 10 }), frames),
            Self::Trickle => Flood { load: Load::Mixed, frames, gap: 25_000 },
            _ => Flood::fast(Load::Mixed, frames),
        }
    }

    pub fn unit(self) -> &'static str {
        if self == Self::Idle { "B" } else { "ns" }
    }
}
