//! Real wires: what the network, a proxy or another's server may do to a connection, how soon it is noticed, and how
//! soon the connection is back. `make wire` runs it; words choose scenarios: `make wire ONLY='dns rst'`. What comes too late fails it, unless `UNTIMED` is set, for a machine
//! of which nobody knows how busy it is.
//!
//! Each scenario of the network has two network namespaces of its own, joined by a cable; the client runs in one and
//! its server in the other, as processes of this same program. They need Linux, root's rights and nft.
#![cfg(all(feature = "native", target_os = "linux"))]
// Clippy knows tests by their attribute; helpers have none. Times are compared between processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::disallowed_methods, missing_docs)]

mod client;
mod front;
mod loopback;
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
    let chosen = |scenarios: &[Scenario]| {
        let is_chosen = |scenario: &&Scenario| {
            let name = scenario.0.to_lowercase();
            only.is_empty() || only.iter().any(|word| name.contains(&word.to_lowercase()))
        };
        scenarios.iter().filter(is_chosen).copied().collect::<Vec<_>>()
    };
    let network = match wire::allowed() {
        Ok(()) => chosen(&network::SCENARIOS),
        Err(problem) => {
            skip(
                "what a network does",
                &format!("no network namespaces are allowed here, or nft is missing: {problem}"),
            );
            Vec::new()
        }
    };
    let mut here = [chosen(&loopback::SCENARIOS), chosen(&front::SCENARIOS)].concat();
    for (whose, program) in [("nginx", "nginx"), ("haproxy", "haproxy"), ("npm", "node"), ("PyPI", "python3")]
    {
        if here.iter().any(|scenario| scenario.0.starts_with(whose)) && !is_installed(program) {
            skip(&format!("what {whose} does"), &format!("{program} is not installed"));
            here.retain(|scenario| !scenario.0.starts_with(whose));
        }
    }
    // The network's do little but wait; the others would be in each other's way.
    let all_at_once = network.len();
    let network = std::thread::spawn(move || Report::of(network, all_at_once));
    let here = Report::of(here, 2);
    let report = network.join().expect("the report").and(here);
    println!("{report}");
    let timed = std::env::var_os("UNTIMED").is_none();
    if report.is_good(timed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn skip(what: &str, why: &str) {
    eprintln!("\n*** SKIPPED: {what}. {why}\n");
}

fn is_installed(program: &str) -> bool {
    std::process::Command::new(program).arg("-v").output().is_ok()
}
