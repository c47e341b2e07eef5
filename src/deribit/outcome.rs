//! What became of an order: every call that trades ends in an [`Outcome`].

use super::data::{Order, OrderResponse};
use crate::error::{Error, Executed, NotSent, RpcError};

mod calls;
mod mass;
mod pending;
mod search;

pub use calls::{Cancelling, Editing, Placing};
pub(crate) use mass::mass_cancel;
pub use mass::{PendingMassCancel, PendingMassQuote};
pub use pending::{PendingCancel, PendingEdit, PendingOrder, Resolution};

/// What became of a call that trades: `T` is the exchange's answer, `P` what finds out when there is none.
///
/// ```no_run
/// # use steadysocket::deribit::{Deribit, Outcome, Resolution, data::Order};
/// # async fn f(deribit: Deribit) -> Result<(), steadysocket::Error> {
/// let order = Order::limit("BTC-PERPETUAL", 10.0, 60_000.0).label("mm-1");
/// match deribit.buy(order).await? {
///     Outcome::Accepted(placed) => println!("{} is {}", placed.order.order_id, placed.order.order_state),
///     Outcome::Rejected(error) => println!("refused: {error}"),
///     Outcome::NotSent(reason) => println!("never left: {reason}"),
///     Outcome::Unknown(pending) => match pending.resolve().await? {
///         Resolution::Resolved(order) => println!("it is there: {}", order.order_state),
///         Resolution::NeverArrived => println!("it is not, and never will be"),
///     },
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "an order may be live"]
pub enum Outcome<T, P = PendingOrder> {
    /// The exchange did it.
    Accepted(T),
    /// The exchange refused it: nothing was done.
    Rejected(RpcError),
    /// It never left: nothing was done.
    NotSent(NotSent),
    /// It left, and whether it was done is not known: the connection was cut, no answer came in time, or the exchange
    /// answered with an error that leaves it open, such as 10001. `resolve` finds out.
    Unknown(P),
}

impl<T, P> Outcome<T, P> {
    /// The exchange's answer, when it did it and said so.
    pub fn accepted(self) -> Option<T> {
        match self {
            Self::Accepted(answer) => Some(answer),
            Self::Rejected(_) | Self::NotSent(_) | Self::Unknown(_) => None,
        }
    }

    /// Whether it was done, as far as is known.
    pub fn executed(&self) -> Executed {
        match self {
            Self::Accepted(_) => Executed::Yes,
            Self::Rejected(_) | Self::NotSent(_) => Executed::No,
            Self::Unknown(_) => Executed::Unknown,
        }
    }

    /// What an error of the call says.
    fn of_error(error: Error, pending: impl FnOnce(Box<Error>) -> P) -> Self {
        match (error.executed(), error) {
            (Executed::No, Error::Rejected(error)) => Self::Rejected(error),
            (Executed::No, Error::NotSent(reason)) => Self::NotSent(reason),
            (Executed::No, Error::Connect(ended)) => Self::NotSent(NotSent::Ended(ended)),
            (_, error) => Self::Unknown(pending(Box::new(error))),
        }
    }
}

/// What became of a new order in the end.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an order may be live"]
pub enum Settled {
    /// The exchange has the order. This is how it stood when that was found out.
    Placed(Box<Order>),
    /// The exchange refused it.
    Rejected(RpcError),
    /// It never left.
    NotSent(NotSent),
    /// It left, and the exchange neither has it nor will take it any more.
    NeverArrived,
}

impl Settled {
    /// The order, when there is one.
    pub fn order(&self) -> Option<&Order> {
        match self {
            Self::Placed(order) => Some(order),
            Self::Rejected(_) | Self::NotSent(_) | Self::NeverArrived => None,
        }
    }
}

impl Outcome<OrderResponse> {
    /// The final truth: resolves an unknown outcome, and waits for that as [`PendingOrder::resolve`] does.
    ///
    /// # Errors
    /// As [`PendingOrder::resolve`]: the outcome is still unknown then, and `self` is gone; use `resolve` to keep it.
    pub async fn settled(self) -> Result<Settled, Error> {
        Ok(match self {
            Self::Accepted(placed) => Settled::Placed(Box::new(placed.order)),
            Self::Rejected(error) => Settled::Rejected(error),
            Self::NotSent(reason) => Settled::NotSent(reason),
            Self::Unknown(pending) => match pending.resolve().await? {
                Resolution::Resolved(order) => Settled::Placed(order),
                Resolution::NeverArrived => Settled::NeverArrived,
            },
        })
    }
}
