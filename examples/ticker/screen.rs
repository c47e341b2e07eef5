//! The live table.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::Duration;

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, Table, Width};
use crossterm::event::{self, Event as Input, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::style::{Print, Stylize};
use crossterm::terminal::{
    self, BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate,
    EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{cursor, execute, queue};
use steadysocket::State;

use crate::board::{Board, Health, News, Row, word};
use crate::market::Reading;
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
        execute!(io::stdout(), EnterAlternateScreen, DisableLineWrap, cursor::Hide)?;
        Ok(screen)
    }

    pub fn close(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.open) {
            execute!(io::stdout(), cursor::Show, EnableLineWrap, LeaveAlternateScreen)?;
            terminal::disable_raw_mode()?;
        }
        Ok(())
    }

    /// Keeps news for the lines under the table, except what the table shows itself.
    pub fn note(&mut self, board: &Board, news: &News) {
        match news {
            News::Update { .. } | News::Interrupted { .. } | News::Resumed { .. } => return,
            News::State { state: "connecting" | "restoring", .. } => return,
            _ => {}
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
        let (_, height) = terminal::size()?;
        let mut out = io::stdout().lock();
        queue!(out, BeginSynchronizedUpdate)?;
        for (line, text) in (0..height).zip(self.lines(board, height.into())) {
            queue!(out, cursor::MoveTo(0, line), Clear(ClearType::CurrentLine), Print(text))?;
        }
        queue!(out, EndSynchronizedUpdate)?;
        out.flush()
    }

    /// One text for each line of the terminal. What is too long is cut off there.
    fn lines(&self, board: &Board, height: usize) -> Vec<String> {
        let mut lines = vec![
            format!(" {}", board.url).bold().to_string(),
            state(board),
            last_disconnect(board).dark_grey().to_string(),
            String::new(),
        ];
        lines.extend(table(board).lines());
        lines.push(String::new());
        let body = height.saturating_sub(1);
        let room = body.saturating_sub(lines.len());
        let news = self.news.iter().skip(self.news.len().saturating_sub(room));
        lines.extend(news.map(|line| line.as_str().dark_grey().to_string()));
        lines.resize(body, String::new());
        lines.push(" q quits   r reconnects".dark_grey().to_string());
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
fn state(board: &Board) -> String {
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

/// Titles, sides and least widths of the columns: a table whose columns move cannot be read.
const COLUMNS: [(&str, CellAlignment, u16); 8] = [
    ("", CellAlignment::Left, 6),
    ("Instrument", CellAlignment::Left, 18),
    ("Feed", CellAlignment::Left, 6),
    ("Bid", CellAlignment::Right, 8),
    ("Ask", CellAlignment::Right, 8),
    ("Last", CellAlignment::Right, 16),
    ("Age", CellAlignment::Right, 5),
    ("Count", CellAlignment::Right, 5),
];

fn table(board: &Board) -> Table {
    let titles =
        COLUMNS.map(|(title, ..)| Cell::new(title).add_attribute(Attribute::Bold).fg(Color::DarkGrey));
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(titles).add_rows(board.rows.iter().map(cells));
    for (column, (_, side, width)) in table.column_iter_mut().zip(COLUMNS) {
        column.set_padding((0, 1)).set_cell_alignment(side);
        // The padding is part of a column's width.
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width + 1)));
    }
    table
}

fn cells(row: &Row) -> Vec<Cell> {
    let (feed, rest) = row.channel.split_once('.').unwrap_or(("", &row.channel));
    let instrument = rest.split('.').next().unwrap_or(rest);
    let [bid, ask, last] = row.reading.as_ref().map(Reading::columns).unwrap_or_default();
    let age = row.heard.map(|heard| format!("{:.1}s", seconds_since(heard))).unwrap_or_default();
    let (health, color) = match row.health {
        Health::Live => (" live", Color::Reset),
        Health::Stale => (" stale", Color::DarkYellow),
        Health::Refused => (" gone", Color::Red),
    };
    let texts = [health, instrument, feed, &bid, &ask, &last, &age, &row.updates.to_string()];
    texts.map(|text| Cell::new(text).fg(color)).into()
}
