//! One contestant doing one piece of work in a process of its own.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;

use crate::alloc;
use crate::contestants::{
    Caller, Ingest, Result, deribit_websocket, fastwebsockets, jsonrpsee, steadysocket, tungstenite, yawc,
};
use crate::frames;
use crate::measure::{self, Meter};
use crate::plan::Work;
use crate::server::{Flood, Load};

/// What a process found out.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Found {
    /// Processor time in nanoseconds; bytes where memory is what is measured.
    pub cost: u64,
    pub allocations: u64,
    /// What all contestants must have got out of the same messages.
    pub proof: u64,
}

/// What takes longer will never end: a message was lost.
const PATIENCE: Duration = Duration::from_secs(120);

/// Does it and prints what was found out.
pub fn run(work: Work, contestant: &'static str, port: u16, count: u64, allocations: bool) -> Result<()> {
    if allocations {
        alloc::count();
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    // As a task among others, because a runtime polls those more often than what it blocks on.
    let found = runtime.block_on(async move {
        let work = tokio::spawn(dispatch(work, contestant, port, count));
        tokio::time::timeout(PATIENCE, work).await
    })???;
    println!("{}", serde_json::to_string(&found)?);
    // Nothing needs to be tidied up.
    std::process::exit(0)
}

async fn dispatch(work: Work, contestant: &'static str, port: u16, count: u64) -> Result<Found> {
    let flood = work.flood(contestant, count);
    match (work, contestant) {
        (Work::Typed, "steadysocket") => ingest::<steadysocket::Typed>(port, frames::channels(), flood).await,
        (Work::Typed, "tokio-tungstenite") => ingest::<tungstenite::Typed>(port, Vec::new(), flood).await,
        (Work::Typed, "tokio-tungstenite, peeking") => {
            ingest::<tungstenite::Peek>(port, Vec::new(), flood).await
        }
        (Work::Typed, "jsonrpsee") => ingest::<jsonrpsee::Typed>(port, Vec::new(), flood).await,
        (Work::Typed, "deribit-websocket") => {
            ingest::<deribit_websocket::Typed>(port, frames::channels(), flood).await
        }
        (Work::Raw | Work::Trickle, "steadysocket") => {
            ingest::<steadysocket::Raw>(port, Vec::new(), flood).await
        }
        (Work::Raw, "steadysocket, by channel") => {
            ingest::<steadysocket::Channels>(port, frames::channels(), flood).await
        }
        (Work::Raw | Work::Trickle, "tokio-tungstenite") => {
            ingest::<tungstenite::Raw>(port, Vec::new(), flood).await
        }
        (Work::Raw | Work::Trickle, "fastwebsockets") => {
            ingest::<fastwebsockets::Raw>(port, Vec::new(), flood).await
        }
        (Work::Raw | Work::Trickle, "yawc") => ingest::<yawc::Raw>(port, Vec::new(), flood).await,
        (Work::Book, "steadysocket") => ingest::<steadysocket::Book>(port, Vec::new(), flood).await,
        (Work::Book, "tokio-tungstenite") => ingest::<tungstenite::Book>(port, Vec::new(), flood).await,
        (Work::Growth, _) => {
            let Load::Spread(channels) = flood.load else { return Err("another load was expected".into()) };
            let channels = (0..channels).map(frames::spread_channel).collect();
            ingest::<steadysocket::Typed>(port, channels, flood).await
        }
        (Work::Calls(at_once), "steadysocket") => calls::<steadysocket::Calls>(port, count, at_once).await,
        (Work::Calls(at_once), "tokio-tungstenite") => {
            calls::<Arc<tungstenite::Calls>>(port, count, at_once).await
        }
        (Work::Calls(at_once), "jsonrpsee") => calls::<jsonrpsee::Calls>(port, count, at_once).await,
        (Work::Calls(at_once), "deribit-websocket") => {
            calls::<Arc<deribit_websocket::Calls>>(port, count, at_once).await
        }
        (Work::Idle, "steadysocket") => idle(count, || steadysocket::idle(port)).await,
        (Work::Idle, "tokio-tungstenite") => idle(count, || tungstenite::idle(port)).await,
        (Work::Idle, "jsonrpsee") => idle(count, || jsonrpsee::idle(port)).await,
        _ => Err(format!("{contestant} does not do this").into()),
    }
}

async fn ingest<C: Ingest>(port: u16, channels: Vec<String>, flood: Flood) -> Result<Found> {
    let mut contestant = C::open(port, channels).await?;
    // Once for the caches and the branch predictor.
    measure::expect(flood.frames / 10);
    contestant.take(Flood { frames: flood.frames / 10, ..flood }).await?;
    measure::expect(flood.frames);
    let meter = Meter::start();
    contestant.take(flood).await?;
    found(&meter)
}

async fn calls<C: Caller>(port: u16, count: u64, at_once: u64) -> Result<Found> {
    let contestant = C::open(port).await?;
    measure::expect(count / 10);
    contestant.call(count / 10, at_once).await?;
    measure::expect(count);
    let meter = Meter::start();
    contestant.call(count, at_once).await?;
    // The orders before are part of the proof, and the same for all.
    found(&meter)
}

fn found(meter: &Meter) -> Result<Found> {
    let cost = meter.stop();
    Ok(Found { cost: cost.cpu, allocations: cost.allocations, proof: measure::proof() })
}

/// What each of so many connections holds while nothing happens.
async fn idle<C, F>(count: u64, open: impl Fn() -> F) -> Result<Found>
where
    F: Future<Output = Result<C>>,
{
    // What the first one sets up for all is no part of it.
    let _first = open().await?;
    let (before, meter) = (measure::resident(), Meter::start());
    let mut connections = Vec::new();
    for _ in 0..count {
        connections.push(open().await?);
    }
    let cost = meter.stop();
    let held = measure::resident().saturating_sub(before);
    Ok(Found { cost: held, allocations: cost.allocations, proof: 0 })
}
