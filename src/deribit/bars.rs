//! Bars from the past to now, without a hole: [`Bars`].

use super::data::{Bar, ChartData};
use super::{Deribit, topics};
use crate::client::Subscription;
use crate::error::Error;
use crate::queue::Update;

mod seam;
#[cfg(test)]
mod tests;

use seam::Seam;

/// What comes from [`Bars`], in order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum BarUpdate {
    /// A bar that is over. Each comes once, in the order of their ticks, and none is left out of what the venue has.
    Closed(Bar),
    /// The bar that is under way, as it is now.
    Current(Bar),
    /// What came last is not up to date from here on.
    Interrupted,
    /// It is up to date again, and what was missed comes next.
    Resumed,
    /// What was missed could not be fetched. It is tried again at the next sign of life.
    Failed(Error),
}

/// The bars of an instrument: first the history (`public/get_tradingview_chart_data`), then what happens
/// (`chart.trades.*`). What a cut or a slow reader missed is fetched, so that there is neither a hole nor a duplicate.
///
/// ```no_run
/// # async fn f(deribit: steadysocket::deribit::Deribit) -> Result<(), steadysocket::Error> {
/// use steadysocket::deribit::BarUpdate;
/// let since = deribit.get_time().await? - 3_600_000;
/// let mut bars = deribit.bars("BTC-PERPETUAL", "1", since).await?;
/// while let Some(update) = bars.next().await {
///     match update {
///         BarUpdate::Closed(bar) => println!("{}: {} to {}", bar.tick, bar.open, bar.close),
///         BarUpdate::Current(bar) => println!("now {}", bar.close),
///         other => println!("{other:?}"),
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "dropping it leaves its channel"]
pub struct Bars {
    deribit: Deribit,
    instrument: String,
    resolution: String,
    source: Subscription<Bar>,
    seam: Seam,
    /// Whether to wait for a sign of life before the history is asked for again.
    wait: bool,
}

impl Deribit {
    /// The bars of an instrument since a time, in milliseconds since 1970, and from then on: see [`Bars`]. Resolutions
    /// are in minutes (`1`, `3`, `5`, `10`, `15`, `30`, `60`, `120`, `180`, `360`, `720`), or `1D`.
    ///
    /// # Errors
    /// As [`Client::subscribe`](crate::Client::subscribe) and [`Client::call`](crate::Client::call).
    pub async fn bars(
        &self,
        instrument: impl Into<String>,
        resolution: impl Into<String>,
        since: u64,
    ) -> Result<Bars, Error> {
        let (instrument, resolution) = (instrument.into(), resolution.into());
        // What happens while the history is fetched must not be missed.
        let source = self.subscribe(&topics::chart(&instrument, &resolution)).await?;
        let seam = Seam::new(since, step(&resolution));
        let mut bars = Bars { deribit: self.clone(), instrument, resolution, source, seam, wait: false };
        if let Some(since) = bars.seam.missing_since() {
            bars.fetch(since).await?;
        }
        Ok(bars)
    }
}

impl Bars {
    /// What happens next; `None` once the client has ended.
    pub async fn next(&mut self) -> Option<BarUpdate> {
        loop {
            if let Some(update) = self.seam.next() {
                return Some(update);
            }
            if let Some(since) = self.seam.missing_since()
                && !self.wait
            {
                if let Err(error) = self.fetch(since).await {
                    self.wait = true;
                    return Some(BarUpdate::Failed(error));
                }
                continue;
            }
            let update = self.source.next().await?;
            self.wait = matches!(update, Update::Interrupted(_));
            match update {
                Update::Data(bar) => self.seam.live(bar),
                Update::Interrupted(_) | Update::Renewing => self.seam.interrupted(),
                Update::Resumed => self.seam.resumed(),
                Update::Lagged(_) | Update::Invalid(_) => self.seam.lost(),
                Update::Refused(_) | Update::Overflowed => self.seam.interrupted(),
            }
        }
    }

    /// Fetches what happened since a tick, in as many pages as the venue makes of it.
    async fn fetch(&mut self, since: u64) -> Result<(), Error> {
        let mut end = self.deribit.get_time().await?;
        let mut pages = Vec::new();
        loop {
            let page = self.page(since, end).await?;
            let Some(first) = page.bars().next() else { break };
            pages.push(page);
            // Of a long time the venue may send the newest bars only.
            let reached = first.tick <= since.saturating_add(step(&self.resolution).unwrap_or_default());
            if reached || first.tick > end {
                break;
            }
            end = first.tick - 1;
        }
        self.seam.history(pages.iter().rev().flat_map(ChartData::bars));
        Ok(())
    }

    async fn page(&self, since: u64, end: u64) -> Result<ChartData, Error> {
        self.deribit.get_tradingview_chart_data(&*self.instrument, since, end, &*self.resolution).await
    }
}

/// The time between the beginnings of two bars, in milliseconds, where that is known.
fn step(resolution: &str) -> Option<u64> {
    const MINUTE: u64 = 60_000;
    match resolution {
        "1D" | "D" => Some(24 * 60 * MINUTE),
        minutes => minutes
            .parse()
            .ok()
            .filter(|minutes| (1..=1440).contains(minutes))
            .map(|minutes: u64| minutes * MINUTE),
    }
}
