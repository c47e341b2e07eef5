//! The three ways to show a board: a screen for people, plain lines for logs, JSON for programs.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use tokio::time::Instant;

use crate::board::{Board, News};
use crate::screen::Screen;
use crate::seconds_since;

/// How often the plain output says how things stand.
const REPORT: Duration = Duration::from_secs(1);

pub enum Output {
    Screen(Screen),
    /// When it last said how things stand.
    Plain(Instant),
    Json,
}

/// What the user wants, by the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Quit,
    Reconnect,
}

impl Output {
    pub fn choose(json: bool) -> io::Result<Self> {
        match (json, io::stdout().is_terminal()) {
            (true, _) => Ok(Self::Json),
            (false, true) => Screen::open().map(Self::Screen),
            (false, false) => Ok(Self::Plain(Instant::now())),
        }
    }

    /// Something happened.
    pub fn tell(&mut self, board: &Board, news: &News) -> io::Result<()> {
        match self {
            Self::Screen(screen) => screen.note(board, news),
            // Data is reported once a second: a log is not a feed.
            Self::Plain(_) if matches!(news, News::Update { .. }) => {}
            Self::Plain(_) => say(&format!("{:8.3}  {news}", seconds_since(board.started)))?,
            Self::Json => say(&serde_json::to_string(news)?)?,
        }
        Ok(())
    }

    /// A tenth of a second has passed.
    pub fn beat(&mut self, board: &Board) -> io::Result<Option<Wish>> {
        match self {
            Self::Screen(screen) => {
                screen.draw(board)?;
                return screen.wish();
            }
            Self::Plain(last) if last.elapsed() >= REPORT => {
                *last = Instant::now();
                report(board)?;
            }
            Self::Plain(_) | Self::Json => {}
        }
        Ok(None)
    }

    /// Puts the terminal back as it was, and says the last word.
    pub fn finish(&mut self, board: &Board, summary: &News) -> io::Result<()> {
        if let Self::Screen(screen) = self {
            screen.close()?;
            return say(&summary.to_string());
        }
        self.tell(board, summary)
    }
}

fn report(board: &Board) -> io::Result<()> {
    let now = seconds_since(board.started);
    for row in &board.rows {
        if let (Some(reading), Some(heard)) = (&row.reading, row.heard) {
            let age = seconds_since(heard);
            say(&format!("{now:8.3}  {}  {reading}  ({:?}, {age:.1} s old)", row.channel, row.health))?;
        }
    }
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
