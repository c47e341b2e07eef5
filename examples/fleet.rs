//! Many clients in one process: cut at random, one of them with a protocol that panics, and in the end all well again.
//!
//! ```text
//! cargo run --release --example fleet                              # 1,000 clients for 20 seconds
//! cargo run --release --example fleet -- --clients 100 --seconds 5
//! ```
//!
//! The local exchange runs in a process of its own, so that its memory is not counted.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use comfy_table::{Table, presets};
use futures::future::join_all;
use lexopt::ValueExt;
use steadysocket::config::{Queue, WhenBlocked};
use steadysocket::deribit::{Deribit, Options};
use steadysocket::error::{NotSent, RpcError};
use steadysocket::protocol::{Inbound, RequestId, Step};
use steadysocket::time::Instant;
use steadysocket::{
    Client, Config, Entry, Health, JsonRpc, Message, Native, Payload, Protocol, Registry, Request, Restarts,
    Update, Verdict,
};
use steadysocket_exchange::{CreditPolicy, Exchange, Fault, Target};

type AnyError = Box<dyn std::error::Error>;

const CHANNEL: &str = "ticker.BTC-PERPETUAL.100ms";

/// How long the fleet may take to be well again once nothing is cut any more.
const RECOVERY: Duration = Duration::from_secs(45);

#[tokio::main]
async fn main() -> Result<ExitCode, AnyError> {
    let (mut clients, mut seconds) = (1000_usize, 20_u64);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("clients") => clients = arguments.value()?.parse()?,
            lexopt::Arg::Long("seconds") => seconds = arguments.value()?.parse()?,
            lexopt::Arg::Value(role) if role == "exchange" => {
                let cuts = arguments.value()?.parse()?;
                serve(Duration::from_millis(cuts)).await?;
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    run(clients, seconds).await
}

async fn run(count: usize, seconds: u64) -> Result<ExitCode, AnyError> {
    // The panics are contained, and counted in the table.
    std::panic::set_hook(Box::new(|_| {}));
    // Each client is cut once in about twice the time that it runs.
    let mut exchange = Process::start(Duration::from_secs(2 * seconds) / u32::try_from(count)?)?;
    let before = resident();
    let (registry, data) = (Registry::new(), Arc::new(AtomicU64::new(0)));
    let clients = join_all((0..count).map(|number| start(number, exchange.url.clone()))).await;
    // The registry keeps nobody alive.
    let mut kept = Vec::new();
    for (number, client) in clients.into_iter().enumerate() {
        let client = client?;
        let kind = if number == 0 { "panics" } else { "ordinary" };
        registry.register_with(format!("client-{number}"), &client, [("kind", kind)])?;
        tokio::spawn(read(client.clone(), data.clone()));
        kept.push(client);
    }
    println!("{count} clients are live");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let per_client = (resident().saturating_sub(before)) as f64 / count as f64;

    exchange.tell("cut")?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    exchange.tell("stop")?;
    let recovered = tokio::time::timeout(RECOVERY, async {
        while registry.entries().iter().any(|entry| entry.client.health().verdict() != Verdict::Healthy) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let recovered = recovered.await.is_ok() && registry.len() == count;

    println!("{}", table(&registry.entries()));
    println!("{} updates were read; {per_client:.1} KiB of memory a client", data.load(Ordering::Relaxed));
    let drained = registry.drain_all(Duration::from_secs(5)).await;
    let in_time = drained.iter().filter(|drained| drained.in_time).count();
    println!(
        "{in_time} of {} were drained in time; {} are left in the registry",
        drained.len(),
        registry.len()
    );
    Ok(if recovered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The first one has a protocol that panics now and then.
async fn start(number: usize, url: String) -> Result<Client, AnyError> {
    if number > 0 {
        let options = Options::at(&url)?;
        let config = options.config()?.retry_initial_connect(true).when_offline(WhenBlocked::Wait);
        return Ok(Deribit::connect_with(options, config, Native::new()).await?.client().clone());
    }
    let restarts = Restarts { most: 1000, ..Restarts::default() };
    let config = Config::new(&url)?.retry_initial_connect(true);
    let client = steadysocket::supervise(config, Native::new(), restarts, Fragile::default)?;
    client.ready().await?;
    Ok(client)
}

async fn read(client: Client, data: Arc<AtomicU64>) {
    let Ok(mut ticks) = client.subscribe_with::<Payload>(CHANNEL, Queue::default()).await else {
        return;
    };
    // Only the subscription keeps the client alive from here on, and whoever holds it besides.
    drop(client);
    while let Some(update) = ticks.next().await {
        data.fetch_add(u64::from(matches!(update, Update::Data(_))), Ordering::Relaxed);
    }
}

/// What the health of all says, by kind and verdict.
fn table(entries: &[Entry]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["clients", "number", "healthy", "connections", "disconnects", "confirmed", "dropped"]);
    for kind in ["ordinary", "panics"] {
        let healths: Vec<_> = entries
            .iter()
            .filter(|entry| entry.labels.iter().any(|(_, label)| label == kind))
            .map(|entry| entry.client.health())
            .collect();
        let sum = |of: &dyn Fn(&Health) -> u64| healths.iter().map(of).sum::<u64>().to_string();
        table.add_row([
            kind.to_owned(),
            healths.len().to_string(),
            sum(&|health| u64::from(health.verdict() == Verdict::Healthy)),
            sum(&|health| health.stats.connections),
            sum(&|health| health.stats.disconnects),
            sum(&|health| health.stats.confirmed as u64),
            sum(&|health| health.dropped),
        ]);
    }
    let unwell = entries.iter().map(|entry| (&entry.name, entry.client.health().verdict()));
    for (name, verdict) in unwell.filter(|(_, verdict)| *verdict != Verdict::Healthy).take(10) {
        table.add_row([name.to_string(), verdict.to_string()]);
    }
    table
}

/// JSON-RPC that panics at every twentieth message.
#[derive(Default)]
struct Fragile {
    rpc: JsonRpc,
    read: u32,
}

impl Protocol for Fragile {
    fn encode(&mut self, now: Instant, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent> {
        self.rpc.encode(now, id, request)
    }

    fn read<'m>(&mut self, now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        self.read += 1;
        assert!(self.read < 20, "a twentieth message");
        self.rpc.read(now, message, found);
    }

    fn open(&mut self, _: Instant, _: Option<Result<&Payload, &RpcError>>) -> Step {
        Step::Done
    }

    fn subscribe(&self, _: u8, channels: &[&str]) -> Option<Request> {
        Request::with("public/subscribe", &serde_json::json!({ "channels": channels })).ok()
    }

    fn unsubscribe(&self, _: u8, channels: &[&str]) -> Option<Request> {
        Request::with("public/unsubscribe", &serde_json::json!({ "channels": channels })).ok()
    }
}

/// Memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

/// The exchange's process; it ends with this one.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(cuts: Duration) -> Result<Self, AnyError> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["exchange", &cuts.as_millis().max(1).to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut url)?;
        Ok(Self { child, url: url.trim().to_owned() })
    }

    fn tell(&mut self, what: &str) -> Result<(), AnyError> {
        Ok(writeln!(self.child.stdin.as_mut().ok_or("no input")?, "{what}")?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A venue for everybody, which cuts a connection after each of these times when it is told to.
async fn serve(every: Duration) -> Result<(), AnyError> {
    let credits = CreditPolicy { enforced: false, ..CreditPolicy::default() };
    let exchange = Exchange::builder().connections_per_ip(usize::MAX).credits(credits).start().await?;
    println!("{}", exchange.url());
    let (tell, mut told) = tokio::sync::watch::channel(false);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            let _ = tell.send(line == "cut");
        }
        // Nobody is left to be served.
        std::process::exit(0);
    });
    told.wait_for(|cut| *cut).await?;
    let mut random = every.as_nanos() as u64 | 1;
    let mut cuts = tokio::time::interval(every);
    while *told.borrow() {
        cuts.tick().await;
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let chosen = exchange.look(|journal| {
            let open = journal.connections().filter(|connection| connection.closed.is_none());
            let numbers: Vec<_> = open.map(|connection| connection.number).collect();
            (!numbers.is_empty()).then(|| numbers[(random >> 33) as usize % numbers.len()])
        });
        if let Some(number) = chosen {
            exchange.fault(Target::Connection(number), Fault::Reset);
        }
    }
    std::future::pending().await
}
