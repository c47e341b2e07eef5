//! The scenarios' outcomes, as a table.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::Duration;

use comfy_table::{Table, presets};

/// A name, and what happens.
pub type Scenario = (&'static str, fn() -> Outcome);

/// What was measured. A scenario that goes otherwise than it must panics.
#[derive(Default)]
pub struct Outcome {
    /// What the client said it was.
    pub noticed: String,
    pub detection: Option<Measured>,
    pub recovery: Option<Measured>,
}

#[derive(Clone, Copy)]
pub struct Measured {
    pub time: Duration,
    pub bound: Duration,
}

impl Measured {
    fn is_good(&self) -> bool {
        self.time <= self.bound
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_good() { "" } else { "  TOO LATE" };
        write!(f, "{:.3} s (≤ {:.3}){sign}", self.time.as_secs_f64(), self.bound.as_secs_f64())
    }
}

pub struct Report(Vec<(&'static str, Result<Outcome, String>)>);

impl Report {
    /// Runs all at the same time: nearly all they do is wait.
    pub fn of(scenarios: impl Iterator<Item = Scenario>) -> Self {
        let running: Vec<_> = scenarios
            .map(|(name, run)| {
                (name, std::thread::spawn(move || catch_unwind(AssertUnwindSafe(run)).map_err(message)))
            })
            .collect();
        let ended = running
            .into_iter()
            .map(|(name, thread)| (name, thread.join().unwrap_or_else(|_| Err("panicked".into()))));
        Self(ended.collect())
    }

    pub fn is_good(&self) -> bool {
        let times =
            |outcome: &Outcome| [outcome.detection, outcome.recovery].iter().flatten().all(Measured::is_good);
        self.0.iter().all(|(_, outcome)| outcome.as_ref().is_ok_and(times))
    }
}

fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("panicked").to_owned()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(["scenario", "noticed as", "detection (bound)", "recovery (bound)"]);
        let show =
            |measured: Option<Measured>| measured.map_or("–".into(), |measured| measured.to_string());
        for (name, outcome) in &self.0 {
            match outcome {
                Ok(Outcome { noticed, detection, recovery }) => {
                    table.add_row([(*name).to_owned(), noticed.clone(), show(*detection), show(*recovery)])
                }
                Err(problem) => table.add_row([*name, &format!("FAILED: {problem}"), "", ""]),
            };
        }
        writeln!(f, "{table}\n")?;
        writeln!(f, "steadysocket {}, {}", env!("CARGO_PKG_VERSION"), versions())
    }
}

/// What all this ran on, as each program says itself.
fn versions() -> String {
    let ask = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok()?;
        let said = [output.stdout, output.stderr].concat();
        Some(String::from_utf8_lossy(&said).lines().next()?.trim().to_owned())
    };
    let known = [
        ask("uname", &["-sr"]),
        ask("rustc", &["--version"]),
        ask("nft", &["--version"]),
        ask("nginx", &["-v"]),
        ask("haproxy", &["-v"]),
    ];
    known.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
