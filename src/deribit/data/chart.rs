//! Prices over time.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::lenient::{Member, Read};
use super::object::object;

object! {
    #[derive(Copy)]
    /// A message of `chart.trades.*`: a bar as it is now. The bar is over when one with a later `tick` comes.
    Bar {
        /// When it begins.
        tick: u64,
        /// The first price.
        open: f64,
        /// The highest price.
        high: f64,
        /// The lowest price.
        low: f64,
        /// The last price.
        close: f64,
        /// What was traded, in the base currency.
        volume: f64,
        /// What was traded, in the quote currency.
        cost: Option<f64>,
    }
}

object! {
    /// Bars on request, as columns: see [`bars`](Self::bars).
    ChartData {
        /// `ok` or `no_data`.
        status: Option<String>,
        /// When each bar begins.
        ticks: Vec<u64>,
        /// First prices.
        open: Vec<f64>,
        /// Highest prices.
        high: Vec<f64>,
        /// Lowest prices.
        low: Vec<f64>,
        /// Last prices.
        close: Vec<f64>,
        /// What was traded, in the base currency.
        volume: Vec<f64>,
        /// What was traded, in the quote currency.
        cost: Vec<f64>,
    }
}

impl ChartData {
    /// The columns as bars, the oldest first. As many as every column has.
    pub fn bars(&self) -> impl Iterator<Item = Bar> {
        (0..self.ticks.len()).map_while(|n| {
            Some(Bar {
                tick: *self.ticks.get(n)?,
                open: *self.open.get(n)?,
                high: *self.high.get(n)?,
                low: *self.low.get(n)?,
                close: *self.close.get(n)?,
                volume: *self.volume.get(n)?,
                cost: self.cost.get(n).copied(),
            })
        })
    }
}

/// Declares a row of numbers, sent as a list of a time and some values.
macro_rules! row {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            /// When.
            pub timestamp: u64,
            $($(#[$value_doc])* pub $value: f64,)*
        }

        impl Member for $name {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Row;
                impl<'de> Visitor<'de> for Row {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a time and values")
                    }

                    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<$name, A::Error> {
                        let short = || A::Error::custom("a row is too short");
                        let row = $name {
                            timestamp: list.next_element_seed(Read::new())?.ok_or_else(short)?,
                            $($value: list.next_element_seed(Read::new())?.ok_or_else(short)?,)*
                        };
                        while list.next_element::<IgnoredAny>()?.is_some() {}
                        Ok(row)
                    }
                }
                deserializer.deserialize_seq(Row)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::read(deserializer)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                (self.timestamp, $(self.$value,)*).serialize(serializer)
            }
        }
    };
}

row! {
    /// A value at a time.
    Sample {
        /// The value.
        value,
    }
}

row! {
    /// A candle of the volatility index, in percent.
    VolatilityCandle {
        /// The first value.
        open,
        /// The highest value.
        high,
        /// The lowest value.
        low,
        /// The last value.
        close,
    }
}

object! {
    /// A page of candles of the volatility index, the oldest first.
    VolatilityIndexData {
        /// The candles.
        data: Vec<VolatilityCandle>,
        /// The end of the next page, when there is one: it lies before this one.
        continuation: Option<u64>,
    }
}

object! {
    /// The funding of one hour.
    FundingRate {
        /// When the hour ended.
        timestamp: u64,
        /// The index then.
        index_price: Option<f64>,
        /// The index an hour before.
        prev_index_price: Option<f64>,
        /// The interest of the hour, as a fraction.
        interest_1h: Option<f64>,
        /// The interest of 8 hours, as a fraction.
        interest_8h: Option<f64>,
    }
}

object! {
    /// Funding for a chart.
    FundingChart {
        /// The interest now.
        current_interest: Option<f64>,
        /// The interest of the last 8 hours.
        interest_8h: Option<f64>,
        /// Points of the chart.
        data: Vec<FundingPoint>,
    }
}

object! {
    /// A point of a [`FundingChart`].
    FundingPoint {
        /// When.
        timestamp: u64,
        /// The index then.
        index_price: Option<f64>,
        /// The interest of 8 hours then.
        interest_8h: Option<f64>,
    }
}

object! {
    /// A page of delivery prices, the newest first.
    DeliveryPrices {
        /// How many there are in all.
        records_total: Option<u64>,
        /// The page.
        data: Vec<DeliveryPrice>,
    }
}

object! {
    /// The price of a day's deliveries.
    DeliveryPrice {
        /// The day, as `2020-01-02`.
        date: String,
        /// The price.
        delivery_price: f64,
    }
}
