//! Measures this library against its peers: `make bench`. See `README.md` beside this file's folder.

mod alloc;
mod client;
mod contestants;
mod data;
mod frames;
mod handshake;
mod measure;
mod plan;
mod report;
mod server;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};

use client::Found;
use contestants::Result;
use plan::{MEASURES, Measure};
use report::Rounds;

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

/// The server's core, and the clients'.
const CORES: [usize; 2] = [1, 0];

struct Options {
    rounds: usize,
    /// Divides all counts.
    quick: bool,
    /// Only measures and contestants whose names contain these.
    only: String,
    contestant: String,
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<()> {
    use lexopt::prelude::*;
    let mut arguments = lexopt::Parser::from_env();
    let mut options =
        Options { rounds: 7, quick: false, only: String::new(), contestant: String::new(), json: None };
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(command) if command == "serve" => {
                measure::pin(CORES[0]);
                return Ok(server::run()?);
            }
            // What `run` starts: measure, contestant, port, count, whether allocations are counted.
            Value(command) if command == "client" => {
                let mut next = || -> Result<String> { Ok(arguments.value()?.string()?) };
                let (measure, contestant) = (next()?, next()?);
                let (port, count, allocations) = (next()?.parse()?, next()?.parse()?, next()? == "true");
                let measure = MEASURES.iter().find(|other| other.name == measure).ok_or("no such measure")?;
                let mut contestants = measure.contestants.iter();
                let contestant = contestants.find(|name| **name == contestant).ok_or("no such contestant")?;
                measure::pin(CORES[1]);
                return client::run(measure.work, contestant, port, count, allocations);
            }
            Long("rounds") => options.rounds = arguments.value()?.parse()?,
            Long("quick") => options.quick = true,
            Long("only") => options.only = arguments.value()?.string()?,
            Long("contestant") => options.contestant = arguments.value()?.string()?,
            Long("json") => options.json = Some(arguments.value()?.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    run(&options)
}

fn run(options: &Options) -> Result<()> {
    let server = Server::start()?;
    let rounds = if options.quick { 1 } else { options.rounds };
    let mut found = Vec::new();
    if options.quick {
        println!("Only tried, with few messages: the figures say nothing.\n");
    }
    print!("{}", report::HEAD);
    for measure in MEASURES.iter().filter(|measure| measure.name.contains(&options.only)) {
        let rounds = take(measure, &server, rounds, options)?;
        let (lines, json) = report::measure(measure, &rounds);
        print!("{lines}");
        found.push(json);
    }
    let versions = report::versions();
    let list: Vec<_> = versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    println!("\n{}.", list.join(", "));
    if let Some(path) = &options.json {
        let versions: serde_json::Map<_, _> =
            versions.into_iter().map(|(name, version)| (name, version.into())).collect();
        let json = serde_json::json!({ "versions": versions, "measures": found });
        std::fs::write(path, serde_json::to_string_pretty(&json)?)?;
    }
    Ok(())
}

/// All rounds of a measure. Each round begins with another contestant.
fn take(measure: &Measure, server: &Server, rounds: usize, options: &Options) -> Result<Vec<Rounds>> {
    let count = if options.quick { (measure.count / 500).clamp(20, 400) } else { measure.count };
    let each = measure.contestants.len();
    let mut found: Vec<_> = std::iter::repeat_with(Rounds::default).take(each).collect();
    let mut proof = None;
    for round in 0..rounds {
        for place in (0..each).map(|place| (place + round) % each) {
            let name = measure.contestants[place];
            if !name.contains(&options.contestant) {
                continue;
            }
            let result = server.measure(measure, name, count, false)?;
            let known = *proof.get_or_insert(result.proof);
            if known != result.proof {
                return Err(format!("{}: {name} did not do the same work", measure.name).into());
            }
            found[place].costs.push(result.cost as f64 / count as f64);
        }
    }
    if measure.counted {
        for (name, of) in measure.contestants.iter().zip(&mut found).filter(|(_, of)| !of.costs.is_empty()) {
            let result = server.measure(measure, name, count, true)?;
            of.allocations = Some(result.allocations as f64 / count as f64);
            if !options.quick {
                of.instructions = server.instructions(measure, name)?;
            }
        }
    }
    Ok(found)
}

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Result<Self> {
        let mut child = this(&["serve"])?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut port = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut port)?;
        Ok(Self { child, port: port.trim().parse()? })
    }

    /// Has a process of its own do the work.
    fn measure(&self, measure: &Measure, contestant: &str, count: u64, allocations: bool) -> Result<Found> {
        let arguments = self.arguments(measure, contestant, count, allocations);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let output = this(&arguments)?.stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("{}: {contestant} failed", measure.name).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    fn arguments(&self, measure: &Measure, contestant: &str, count: u64, allocations: bool) -> [String; 6] {
        let (port, count) = (self.port.to_string(), count.to_string());
        ["client".into(), measure.name.into(), contestant.into(), port, count, allocations.to_string()]
    }

    /// Instructions in user space, when valgrind is there: what more messages take more.
    fn instructions(&self, measure: &Measure, contestant: &str) -> Result<Option<f64>> {
        const COUNTS: [u64; 2] = [2000, 6000];
        let mut totals = Vec::new();
        for count in COUNTS {
            let mut valgrind = Command::new("valgrind");
            valgrind.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
            valgrind.arg(std::env::current_exe()?).args(self.arguments(measure, contestant, count, false));
            let Ok(output) = valgrind.output() else { return Ok(None) };
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let refs = said.lines().find(|line| line.contains("I") && line.contains("refs:"));
            let digits =
                refs.map(|line| line.split("refs:").nth(1).unwrap_or_default().replace([',', ' '], ""));
            let Some(total) = digits.and_then(|digits| digits.parse::<f64>().ok()) else { return Ok(None) };
            totals.push(total);
        }
        // A tenth more is done to warm up.
        let messages = (COUNTS[1] - COUNTS[0]) as f64 * 1.1;
        Ok(Some((totals[1] - totals[0]) / messages))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its standard input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// This program in another role.
fn this(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments);
    Ok(command)
}
