//! The live table.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::Duration;

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Row as Line, Table};
use crossterm::event::{self, Event as Input, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::style::{Print, Stylize};
use crossterm::terminal::{self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use crossterm::{cursor, execute, queue};
use steadysocket::State;

use crate::board::{Board, Health, News, Row, price, word};
use crate::output::Wish;
use crate::seconds_since;

/// How many pieces of news are kept.
const NEWS: usize = 50;

/// The terminal, taken over until it is closed or dropped.
pub struct Screen {
    news: VecDeque<String>,
    open: bool,
}

impl Screen {
    pub fn open() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        // From here on, leaving by any way restores the terminal.
        let screen = Self { news: VecDeque::new(), open: true };
        execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide)?;
        Ok(screen)
    }

    pub fn close(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.open) {
            execute!(io::stdout(), cursor::Show, terminal::LeaveAlternateScreen)?;
            terminal::disable_raw_mode()?;
        }
        Ok(())
    }

    /// Keeps news of the connection for the lines under the table. What happens to a single row is seen in the row.
    pub fn note(&mut self, board: &Board, news: &News) {
        if matches!(news, News::Update { .. } | News::Interrupted { .. } | News::Resumed { .. }) {
            return;
        }
        self.news.push_back(format!("{:8.1} s  {news}", seconds_since(board.started)));
        if self.news.len() > NEWS {
            self.news.pop_front();
        }
    }

    /// What was typed since the last look.
    pub fn wish(&self) -> io::Result<Option<Wish>> {
        while event::poll(Duration::ZERO)? {
            let Input::Key(key) = event::read()? else { continue };
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            match key.code {
                _ if key.kind == KeyEventKind::Release => {}
                KeyCode::Char('q') | KeyCode::Esc => return Ok(Some(Wish::Quit)),
                // In raw mode Ctrl-C is a key like any other.
                KeyCode::Char('c') if control => return Ok(Some(Wish::Quit)),
                KeyCode::Char('r') => return Ok(Some(Wish::Reconnect)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Writes over what is there, at once, so that nothing flickers.
    pub fn draw(&self, board: &Board) -> io::Result<()> {
        let (width, height) = terminal::size()?;
        let mut out = io::stdout().lock();
        queue!(out, BeginSynchronizedUpdate, cursor::MoveTo(0, 0))?;
        let lines = self.lines(board, width.into(), height.into());
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                queue!(out, Print("\r\n"))?;
            }
            queue!(out, Print(line), Clear(ClearType::UntilNewLine))?;
        }
        queue!(out, Clear(ClearType::FromCursorDown), EndSynchronizedUpdate)?;
        out.flush()
    }

    fn lines(&self, board: &Board, width: usize, height: usize) -> Vec<String> {
        let mut lines = vec![
            fit(&format!(" {}", board.url), width).bold().to_string(),
            state(board, width),
            fit(&last_disconnect(board), width).dark_grey().to_string(),
            String::new(),
        ];
        lines.extend(table(board, width).lines());
        lines.push(String::new());
        let room = height.saturating_sub(lines.len() + 1);
        let news = self.news.iter().skip(self.news.len().saturating_sub(room));
        lines.extend(news.map(|line| fit(line, width).dark_grey().to_string()));
        lines.truncate(height.saturating_sub(1));
        lines.resize(height.saturating_sub(1), String::new());
        lines.push(fit(" q quits   r reconnects", width).dark_grey().to_string());
        lines
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // There is nothing more that could be done about a terminal that is gone.
        let _gone = self.close();
    }
}

/// Where the connection is, and how it has been.
fn state(board: &Board, width: usize) -> String {
    let (state, since) = &board.state;
    let elapsed = since.elapsed();
    let text = match state {
        State::Waiting { attempt, delay, .. } => {
            let left = delay.saturating_sub(elapsed).as_secs_f64();
            format!("waiting {left:.1} s for attempt {attempt}")
        }
        State::Connecting { attempt } => format!("connecting, attempt {attempt}"),
        other => format!("{} for {:.1} s", word(other), elapsed.as_secs_f64()),
    };
    let line = format!(
        " ● {text:<28} {:4.0} messages/s   {} updates   {} reconnects",
        board.rate(),
        board.updates,
        board.reconnects
    );
    let line = fit(&line, width);
    match state {
        State::Live => line.green().to_string(),
        State::Connecting { .. } | State::Restoring => line.yellow().to_string(),
        _ => line.red().to_string(),
    }
}

fn last_disconnect(board: &Board) -> String {
    match &board.last_disconnect {
        Some((reason, when)) => format!("   last disconnect {:.1} s ago: {reason}", seconds_since(*when)),
        None => "   never disconnected".to_owned(),
    }
}

const RIGHT: CellAlignment = CellAlignment::Right;

fn table(board: &Board, width: usize) -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .set_header(header())
        .add_rows(board.rows.iter().map(line));
    table
}

fn header() -> Line {
    let titles = [
        ("", CellAlignment::Left),
        ("Instrument", CellAlignment::Left),
        ("", CellAlignment::Left),
        ("Bid", RIGHT),
        ("Ask", RIGHT),
        ("Last", RIGHT),
        ("Age", RIGHT),
        ("Updates", RIGHT),
    ];
    let mut line = Line::from(titles.map(|(title, side)| {
        Cell::new(title).set_alignment(side).add_attribute(Attribute::Bold).fg(Color::DarkGrey)
    }));
    line.max_height(1);
    line
}

fn line(row: &Row) -> Line {
    let (kind, rest) = row.channel.split_once('.').unwrap_or(("", &row.channel));
    let instrument = rest.split('.').next().unwrap_or(rest);
    let (bid, ask) = row.reading.as_ref().map_or((None, None), |reading| reading.quote());
    let detail = row.reading.as_ref().map(|reading| reading.detail()).unwrap_or_default();
    let age = row.heard.map_or(String::new(), |heard| format!("{:.1} s", seconds_since(heard)));
    let (health, color) = match (row.health, &row.reading) {
        (Health::Stale, _) => ("stale", Some(Color::DarkYellow)),
        (Health::Refused, _) => ("refused", Some(Color::Red)),
        (Health::Live, Some(_)) => ("live", None),
        (Health::Live, None) => ("", Some(Color::DarkGrey)),
    };
    let left = [health, instrument, kind].map(Cell::new);
    let right = [price(bid), price(ask), detail, age, row.updates.to_string()];
    let right = right.map(|text| Cell::new(text).set_alignment(RIGHT));
    let cells = left.into_iter().chain(right).map(|cell| match color {
        Some(color) => cell.fg(color),
        None => cell,
    });
    let mut line = Line::from(cells);
    line.max_height(1);
    line
}

/// At most so many characters.
fn fit(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}
