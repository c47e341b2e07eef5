//! One message, read in one pass over its bytes, and whole before anything of it is applied.

use super::super::data::Level;
use super::levels::MOST;
use super::status::Reason;
use crate::json::Reader;

/// What a message says. One value serves all messages of a book, so that its room is used again.
#[derive(Clone, Debug, Default)]
pub(super) struct Message {
    /// Absent in a grouped book.
    pub(super) kind: Option<Kind>,
    /// In milliseconds since 1970.
    pub(super) timestamp: u64,
    pub(super) change_id: u64,
    pub(super) prev_change_id: Option<u64>,
    /// What is at these prices from now on, in the message's order; an amount of zero when there is nothing.
    pub(super) bids: Vec<Level>,
    pub(super) asks: Vec<Level>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The whole book.
    Snapshot,
    /// A change to the state that `prev_change_id` names.
    Change,
}

impl Message {
    /// Reads a message's data. Its members may come in any order; what is not known is skipped.
    pub(super) fn read(&mut self, data: &[u8], instrument: &str) -> Result<(), Reason> {
        let mut reader = Reader::new(data);
        let (mut kind, mut timestamp, mut change_id, mut before) = (None, None, None, None);
        let (mut bids, mut asks) = (None, None);
        reader.object()?;
        while let Some(key) = reader.member()? {
            match key.bytes().as_ref() {
                b"type" => kind = Some(read_kind(&mut reader)?),
                b"timestamp" => timestamp = Some(reader.integer()?),
                b"change_id" => change_id = Some(reader.integer()?),
                // Some senders write `null` for none.
                b"prev_change_id" if reader.peek()? == b'n' => drop(reader.value()?),
                b"prev_change_id" => before = Some(reader.integer()?),
                b"bids" => bids = Some(read_levels(&mut reader, &mut self.bids)?),
                b"asks" => asks = Some(read_levels(&mut reader, &mut self.asks)?),
                b"instrument_name" if reader.string()? != *instrument => {
                    return refuse(&reader, "it is another instrument's");
                }
                b"instrument_name" => {}
                _ => drop(reader.value()?),
            }
        }
        reader.end()?;
        let (Some(timestamp), Some(change_id), Some(()), Some(())) = (timestamp, change_id, bids, asks)
        else {
            return refuse(&reader, "a member is missing");
        };
        (self.kind, self.timestamp, self.change_id, self.prev_change_id) =
            (kind, timestamp, change_id, before);
        Ok(())
    }
}

fn read_kind(reader: &mut Reader<'_>) -> Result<Kind, Reason> {
    match reader.string()?.bytes().as_ref() {
        b"snapshot" => Ok(Kind::Snapshot),
        b"change" => Ok(Kind::Change),
        _ => refuse(reader, "neither a snapshot nor a change"),
    }
}

/// `[["new", 5042.5, 30], …]`, or without the words `[[5042.5, 30], …]`. What may follow in a level is skipped.
fn read_levels(reader: &mut Reader<'_>, into: &mut Vec<Level>) -> Result<(), Reason> {
    into.clear();
    reader.array()?;
    while reader.element()? {
        reader.array()?;
        element(reader)?;
        // The word only says what the amount says too, unless the level is deleted.
        let mut deleted = false;
        if reader.peek()? == b'"' {
            deleted = reader.string()? == *"delete";
            element(reader)?;
        }
        let price = reader.number()?;
        element(reader)?;
        let amount = reader.number()?;
        if amount < 0.0 {
            return refuse(reader, "a negative amount");
        }
        if into.len() == MOST {
            return Err(Reason::TooDeep);
        }
        into.push(Level { price, amount: if deleted { 0.0 } else { amount } });
        while reader.element()? {
            reader.value()?;
        }
    }
    Ok(())
}

fn element(reader: &mut Reader<'_>) -> Result<(), Reason> {
    if reader.element()? { Ok(()) } else { refuse(reader, "a level lacks its price or amount") }
}

fn refuse<T>(reader: &Reader<'_>, problem: &'static str) -> Result<T, Reason> {
    Ok(reader.fail(problem)?)
}
