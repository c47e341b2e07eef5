//! Pages of trades: how many, from where, in which order.

use serde_json::{Map, Value, json};

use crate::api::error::ApiError;
use crate::api::params;

type Params = Map<String, Value>;

const MOST: usize = 1_000;

/// Where a trade stands in its lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) ms: i64,
    pub(crate) seq: u64,
    /// The number in its id.
    pub(crate) number: u64,
}

/// What part of a list is asked for.
#[derive(Debug)]
pub(crate) struct Page {
    count: usize,
    seq: (u64, u64),
    number: (u64, u64),
    ms: (i64, i64),
    /// From the first on, rather than from the last back.
    forward: bool,
    ascending: bool,
}

impl Page {
    /// Reads `count`, `sorting` and all bounds that a method may have.
    pub(crate) fn read(params: &Params) -> Result<Self, ApiError> {
        let whole = |name: &str| params::optional_integer(params, name);
        let number = |name: &str| -> Result<Option<u64>, ApiError> {
            let Some(id) = params::optional_string(params, name)? else { return Ok(None) };
            let digits = id.rsplit('-').next().and_then(|digits| digits.parse().ok());
            digits.map(Some).ok_or_else(|| ApiError::invalid_param(name, "must be a trade id"))
        };
        let (start_seq, start_id, start_ms) =
            (whole("start_seq")?, number("start_id")?, whole("start_timestamp")?);
        let sorting = params::one_of(params, "sorting", &["asc", "desc", "default"])?.unwrap_or("default");
        let bounded = start_seq.is_some() || start_id.is_some() || start_ms.is_some();
        let forward = sorting == "asc" || (bounded && sorting == "default");
        let ms = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        Ok(Self {
            count: count(params, 10, MOST)?,
            seq: (start_seq.unwrap_or(0), whole("end_seq")?.unwrap_or(u64::MAX)),
            number: (start_id.unwrap_or(0), number("end_id")?.unwrap_or(u64::MAX)),
            ms: (start_ms.map_or(i64::MIN, ms), whole("end_timestamp")?.map_or(i64::MAX, ms)),
            forward,
            ascending: forward,
        })
    }

    fn holds(&self, place: &Place) -> bool {
        (self.seq.0..=self.seq.1).contains(&place.seq)
            && (self.number.0..=self.number.1).contains(&place.number)
            && (self.ms.0..=self.ms.1).contains(&place.ms)
    }

    /// The page of a list, as `{trades, has_more}`.
    pub(crate) fn of<T>(
        &self,
        items: impl Iterator<Item = T>,
        place: impl Fn(&T) -> Place,
        show: impl Fn(&T) -> Value,
    ) -> Value {
        let mut found: Vec<T> = items.filter(|item| self.holds(&place(item))).collect();
        found.sort_by_key(|item| (place(item).ms, place(item).number));
        let has_more = found.len() > self.count;
        let mut chosen: Vec<&T> = match self.forward {
            true => found.iter().take(self.count).collect(),
            false => found.iter().rev().take(self.count).collect(),
        };
        if self.forward != self.ascending {
            chosen.reverse();
        }
        json!({ "trades": chosen.into_iter().map(show).collect::<Vec<_>>(), "has_more": has_more })
    }
}

/// How many are asked for, within what the venue allows.
pub(crate) fn count(params: &Params, usual: usize, most: usize) -> Result<usize, ApiError> {
    let Some(count) = params::optional_integer(params, "count")? else { return Ok(usual) };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if (1..=most).contains(&count) {
        Ok(count)
    } else {
        Err(ApiError::invalid_param("count", "out of range"))
    }
}
