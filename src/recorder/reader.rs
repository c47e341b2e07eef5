//! Reading a recording.

use std::io::{BufRead, Read};

use super::VERSION;
use super::line::{Body, Line, Wire};
use crate::time::Instant;

/// The longest line that is read. A message of 1 GiB, the most that a client takes, is read nowhere else either.
const LONGEST: u64 = 256 * 1024 * 1024;

/// What a line of a recording is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// A recording begins.
    Header {
        /// When, by the wall clock.
        wall: String,
    },
    /// So many lines are missing here.
    Lost(u64),
    /// Something that went into a connection, or came out of it.
    Line(Line),
}

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The line is none of a recording.
    #[error("line {line}: {problem}")]
    Format {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it, without quoting it.
        problem: String,
    },
    /// It was written by another version of this library.
    #[error("the recording has version {0}; this library reads version {VERSION}")]
    Version(u32),
}

/// Reads a recording line by line. A last line without a line feed is left out: it was torn by a crash.
pub struct Reader<R> {
    from: R,
    number: u64,
    began: bool,
    over: bool,
    buffer: Vec<u8>,
}

impl<R: BufRead> Reader<R> {
    /// Reads from a file, or from the bytes of one.
    pub fn new(from: R) -> Self {
        Self { from, number: 0, began: false, over: false, buffer: Vec::new() }
    }

    /// The number of the line that was read last, counted from 1.
    pub fn line(&self) -> u64 {
        self.number
    }

    fn read(&mut self) -> Result<Option<Record>, ReadError> {
        loop {
            self.buffer.clear();
            (&mut self.from).take(LONGEST).read_until(b'\n', &mut self.buffer)?;
            self.number += 1;
            match self.buffer.split_last() {
                Some((b'\n', [])) => {}
                Some((b'\n', line)) => return self.parse(line).map(Some),
                _ if self.buffer.len() as u64 == LONGEST => return Err(self.wrong("is too long")),
                _ => return Ok(None),
            }
        }
    }

    fn parse(&self, line: &[u8]) -> Result<Record, ReadError> {
        let wire: Wire<'_> = serde_json::from_slice(line).map_err(|error| {
            self.wrong(format!("is not as a line should be, at column {}", error.column()))
        })?;
        let wall = wire.wall.unwrap_or_default().into_owned();
        match wire {
            Wire { recording: Some(name), version: Some(version), .. } if name == "steadysocket" => {
                if version == VERSION {
                    Ok(Record::Header { wall })
                } else {
                    Err(ReadError::Version(version))
                }
            }
            _ if !self.began => Err(self.wrong("is not the header of a recording")),
            Wire { lost: Some(lost), .. } => Ok(Record::Lost(lost)),
            Wire {
                at: Some(at),
                session: Some(session),
                connection: Some(connection),
                input,
                output,
                ..
            } => {
                let body = match (input, output) {
                    (Some(input), None) => Body::In(input.get().to_owned()),
                    (None, Some(output)) => Body::Out(output.get().to_owned()),
                    _ => return Err(self.wrong("has not one of in and out")),
                };
                Ok(Record::Line(Line { at: Instant::from_nanos(at), wall, session, connection, body }))
            }
            _ => Err(self.wrong("lacks a member")),
        }
    }

    fn wrong(&self, problem: impl Into<String>) -> ReadError {
        ReadError::Format { line: self.number, problem: problem.into() }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Record, ReadError>;

    /// The next line. Nothing comes after an error.
    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let read = self.read();
        self.began = true;
        self.over = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}
