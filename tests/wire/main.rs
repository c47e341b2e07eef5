//! Real wires: what the network, a proxy or another's server may do to a connection, how soon it is noticed, and how
//! soon the connection is back. `make wire` runs it; words choose scenarios: `make wire ONLY='dns rst'`.
//!
//! Each scenario of the network has two network namespaces of its own, joined by a cable; the client runs in one and
//! its server in the other, as processes of this same program. They need Linux, root's rights and nft.
#![cfg(all(feature = "native", target_os = "linux"))]
// Clippy knows tests by their attribute; helpers have none. Times are compared between processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::disallowed_methods, missing_docs)]

mod client;
mod network;
mod peers;
mod report;
mod wire;

use std::process::ExitCode;

use report::{Report, Scenario};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let role = args.first().map(String::as_str);
    let rest = args.get(1..).unwrap_or_default();
    match role {
        Some("client") => client::run(rest),
        Some("server") => peers::serve(rest),
        Some("dns") => peers::answer_dns(rest),
        _ => return run(&args),
    }
    ExitCode::SUCCESS
}

fn run(only: &[String]) -> ExitCode {
    let mut scenarios: Vec<Scenario> = Vec::new();
    match wire::allowed() {
        Ok(()) => scenarios.extend(network::SCENARIOS),
        Err(problem) => eprintln!(
            "\n*** SKIPPED: the network's faults. This machine allows no network namespaces, or has no nft:\n*** {problem}\n"
        ),
    }
    let chosen = |scenario: &Scenario| {
        only.is_empty() || only.iter().any(|word| scenario.0.to_lowercase().contains(&word.to_lowercase()))
    };
    let report = Report::of(scenarios.into_iter().filter(chosen));
    println!("{report}");
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
