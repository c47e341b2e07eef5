//! Changes to an order that waits.

use std::marker::PhantomData;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::draft::{check_advanced, check_display, check_instrument, check_price, check_size, maybe};
use super::{Label, Size};
use crate::deribit::data::{Advanced, Instrument, Order};
use crate::error::{ConfigError, Error};
use crate::protocol::Request;

/// An edit of an order that is named by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ById {}

/// An edit of the one open order that has a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByLabel {}

/// Which order an edit is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The one with this id.
    Id(String),
    /// The open one of an instrument with this label.
    Label {
        /// The instrument.
        instrument: String,
        /// The label.
        label: String,
    },
}

/// Changes to an order. An order keeps its place in the queue only where its amount shrinks at the same price.
///
/// ```
/// use steadysocket::deribit::order::Edit;
/// Edit::order("BTC-PERPETUAL", "4008965646", 100.0).price(59_990.0).post_only(true);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an edit is not made until it is given to `edit`"]
pub struct Edit<B> {
    instrument_name: String,
    /// The order's id or label.
    name: Result<String, ConfigError>,
    by: PhantomData<fn() -> B>,
    size: Size,
    price: Option<f64>,
    post_only: Option<bool>,
    reject_post_only: Option<bool>,
    reduce_only: Option<bool>,
    advanced: Option<Advanced>,
    trigger_price: Option<f64>,
    trigger_offset: Option<f64>,
    display_amount: Option<f64>,
    mmp: Option<bool>,
    valid_until: Option<u64>,
}

impl Edit<ById> {
    /// Of the order with this id. The size is what the order has in all, executed parts included.
    pub fn order(instrument: impl Into<String>, order_id: impl Into<String>, size: impl Into<Size>) -> Self {
        Self::new(instrument.into(), Ok(order_id.into()), size.into())
    }

    /// Of this order, which keeps its size unless that is [changed](Self::size). The unit of an advanced order's price
    /// is taken over, as the venue wants it again, and so is what restricts the order: the venue does not say whether it
    /// keeps that.
    pub fn of(order: &Order) -> Self {
        let edit = Self::order(&order.instrument_name, &order.order_id, order.amount);
        Self {
            advanced: order.advanced.clone(),
            post_only: Some(order.post_only),
            reject_post_only: order.reject_post_only.then_some(true),
            reduce_only: order.reduce_only.then_some(true),
            mmp: order.mmp.then_some(true),
            ..edit
        }
    }

    /// How far a trailing order follows its peak.
    pub fn trigger_offset(mut self, offset: f64) -> Self {
        self.trigger_offset = Some(offset);
        self
    }

    /// How much of an iceberg is shown.
    pub fn display_amount(mut self, amount: f64) -> Self {
        self.display_amount = Some(amount);
        self
    }
}

impl Edit<ByLabel> {
    /// Of the one open order that has this whole label, unique ending included; where there are more, the venue refuses
    /// (13032). The size is what the order has in all, executed parts included.
    pub fn label<L: TryInto<Label, Error: Into<ConfigError>>>(
        instrument: impl Into<String>,
        label: L,
        size: impl Into<Size>,
    ) -> Self {
        let label = label.try_into().map(|label| label.as_str().to_owned()).map_err(Into::into);
        Self::new(instrument.into(), label, size.into())
    }
}

impl<B> Edit<B> {
    fn new(instrument_name: String, name: Result<String, ConfigError>, size: Size) -> Self {
        Self {
            instrument_name,
            name,
            by: PhantomData,
            size,
            price: None,
            post_only: None,
            reject_post_only: None,
            reduce_only: None,
            advanced: None,
            trigger_price: None,
            trigger_offset: None,
            display_amount: None,
            mmp: None,
            valid_until: None,
        }
    }

    /// How much, executed parts included.
    pub fn size(mut self, size: impl Into<Size>) -> Self {
        self.size = size.into();
        self
    }

    /// The price, in the unit that the order has.
    pub fn price(mut self, price: f64) -> Self {
        self.price = Some(price);
        self
    }

    /// Whether it may only wait in the book: where it would take, its price is moved.
    pub fn post_only(mut self, post_only: bool) -> Self {
        self.post_only = Some(post_only);
        self
    }

    /// Only to wait in the book: where it would take, the venue refuses the edit (11054) **and cancels the order**.
    pub fn reject_post_only(mut self) -> Self {
        (self.post_only, self.reject_post_only) = (Some(true), Some(true));
        self
    }

    /// Whether it may only reduce a position.
    pub fn reduce_only(mut self, reduce_only: bool) -> Self {
        self.reduce_only = Some(reduce_only);
        self
    }

    /// The price is in US dollars. An order that was placed so wants this again with each edit.
    pub fn price_in_usd(mut self) -> Self {
        self.advanced = Some(Advanced::Usd);
        self
    }

    /// The price is an implied volatility in percent. An order that was placed so wants this again with each edit.
    pub fn price_in_volatility(mut self) -> Self {
        self.advanced = Some(Advanced::ImpliedVolatility);
        self
    }

    /// The price at which a trigger order is set off.
    pub fn trigger_price(mut self, price: f64) -> Self {
        self.trigger_price = Some(price);
        self
    }

    /// Whether it is under market maker protection.
    pub fn mmp(mut self, mmp: bool) -> Self {
        self.mmp = Some(mmp);
        self
    }

    /// The venue refuses the edit after this time, in its own milliseconds since 1970 (13888).
    pub fn valid_until(mut self, timestamp: u64) -> Self {
        self.valid_until = Some(timestamp);
        self
    }

    /// The instrument.
    pub fn instrument_name(&self) -> &str {
        &self.instrument_name
    }

    fn checked(mut self, instrument: &Instrument) -> Result<Self, ConfigError> {
        check_instrument(&self.instrument_name, instrument)?;
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
        Ok(self)
    }
}

/// What tells the two edits apart.
pub trait Named: Clone {
    /// The method.
    const METHOD: &'static str;

    /// The parameter that names the order.
    const NAME: &'static str;
}

impl Named for ById {
    const METHOD: &'static str = "private/edit";
    const NAME: &'static str = "order_id";
}

impl Named for ByLabel {
    const METHOD: &'static str = "private/edit_by_label";
    const NAME: &'static str = "label";
}

impl<B: Named> Edit<B> {
    /// Which order it is for.
    pub(crate) fn target(&self) -> Result<Target, ConfigError> {
        let name = self.name.clone()?;
        Ok(if B::NAME == ByLabel::NAME {
            Target::Label { instrument: self.instrument_name.clone(), label: name }
        } else {
            Target::Id(name)
        })
    }

    /// The time after which the venue refuses it.
    pub(crate) fn end(&self) -> Option<u64> {
        self.valid_until
    }

    /// The request that makes it, checked against the instrument.
    ///
    /// # Errors
    /// [`Error::Config`] with the parameter that cannot be.
    pub fn request(&self, instrument: &Instrument) -> Result<Request, Error> {
        let name = self.name.clone()?;
        let edit = self.clone().checked(instrument)?;
        Ok(Request::with(B::METHOD, &Params { name: &name, edit: &edit })?)
    }
}

/// An edit as parameters.
struct Params<'a, B> {
    name: &'a str,
    edit: &'a Edit<B>,
}

impl<B: Named> Serialize for Params<'_, B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let edit = self.edit;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(B::NAME, self.name)?;
        if B::NAME == ByLabel::NAME {
            map.serialize_entry("instrument_name", &edit.instrument_name)?;
        }
        edit.size.write(&mut map)?;
        maybe(&mut map, "price", &edit.price)?;
        maybe(&mut map, "post_only", &edit.post_only)?;
        maybe(&mut map, "reject_post_only", &edit.reject_post_only)?;
        maybe(&mut map, "reduce_only", &edit.reduce_only)?;
        maybe(&mut map, "advanced", &edit.advanced)?;
        maybe(&mut map, "trigger_price", &edit.trigger_price)?;
        maybe(&mut map, "trigger_offset", &edit.trigger_offset)?;
        maybe(&mut map, "display_amount", &edit.display_amount)?;
        maybe(&mut map, "mmp", &edit.mmp)?;
        maybe(&mut map, "valid_until", &edit.valid_until)?;
        map.end()
    }
}
