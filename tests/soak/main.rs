//! A long life, natively and in a browser: thousands of messages a second, calls, changing subscriptions and forced
//! reconnections, while memory, descriptors and tasks, or the wasm's memory and references, are watched. It fails when one
//! of them grows.
//!
//! `make soak HOURS=1` forces 10,000 reconnections; `make soak MINUTES=2` is for trying, and forces fewer.
#![cfg(all(feature = "native", target_os = "linux"))]
// Clippy knows tests by their attribute; helpers have none. A time of day is nothing that virtual time has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::disallowed_methods, missing_docs)]

mod browser;
mod load;
mod samples;
mod server;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use samples::{Sample, Samples};

/// How many reconnections a long run forces; a short one as many as this pace allows.
const RECONNECTIONS: u32 = 10_000;
const MIN_LIFE: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|role| role == "server") {
        server::run(Duration::from_millis(args[1].parse().unwrap()));
        return ExitCode::SUCCESS;
    }
    let total = how_long();
    let life = (total / RECONNECTIONS).max(MIN_LIFE);
    println!("soaking for {total:.0?}, a reconnection about every {life:.0?}");
    // Side by side, each with a server of its own.
    let page = browser::Page::open(Server::start(life), total);
    let native_is_well = native(total, life);
    let browser_is_well = page.finish(life);
    println!("steadysocket {}; {}", env!("CARGO_PKG_VERSION"), versions());
    if native_is_well && browser_is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn native(total: Duration, life: Duration) -> bool {
    let server = Server::start(life);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (samples, before, after) = runtime.block_on(async {
        let before = Sample::take();
        let load = load::Load::start(&server.url).await;
        let samples = Samples::gather(total, || load.counts()).await;
        load.end().await;
        (samples, before, Sample::take())
    });
    println!("\nnative: {samples}");
    // Memory is left to the allocator.
    let (before, after) = (&before.values[1..], &after.values[1..]);
    println!("after closing: {after:?} descriptors and tasks (before: {before:?})");
    let is_tidy = after.iter().zip(before).all(|(after, before)| after <= before);
    samples.is_flat() && samples.is_busy(life) && is_tidy
}

/// From the environment; two minutes when it says nothing.
fn how_long() -> Duration {
    let number =
        |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse::<f64>());
    let seconds = match (number("HOURS"), number("MINUTES")) {
        (Some(hours), _) => hours.expect("HOURS is a number") * 3600.0,
        (None, Some(minutes)) => minutes.expect("MINUTES is a number") * 60.0,
        (None, None) => 120.0,
    };
    Duration::from_secs_f64(seconds)
}

fn versions() -> String {
    let ask = |program: &str, arg: &str| Command::new(program).arg(arg).output().map(|output| output.stdout);
    let said = [ask("uname", "-sr"), ask("rustc", "--version")].into_iter().flatten();
    said.map(|text| String::from_utf8_lossy(&text).trim().to_owned()).collect::<Vec<_>>().join(", ")
}

/// The server's process, so that its memory is not the client's; killed when dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(life: Duration) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["server", &life.as_millis().to_string()]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
