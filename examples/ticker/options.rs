//! The command line.

use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

/// What `--help` says.
pub const USAGE: &str = "\
A live ticker on a connection that stays up.

Usage: ticker [OPTIONS] [INSTRUMENT]...

  --url URL      a venue that speaks Deribit's protocol [a local exchange in this process]
  --ca FILE      trust this certificate authority, too (PEM)
  --chaos        cut the connection every few seconds; with --url, ask for a new one instead
  --seconds N    stop after so long [at Ctrl-C]
  --json         one JSON object a line
  -h, --help     this text

The first INSTRUMENT is shown with its quotes, its book and its trades.";

const INSTRUMENTS: [&str; 4] = ["BTC-PERPETUAL", "ETH-PERPETUAL", "BTC_USDC-PERPETUAL", "SOL_USDC-PERPETUAL"];

/// What the command line asks for.
#[derive(Debug, Default)]
pub struct Options {
    pub url: Option<String>,
    pub ca: Option<PathBuf>,
    pub chaos: bool,
    pub seconds: Option<f64>,
    pub json: bool,
    pub instruments: Vec<String>,
}

impl Options {
    /// `None` when help is asked for.
    pub fn from_command_line() -> Result<Option<Self>, lexopt::Error> {
        let mut options = Self::default();
        let mut parser = Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Long("url") => options.url = Some(parser.value()?.string()?),
                Arg::Long("ca") => options.ca = Some(parser.value()?.into()),
                Arg::Long("chaos") => options.chaos = true,
                Arg::Long("seconds") => options.seconds = Some(parser.value()?.parse_with(seconds)?),
                Arg::Long("json") => options.json = true,
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                Arg::Value(instrument) => options.instruments.push(instrument.string()?),
                other => return Err(other.unexpected()),
            }
        }
        if options.instruments.is_empty() {
            options.instruments = INSTRUMENTS.map(str::to_owned).into();
        }
        Ok(Some(options))
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    const A_YEAR: f64 = 366.0 * 24.0 * 3600.0;
    let number = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=A_YEAR).contains(&number) { Ok(number) } else { Err("not from 0 to a year".to_owned()) }
}
