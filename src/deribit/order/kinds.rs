//! What kinds of orders there are, and what each of them can be told: types without values.

/// Declares types without values.
macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {}
    )*};
}

markers! {
    /// A limit order.
    Limit
    /// A limit order for options whose price is in US dollars or in volatility.
    AdvancedLimit
    /// A limit order that waits for a trigger.
    TriggerLimit
    /// An order at the market's price, waiting for a trigger or not.
    Market
}

markers! {
    /// Until it is cancelled.
    GoodTilCancelled
    /// Until it is cancelled, and only as long as it does not take.
    PostOnly
    /// Until 08:00 UTC.
    GoodTilDay
    /// Not at all: what is not executed at once is cancelled.
    Immediate
}

/// Kinds that have a price, and so a time in force.
pub trait Priced {}

impl Priced for Limit {}
impl Priced for AdvancedLimit {}
impl Priced for TriggerLimit {}

/// Kinds that can be told not to take.
pub trait Postable: Priced {}

impl Postable for Limit {}
impl Postable for TriggerLimit {}

/// Kinds that go to the book at once, so that market maker protection can watch them.
pub trait Quotable: Priced {}

impl Quotable for Limit {}
impl Quotable for AdvancedLimit {}

/// Times in force that let an order wait in the book.
pub trait Resting {}

impl Resting for GoodTilCancelled {}
impl Resting for PostOnly {}
impl Resting for GoodTilDay {}
