//! Commands as text: one grammar for the binary's standard input and for `local/fault`.

use std::fmt;
use std::str::{FromStr, SplitWhitespace};
use std::time::Duration;

use super::door::{Door, Span};
use super::orders::Cut;
use super::{Fault, Target};

/// The grammar, as the binary prints it.
pub const COMMANDS: &str = "\
On connections (add @all, @newest or @NUMBER; @all is the default):
  drop                        FIN without a close frame
  reset                       RST
  close CODE [REASON]         close frame
  stall | resume              half-open, and back
  delay TIME                  every reply waits (lasting; 0ms ends it)
  late-reply TIME             the next reply waits
  lose-reply | duplicate-reply | unknown-reply
  garbage                     a text frame that is not JSON
  oversize BYTES              a long text frame
  binary BYTES                a binary frame
  pings COUNT                 ping frames
  gap CHANNEL                 the next change on the channel is lost
  stray CHANNEL               one frame of a channel, subscribed or not
  refuse-channel CHANNEL      dropped from subscriptions in silence (lasting)
  allow-channel CHANNEL       ends that
  fail-subscribes COUNT       that many subscribe calls answer 11052 (lasting)
  fail METHOD CODE [COUNT]    that many calls (1) answer the code (lasting)
The next request to the matching engine (add reset for RST instead of FIN):
  cut-before-match [reset]    received, never carried out, cut
  cut-after-match [reset]     carried out, not answered, cut
  answer-then-cut [reset]     carried out, answered, cut
  fail-after-match CODE       carried out, answered with that error
  lose-match-reply            carried out, not answered
  delay-match TIME            carried out later
  cut-then-match TIME [reset]  cut now, carried out later
On new connections (SPAN is xCOUNT or TIME; without it until `open`):
  refuse STATUS [retry-after SECONDS] [SPAN]
  silent [SPAN]               TCP without an upgrade
  hangup [SPAN]               TCP closed at once
  close-at-once CODE [SPAN]   upgrade, then a close frame
  open                        let everyone in again
On the exchange:
  maintenance [NOTICE] [OUTAGE]
  chaos TIME | chaos off
  release                     order requests that wait are carried out now
  hazard COUNT | hazard off   one order request in COUNT meets one of the cuts
  freeze | thaw               the market
  halt NAME | reopen NAME     an instrument takes no orders, and takes them again
  expire NAME | list NAME     an instrument ends; an option of a known date is listed
  lock INDEX | unlock INDEX   what follows the index takes no orders
  settle [TIME]               the end of a day: 10041 for that long
  announce TEXT               on the channel announcements
  expire-tokens               all access tokens end now; they can be refreshed
  revoke-tokens               all logins are void
TIME is a number with ms or s.";

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Fault(Target, Fault),
    Door(Door, Span),
    Open,
    Maintenance { notice: Duration, outage: Duration },
    Chaos(Option<Duration>),
    Hazard(Option<u32>),
    Release,
    Freeze(bool),
    Halt(String, bool),
    Expire(String),
    List(String),
    Lock(String, bool),
    Settle(Duration),
    Announce(String),
    ExpireTokens,
    RevokeTokens,
}

/// What is wrong with a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandError(String);

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CommandError {}

impl FromStr for Command {
    type Err = CommandError;

    fn from_str(line: &str) -> Result<Self, CommandError> {
        let (targets, rest): (Vec<&str>, Vec<&str>) =
            line.split_whitespace().partition(|w| w.starts_with('@'));
        let target = targets.first().map_or(Ok(Target::All), |word| target(word))?;
        let rest = rest.join(" ");
        let mut words = Words(rest.split_whitespace());
        let name = words.next("a command")?;
        if let Some(command) = exchange_command(name, &mut words)? {
            return words.end(command);
        }
        let fault = fault(name, &mut words)?;
        words.end(Self::Fault(target, fault))
    }
}

fn target(word: &str) -> Result<Target, CommandError> {
    match word {
        "@all" => Ok(Target::All),
        "@newest" => Ok(Target::Newest),
        _ => word
            .strip_prefix('@')
            .map_or("", |number| number)
            .parse()
            .map(Target::Connection)
            .map_err(|_| bad(word)),
    }
}

fn exchange_command(name: &str, words: &mut Words<'_>) -> Result<Option<Command>, CommandError> {
    Ok(Some(match name {
        "refuse" => {
            let status = words.status()?;
            let retry_after = words.retry_after()?;
            Command::Door(Door::Refuse { status, retry_after }, words.span()?)
        }
        "silent" => Command::Door(Door::Silent, words.span()?),
        "hangup" => Command::Door(Door::Hangup, words.span()?),
        "close-at-once" => Command::Door(Door::CloseAtOnce(words.number()?), words.span()?),
        "open" => Command::Open,
        "maintenance" => Command::Maintenance {
            notice: words.time_or(Duration::from_millis(500))?,
            outage: words.time_or(Duration::from_secs(3))?,
        },
        "chaos" => match words.next("a time or off")? {
            "off" => Command::Chaos(None),
            word => Command::Chaos(Some(parse_time(word)?)),
        },
        "hazard" => match words.next("a count or off")? {
            "off" => Command::Hazard(None),
            word => Command::Hazard(Some(word.parse().map_err(|_| bad(word))?)),
        },
        "release" => Command::Release,
        "freeze" => Command::Freeze(true),
        "thaw" => Command::Freeze(false),
        "halt" | "reopen" => Command::Halt(words.next("an instrument")?.into(), name == "halt"),
        "expire" => Command::Expire(words.next("an instrument")?.into()),
        "list" => Command::List(words.next("an instrument")?.into()),
        "lock" | "unlock" => Command::Lock(words.next("an index")?.into(), name == "lock"),
        "settle" => Command::Settle(words.time_or(Duration::from_secs(2))?),
        "expire-tokens" => Command::ExpireTokens,
        "revoke-tokens" => Command::RevokeTokens,
        "announce" => Command::Announce(words.rest()),
        _ => return Ok(None),
    }))
}

fn fault(name: &str, words: &mut Words<'_>) -> Result<Fault, CommandError> {
    Ok(match name {
        "drop" => Fault::Drop,
        "reset" => Fault::Reset,
        "close" => Fault::Close { code: words.number()?, reason: words.rest() },
        "stall" => Fault::Stall,
        "resume" => Fault::Resume,
        "delay" => Fault::DelayReplies(words.time()?),
        "late-reply" => Fault::LateReply(words.time()?),
        "lose-reply" => Fault::LoseReply,
        "duplicate-reply" => Fault::DuplicateReply,
        "unknown-reply" => Fault::UnknownReply,
        "garbage" => Fault::Garbage,
        "oversize" => Fault::Oversize(words.number()?),
        "binary" => Fault::Binary(words.number()?),
        "pings" => Fault::Pings(words.number()?),
        "gap" => Fault::Gap(words.next("a channel")?.into()),
        "stray" => Fault::StrayUpdate(words.next("a channel")?.into()),
        "refuse-channel" => Fault::RefuseChannel(words.next("a channel")?.into()),
        "allow-channel" => Fault::AllowChannel(words.next("a channel")?.into()),
        "fail-subscribes" => Fault::FailSubscribes(words.number()?),
        "fail" => {
            let method = words.next("a method")?.into();
            let (code, count) = (words.number()?, words.number_or(1)?);
            Fault::FailCalls { method, code, count }
        }
        "fail-after-match" => Fault::FailAfterMatch(words.number()?),
        "cut-before-match" => Fault::CutBeforeMatch(words.cut()?),
        "cut-after-match" => Fault::CutAfterMatch(words.cut()?),
        "answer-then-cut" => Fault::AnswerThenCut(words.cut()?),
        "lose-match-reply" => Fault::LoseMatchReply,
        "delay-match" => Fault::DelayMatch(words.time()?),
        "cut-then-match" => {
            let delay = words.time()?;
            Fault::CutThenMatch(words.cut()?, delay)
        }
        _ => return Err(CommandError(format!("unknown command {name:?}"))),
    })
}

/// The words of a command after its name.
struct Words<'a>(SplitWhitespace<'a>);

impl<'a> Words<'a> {
    fn next(&mut self, what: &str) -> Result<&'a str, CommandError> {
        self.0.next().ok_or_else(|| CommandError(format!("{what} is missing")))
    }

    fn number<T: FromStr>(&mut self) -> Result<T, CommandError> {
        let word = self.next("a number")?;
        word.parse().map_err(|_| bad(word))
    }

    fn number_or<T: FromStr>(&mut self, fallback: T) -> Result<T, CommandError> {
        self.0.next().map_or(Ok(fallback), |word| word.parse().map_err(|_| bad(word)))
    }

    fn time(&mut self) -> Result<Duration, CommandError> {
        parse_time(self.next("a time")?)
    }

    fn time_or(&mut self, fallback: Duration) -> Result<Duration, CommandError> {
        self.0.next().map_or(Ok(fallback), parse_time)
    }

    fn status(&mut self) -> Result<u16, CommandError> {
        let status = self.number()?;
        if (400..600).contains(&status) { Ok(status) } else { Err(bad(&status.to_string())) }
    }

    fn retry_after(&mut self) -> Result<Option<u64>, CommandError> {
        let mut ahead = self.0.clone();
        if ahead.next() != Some("retry-after") {
            return Ok(None);
        }
        self.0 = ahead;
        self.number().map(Some)
    }

    fn span(&mut self) -> Result<Span, CommandError> {
        let Some(word) = self.0.next() else { return Ok(Span::UntilOpened) };
        match word.strip_prefix('x') {
            Some(count) => count.parse().map(Span::Attempts).map_err(|_| bad(word)),
            None => parse_time(word).map(Span::For),
        }
    }

    fn cut(&mut self) -> Result<Cut, CommandError> {
        match self.0.next() {
            None => Ok(Cut::Drop),
            Some("reset") => Ok(Cut::Reset),
            Some(word) => Err(bad(word)),
        }
    }

    fn rest(&mut self) -> String {
        self.0.by_ref().collect::<Vec<_>>().join(" ")
    }

    fn end<T>(mut self, value: T) -> Result<T, CommandError> {
        self.0.next().map_or(Ok(value), |word| Err(bad(word)))
    }
}

/// `500ms`, `5s` or `1.5s`.
pub fn parse_time(word: &str) -> Result<Duration, CommandError> {
    let (digits, unit) = match word.strip_suffix("ms") {
        Some(digits) => (digits, 0.001),
        None => (word.strip_suffix('s').ok_or_else(|| bad(word))?, 1.0),
    };
    let amount: f64 = digits.parse().map_err(|_| bad(word))?;
    Duration::try_from_secs_f64(amount * unit).map_err(|_| bad(word))
}

fn bad(word: &str) -> CommandError {
    CommandError(format!("{word:?} does not fit here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Command {
        line.parse().unwrap()
    }

    #[test]
    fn reads_what_it_documents() {
        assert_eq!(read("drop"), Command::Fault(Target::All, Fault::Drop));
        assert_eq!(read("@3 stall"), Command::Fault(Target::Connection(3), Fault::Stall));
        let close = Fault::Close { code: 4000, reason: "see you".into() };
        assert_eq!(read("close @newest 4000 see you"), Command::Fault(Target::Newest, close));
        let refuse = Door::Refuse { status: 503, retry_after: Some(2) };
        assert_eq!(read("refuse 503 retry-after 2 x3"), Command::Door(refuse, Span::Attempts(3)));
        assert_eq!(read("silent 1.5s"), Command::Door(Door::Silent, Span::For(Duration::from_millis(1_500))));
        assert_eq!(
            read("delay 20ms"),
            Command::Fault(Target::All, Fault::DelayReplies(Duration::from_millis(20)))
        );
        assert_eq!(read("chaos off"), Command::Chaos(None));
    }

    #[test]
    fn every_documented_name_is_known() {
        for line in COMMANDS.lines().filter(|line| line.starts_with("  ")) {
            for form in line.trim().split("  ").next().unwrap_or("").split(" | ") {
                let example: Vec<&str> = form.split(' ').filter_map(example).collect();
                assert!(example.join(" ").parse::<Command>().is_ok(), "{form}");
            }
        }
    }

    #[test]
    fn every_command_of_the_readme_is_known() {
        let readme = include_str!("../../README.md");
        let section = readme.split("## ").find(|section| section.starts_with("Faults")).unwrap();
        let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
        let commands: Vec<&str> =
            cells.flat_map(|cell| cell.split('`').step_by(2)).filter(|c| !c.is_empty()).collect();
        assert!(commands.len() > 20, "{commands:?}");
        for command in commands {
            assert!(command.parse::<Command>().is_ok(), "{command}");
        }
    }

    /// A word that fits; options are left out.
    fn example(word: &str) -> Option<&str> {
        match word {
            _ if word.starts_with('[') || word.ends_with(']') => None,
            "CODE" => Some("4000"),
            "STATUS" => Some("503"),
            "TIME" => Some("20ms"),
            "BYTES" | "COUNT" => Some("7"),
            "CHANNEL" => Some("quote.BTC-PERPETUAL"),
            "NAME" => Some("BTC-PERPETUAL"),
            "METHOD" => Some("public/auth"),
            "INDEX" => Some("btc_usd"),
            other => Some(other),
        }
    }

    #[test]
    fn refuses_the_rest() {
        for line in
            ["", "explode", "drop now", "close", "close x", "refuse 200", "delay 5", "@x drop", "delay -1s"]
        {
            assert!(line.parse::<Command>().is_err(), "{line}");
        }
    }
}
