//! The parameters of an order, and what can be known to be wrong with them before they are sent.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Label, Leg, Side, Size};
use crate::deribit::data::{
    Advanced, FillCondition, Instrument, Kind, LinkedOrderType, TimeInForce, Trigger,
};
use crate::error::ConfigError;

/// An order as parameters of `private/buy` and `private/sell`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draft {
    pub(super) instrument_name: String,
    pub(super) size: Size,
    pub(super) order_type: &'static str,
    pub(super) label: Option<Result<Label, ConfigError>>,
    pub(super) price: Option<f64>,
    pub(super) time_in_force: Option<TimeInForce>,
    pub(super) post_only: bool,
    pub(super) reject_post_only: bool,
    pub(super) reduce_only: bool,
    pub(super) display_amount: Option<f64>,
    pub(super) trigger: Option<Trigger>,
    pub(super) trigger_price: Option<f64>,
    pub(super) trigger_offset: Option<f64>,
    pub(super) advanced: Option<Advanced>,
    pub(super) mmp: bool,
    pub(super) valid_until: Option<u64>,
    pub(super) linked: Option<Box<Links>>,
}

/// The orders that follow another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Links {
    pub(super) how: LinkedOrderType,
    pub(super) fill_condition: Option<FillCondition>,
    pub(super) legs: Vec<Leg>,
}

impl Draft {
    pub(super) fn new(
        instrument: impl Into<String>,
        size: impl Into<Size>,
        order_type: &'static str,
    ) -> Self {
        Self {
            instrument_name: instrument.into(),
            size: size.into(),
            order_type,
            label: None,
            price: None,
            time_in_force: None,
            post_only: false,
            reject_post_only: false,
            reduce_only: false,
            display_amount: None,
            trigger: None,
            trigger_price: None,
            trigger_offset: None,
            advanced: None,
            mmp: false,
            valid_until: None,
            linked: None,
        }
    }

    /// The draft as it may be sent: its numbers without what arithmetic left behind.
    pub(super) fn checked(mut self, instrument: &Instrument) -> Result<Self, ConfigError> {
        check_instrument(&self.instrument_name, instrument)?;
        if let Some(Err(error)) = self.label {
            return Err(error);
        }
        self.size = check_size(self.size, instrument)?;
        self.price = match &self.advanced {
            None => self.price.map(|price| check_price("price", price, instrument)).transpose()?,
            Some(unit) => check_advanced(unit, self.price, instrument)?,
        };
        self.trigger_price =
            self.trigger_price.map(|price| check_price("trigger_price", price, instrument)).transpose()?;
        if self.trigger_offset.is_some_and(|offset| !(offset.is_finite() && offset > 0.0)) {
            return Err(ConfigError::new("trigger_offset", "is not a positive number"));
        }
        if let Some(shown) = self.display_amount {
            self.display_amount = Some(check_display(shown, self.size.amount(instrument), instrument)?);
        }
        if self.reduce_only && instrument.kind == Kind::Spot {
            return Err(ConfigError::new("reduce_only", "spot has no positions"));
        }
        if let Some(links) = &mut self.linked {
            let legs = std::mem::take(&mut links.legs).into_iter();
            links.legs = legs.map(|leg| leg.checked(instrument)).collect::<Result<_, _>>()?;
        }
        Ok(self)
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.size.write(map)?;
        map.serialize_entry("type", self.order_type)?;
        if let Some(Ok(label)) = &self.label {
            map.serialize_entry("label", label)?;
        }
        maybe(map, "price", &self.price)?;
        maybe(map, "time_in_force", &self.time_in_force)?;
        flag(map, "post_only", self.post_only)?;
        flag(map, "reject_post_only", self.reject_post_only)?;
        flag(map, "reduce_only", self.reduce_only)?;
        maybe(map, "display_amount", &self.display_amount)?;
        maybe(map, "trigger", &self.trigger)?;
        maybe(map, "trigger_price", &self.trigger_price)?;
        maybe(map, "trigger_offset", &self.trigger_offset)?;
        maybe(map, "advanced", &self.advanced)?;
        flag(map, "mmp", self.mmp)?;
        maybe(map, "valid_until", &self.valid_until)?;
        if let Some(links) = &self.linked {
            map.serialize_entry("linked_order_type", &links.how)?;
            maybe(map, "trigger_fill_condition", &links.fill_condition)?;
            map.serialize_entry("otoco_config", &links.legs)?;
        }
        Ok(())
    }
}

impl Serialize for Draft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("instrument_name", &self.instrument_name)?;
        self.write(&mut map)?;
        map.end()
    }
}

impl Leg {
    /// A leg is for the instrument of the order it follows.
    fn checked(self, instrument: &Instrument) -> Result<Self, ConfigError> {
        Ok(Self { draft: self.draft.checked(instrument)?, ..self })
    }
}

impl Serialize for Leg {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("direction", self.side.as_str())?;
        self.draft.write(&mut map)?;
        map.end()
    }
}

impl Size {
    pub(super) fn write<M: SerializeMap>(self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Amount(amount) => map.serialize_entry("amount", &amount),
            Self::Contracts(contracts) => map.serialize_entry("contracts", &contracts),
        }
    }

    pub(crate) fn amount(self, instrument: &Instrument) -> f64 {
        match self {
            Self::Amount(amount) => amount,
            Self::Contracts(contracts) => instrument.amount_of(contracts),
        }
    }
}

impl Side {
    /// The venue's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

pub(super) fn maybe<M: SerializeMap, T: Serialize>(
    map: &mut M,
    name: &'static str,
    value: &Option<T>,
) -> Result<(), M::Error> {
    value.as_ref().map_or(Ok(()), |value| map.serialize_entry(name, value))
}

fn flag<M: SerializeMap>(map: &mut M, name: &'static str, set: bool) -> Result<(), M::Error> {
    if set { map.serialize_entry(name, &true) } else { Ok(()) }
}

pub(crate) fn check_instrument(name: &str, instrument: &Instrument) -> Result<(), ConfigError> {
    if name != instrument.instrument_name {
        let problem = format!("{name} where everything else is for {}", instrument.instrument_name);
        return Err(ConfigError::new("instrument_name", problem));
    }
    if instrument.is_active == Some(false) {
        return Err(ConfigError::new("instrument_name", format!("{name} does not trade")));
    }
    Ok(())
}

pub(crate) fn check_size(size: Size, instrument: &Instrument) -> Result<Size, ConfigError> {
    let refuse = |field, given: f64| {
        let (smallest, step) = (instrument.min_trade_amount, instrument.amount_step());
        let problem = format!("{given} is not an amount of at least {smallest} in steps of {step}");
        Err(ConfigError::new(field, problem))
    };
    match size {
        Size::Amount(amount) => instrument
            .valid_amount(amount)
            .map_or_else(|| refuse("amount", amount), |ok| Ok(Size::Amount(ok))),
        Size::Contracts(contracts) => {
            let amount = contracts * instrument.contract_size;
            let valid = instrument.valid_amount(amount).map(|amount| instrument.contracts(amount));
            valid.map_or_else(|| refuse("contracts", amount), |contracts| Ok(Size::Contracts(contracts)))
        }
    }
}

pub(crate) fn check_price(
    field: &'static str,
    price: f64,
    instrument: &Instrument,
) -> Result<f64, ConfigError> {
    instrument.price_on_tick(price).ok_or_else(|| {
        let problem = format!("{price} is not a multiple of {}", instrument.tick_size_at(price));
        ConfigError::new(field, problem)
    })
}

/// Prices of advanced orders are in other units than the instrument's, which have no ticks that are known.
pub(super) fn check_advanced(
    unit: &Advanced,
    price: Option<f64>,
    instrument: &Instrument,
) -> Result<Option<f64>, ConfigError> {
    if instrument.kind != Kind::Option {
        return Err(ConfigError::new("advanced", "is for options only"));
    }
    if *unit == Advanced::Usd && instrument.is_linear() {
        return Err(ConfigError::new("advanced", "linear options have no prices in US dollars apart"));
    }
    match price {
        Some(price) if !(price.is_finite() && price > 0.0) => {
            Err(ConfigError::new("price", "is not a positive number"))
        }
        price => Ok(price),
    }
}

/// The venue's rules for icebergs: at least 100 times the smallest amount is shown, and the hidden part is less than
/// 100 times the visible one.
pub(super) fn check_display(shown: f64, amount: f64, instrument: &Instrument) -> Result<f64, ConfigError> {
    let refuse = |problem: String| Err(ConfigError::new("display_amount", problem));
    let Some(shown) = instrument.valid_amount(shown) else {
        return refuse(format!("{shown} is not in steps of {}", instrument.amount_step()));
    };
    let least = 100.0 * instrument.min_trade_amount;
    if shown < least {
        return refuse(format!("{shown} is less than {least}"));
    }
    if amount - shown >= 100.0 * shown {
        return refuse(format!("{shown} is not more than a hundredth of what is hidden"));
    }
    Ok(shown)
}
