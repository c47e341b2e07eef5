//! One table for people, one file for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::plan::{Against, Measure, Target};

/// What one contestant showed in one measure, a round each.
#[derive(Default)]
pub struct Rounds {
    pub costs: Vec<f64>,
    pub allocations: Option<f64>,
    pub instructions: Option<f64>,
}

/// The middle, and the quarter and three quarters of the way.
#[derive(Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Spread {
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * sorted.len().saturating_sub(1) as f64;
            let (below, above) = (place.floor() as usize, place.ceil() as usize);
            let value = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
            value(below) + (value(above) - value(below)) * place.fract()
        };
        Self { median: at(0.5), low: at(0.25), high: at(0.75) }
    }
}

pub const HEAD: &str = "\
| measure | contestant | cost each | quartiles | instructions | allocations | against | result | must | aim |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
";

/// The lines of a measure, and the same as JSON.
pub fn measure(measure: &Measure, rounds: &[Rounds]) -> (String, Value) {
    let (mut lines, mut found) = (String::new(), Vec::new());
    for (index, (name, of)) in measure.contestants.iter().zip(rounds).enumerate() {
        let cost = Spread::of(&of.costs);
        let title = if index == 0 { measure.name } else { "" };
        let unit = measure.work.unit();
        let number =
            |value: Option<f64>, digits: usize| value.map_or("".to_owned(), |v| format!("{v:.digits$}"));
        let mut targets = measure.targets.iter().filter(|target| target.ours == *name).peekable();
        let first = targets.next().map(|target| judge(measure, rounds, target));
        let _ = writeln!(
            lines,
            "| {title} | {name} | {:.0} {unit} | {:.0}–{:.0} | {} | {} | {} |",
            cost.median,
            cost.low,
            cost.high,
            number(of.instructions, 0),
            number(of.allocations, 2),
            first.as_ref().map_or(" | | |".to_owned(), |judged| judged.0.clone()),
        );
        let mut judged: Vec<_> = first.into_iter().map(|(_, json)| json).collect();
        for target in targets {
            let (cells, json) = judge(measure, rounds, target);
            let _ = writeln!(lines, "| | | | | | | {cells} |");
            judged.push(json);
        }
        found.push(json!({
            "contestant": name,
            "unit": unit,
            "cost": { "median": cost.median, "low": cost.low, "high": cost.high, "rounds": of.costs },
            "instructions": of.instructions,
            "allocations": of.allocations,
            "targets": judged,
        }));
    }
    (lines, json!({ "measure": measure.name, "count": measure.count, "contestants": found }))
}

/// The cells that say how a target was met.
fn judge(measure: &Measure, rounds: &[Rounds], target: &Target) -> (String, Value) {
    let of = |name: &str| {
        let place = measure.contestants.iter().position(|other| *other == name);
        place.and_then(|place| rounds.get(place))
    };
    let ours = of(target.ours);
    let (against, spread, text) = match target.against {
        Against::Peer(peer) => {
            // Pair by pair: what a round's noise did to one it did to the other.
            let pairs = ours
                .into_iter()
                .zip(of(peer))
                .flat_map(|(ours, theirs)| ours.costs.iter().zip(&theirs.costs));
            let ratios: Vec<_> = pairs.map(|(ours, theirs)| ours / theirs).collect();
            let spread = Spread::of(&ratios);
            (peer, spread, format!("{:.2} ({:.2}–{:.2})", spread.median, spread.low, spread.high))
        }
        Against::Allocations => {
            let count = ours.and_then(|ours| ours.allocations).unwrap_or(f64::NAN);
            ("allocations", Spread { median: count, low: count, high: count }, format!("{count:.2}"))
        }
    };
    // As exact as it is printed.
    let value = (spread.median * 100.0).round() / 100.0;
    let verdict = |bound: f64| {
        let word = if value <= bound { "met" } else { "**not met**" };
        format!("≤ {bound:.2} {word}")
    };
    let cells = format!("{against} | {text} | {} | {}", verdict(target.must), verdict(target.aim));
    let json = json!({
        "against": against,
        "result": { "median": spread.median, "low": spread.low, "high": spread.high },
        "must": { "bound": target.must, "met": value <= target.must },
        "aim": { "bound": target.aim, "met": value <= target.aim },
    });
    (cells, json)
}

/// The versions of all contestants, from the lock file.
pub fn versions() -> Vec<(String, String)> {
    let lock = include_str!("../Cargo.lock");
    let names = [
        "steadysocket",
        "tokio-tungstenite",
        "tungstenite",
        "fastwebsockets",
        "yawc",
        "jsonrpsee-ws-client",
        "deribit-websocket",
        "serde_json",
        "tokio",
    ];
    let version = |name: &str| {
        let at = lock.find(&format!("name = \"{name}\"\n"))?;
        let line = lock[at..].lines().nth(1)?;
        Some(line.trim_start_matches("version = \"").trim_end_matches('"').to_owned())
    };
    names.into_iter().filter_map(|name| Some((name.to_owned(), version(name)?))).collect()
}
