//! The scenarios' outcomes, as a table.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    /// Runs so many at the same time, in their order.
    pub fn of(scenarios: Vec<Scenario>, at_once: usize) -> Self {
        let next = AtomicUsize::new(0);
        let outcomes: Vec<_> = scenarios.iter().map(|_| Mutex::new(Err("did not run".to_owned()))).collect();
        std::thread::scope(|scope| {
            for _ in 0..at_once.min(scenarios.len()) {
                scope.spawn(|| {
                    let turn = || next.fetch_add(1, Ordering::Relaxed);
                    while let Some(((_, run), outcome)) = at(&scenarios, &outcomes, turn()) {
                        *outcome.lock().unwrap() = catch_unwind(AssertUnwindSafe(run)).map_err(message);
                    }
                });
            }
        });
        let outcomes = outcomes.into_iter().map(|outcome| outcome.into_inner().unwrap());
        Self(scenarios.iter().map(|(name, _)| *name).zip(outcomes).collect())
    }

    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Whether all went as it must; and in time, where that counts.
    pub fn is_good(&self, timed: bool) -> bool {
        let times = |outcome: &Outcome| {
            !timed || [outcome.detection, outcome.recovery].iter().flatten().all(Measured::is_good)
        };
        self.0.iter().all(|(_, outcome)| outcome.as_ref().is_ok_and(times))
    }
}

fn at<'a, A, B>(left: &'a [A], right: &'a [B], index: usize) -> Option<(&'a A, &'a B)> {
    left.get(index).zip(right.get(index))
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
