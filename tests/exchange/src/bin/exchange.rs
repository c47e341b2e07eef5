//! The exchange as a program: prints its URL, then takes commands on standard input.

use std::io::Write;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};
use steadysocket_exchange::{Account, Builder, COMMANDS, CreditPolicy, Exchange, Tier};
use tokio::io::{AsyncBufReadExt, BufReader};

const USAGE: &str = "\
A local Deribit that misbehaves on command. It prints its URL, then takes commands on standard input.

Usage: exchange [OPTIONS]

  --port PORT          listen on this port [0: any free one]
  --host IP            listen on this address [127.0.0.1]
  --seed NUMBER        of the market and of all chance [1]
  --tls                serve wss:// with a certificate made now
  --ca-file PATH       write the certificate authority there (with --tls)
  --chaos TIME         cut all connections now and then, on average this often
  --pace TIME          length of a step of the market [25ms]
  --second TIME        length of a second of the heartbeat timers [1s]
  --no-credits         count credits without refusing anything
  --max-connections N  per address [32]
  --account ID:SECRET  another account, with this key (the demonstration's is local:local-secret)
  --tier 1..4          of the demonstration's account, for orders a second [4]
  --matching-latency TIME
                       what the matching engine takes for a request [0ms]
  --hazard COUNT       one order request in COUNT is cut, or loses its answer
  --token-lifetime TIME
                       of access tokens [a year]
  --raw                raw channels without authentication
  --in-order           no detours for replies
  --production         say testnet:false
  --no-control         without the methods local/fault, local/ledger and local/stats
  -h, --help           this text, and the commands
  -V, --version        the version

TIME is a number with ms or s. Without --port the line that it prints says where it is.

Commands on standard input, where quit ends it; or over the WebSocket, as the method local/fault with the parameters
{\"command\": \"drop @newest\"}:
";

/// What the command line asks for.
enum Asked {
    Run(Box<Options>),
    Text(String),
}

/// What is to be run.
struct Options {
    builder: Builder,
    ca_file: Option<std::path::PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let result = match options() {
        Ok(Asked::Run(options)) => run(*options).await,
        Ok(Asked::Text(text)) => {
            say(&text);
            Ok(())
        }
        Err(error) => Err(format!("{error}; see --help").into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let exchange = options.builder.start().await?;
    if let (Some(path), Some(pem)) = (&options.ca_file, exchange.ca_pem()) {
        std::fs::write(path, pem)?;
    }
    say(exchange.url());
    tokio::select! {
        () = take_commands(&exchange) => {}
        result = tokio::signal::ctrl_c() => result?,
    }
    Ok(())
}

/// Carries out one command a line. Without standard input the exchange runs on.
async fn take_commands(exchange: &Exchange) {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match line.trim() {
            "" => {}
            "help" => say(COMMANDS),
            "quit" => return,
            command => match exchange.command(command) {
                Ok(()) => say("ok"),
                Err(error) => complain(&error.to_string()),
            },
        }
    }
    std::future::pending().await
}

fn options() -> Result<Asked, lexopt::Error> {
    let mut options = Options { builder: Exchange::builder().control(true), ca_file: None };
    let mut parser = Parser::from_env();
    while let Some(arg) = parser.next()? {
        let builder = options.builder.clone();
        options.builder = match arg {
            Arg::Long("port") => builder.port(parser.value()?.parse()?),
            Arg::Long("host") => builder.host(parser.value()?.parse()?),
            Arg::Long("seed") => builder.seed(parser.value()?.parse()?),
            Arg::Long("tls") => builder.tls(true),
            Arg::Long("chaos") => builder.chaos(time(&mut parser)?),
            Arg::Long("pace") => builder.pace(time(&mut parser)?),
            Arg::Long("second") => builder.second(time(&mut parser)?),
            Arg::Long("no-credits") => {
                builder.credits(CreditPolicy { enforced: false, ..Default::default() })
            }
            Arg::Long("max-connections") => builder.connections_per_ip(parser.value()?.parse()?),
            Arg::Long("account") => builder.account(parser.value()?.parse_with(account)?),
            Arg::Long("tier") => builder.account(Account::demo().tier(parser.value()?.parse_with(tier)?)),
            Arg::Long("matching-latency") => builder.matching_latency(time(&mut parser)?),
            Arg::Long("hazard") => builder.hazard(parser.value()?.parse()?),
            Arg::Long("token-lifetime") => builder.token_lifetime(time(&mut parser)?),
            Arg::Long("raw") => builder.raw_for_all(true),
            Arg::Long("in-order") => builder.shuffle_replies(false),
            Arg::Long("production") => builder.testnet(false),
            Arg::Long("no-control") => builder.control(false),
            Arg::Long("ca-file") => {
                options.ca_file = Some(parser.value()?.into());
                builder
            }
            Arg::Short('h') | Arg::Long("help") => return Ok(Asked::Text(format!("{USAGE}{COMMANDS}"))),
            Arg::Short('V') | Arg::Long("version") => {
                return Ok(Asked::Text(concat!("exchange ", env!("CARGO_PKG_VERSION")).into()));
            }
            other => return Err(other.unexpected()),
        };
    }
    Ok(Asked::Run(Box::new(options)))
}

fn account(text: &str) -> Result<Account, &'static str> {
    let (id, secret) = text.split_once(':').ok_or("ID:SECRET is needed")?;
    Ok(Account::new(id).key(id, secret))
}

fn tier(text: &str) -> Result<Tier, &'static str> {
    match text {
        "1" => Ok(Tier::One),
        "2" => Ok(Tier::Two),
        "3" => Ok(Tier::Three),
        "4" => Ok(Tier::Four),
        _ => Err("a number from 1 to 4 is needed"),
    }
}

fn time(parser: &mut Parser) -> Result<std::time::Duration, lexopt::Error> {
    parser.value()?.parse_with(steadysocket_exchange::parse_time)
}

/// A line for whoever reads; when nobody does, there is nobody to tell.
fn say(line: &str) {
    let _unread = writeln!(std::io::stdout(), "{line}").and_then(|()| std::io::stdout().flush());
}

fn complain(line: &str) {
    let _unread = writeln!(std::io::stderr(), "{line}");
}
