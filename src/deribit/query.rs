//! The venue's methods, typed: every one that reads, and those that cancel and set.
//!
//! Each is a method of [`Deribit`] under the venue's own name. What it requires are its arguments, what is optional is
//! set on what it returns, and awaiting that makes the call:
//!
//! ```no_run
//! # use steadysocket::deribit::{Deribit, data::Sorting};
//! # async fn f(deribit: Deribit) -> Result<(), steadysocket::Error> {
//! let positions = deribit.get_positions().currency("BTC").await?;
//! let page = deribit.get_user_trades_by_instrument("BTC-PERPETUAL").count(100).sorting(Sorting::Ascending).await?;
//! println!("{} positions, {} trades, more: {}", positions.len(), page.trades.len(), page.has_more);
//! # Ok(()) }
//! ```
//!
//! All that read or set fail as [`Client::call`] does. Those that cancel or quote end in an
//! [`Outcome`](crate::deribit::Outcome). Whatever is not here is reached by [`Deribit::call`].

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::Serialize;

use super::Deribit;
use super::data::{Lenient, Member};
use crate::client::{Call, Client};
use crate::error::{DecodeError, Error, NotSent};
use crate::payload::Payload;
use crate::protocol::Request;

mod account;
mod history;
mod market;
mod pages;
mod quoting;
mod trades;
mod trading;

pub use account::*;
pub use history::*;
pub use market::*;
pub use pages::Paged;
pub use quoting::*;
pub use trades::*;
pub use trading::*;

/// A method with its parameters.
#[allow(private_bounds, reason = "answers are made of the objects in `data`")]
pub trait Query: Serialize {
    /// The method's name.
    const METHOD: &'static str;

    /// What its result is.
    type Answer: Member;

    /// The request, not yet made.
    ///
    /// # Errors
    /// None in practice: [`NotSent::Params`] when the parameters cannot be written as JSON.
    fn request(&self) -> Result<Request, NotSent> {
        Request::with(Self::METHOD, self)
    }

    /// Decodes a result that was received, or recorded.
    ///
    /// # Errors
    /// What did not fit.
    fn decode(result: &Payload) -> Result<Self::Answer, DecodeError> {
        let Lenient(answer) = result.decode_as(Self::METHOD)?;
        Ok(answer)
    }
}

/// The answer to a [`Query`], under way. It is sent when it is first polled; dropping it cancels what has not left.
#[derive(Debug)]
#[must_use = "a call is not made until it is awaited"]
pub struct Answer<T> {
    call: Result<Call, Option<NotSent>>,
    method: &'static str,
    answer: PhantomData<fn() -> T>,
}

#[allow(private_bounds, reason = "answers are made of the objects in `data`")]
impl<T: Member> Future for Answer<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, Error>> {
        let this = self.get_mut();
        let call = match &mut this.call {
            Ok(call) => call,
            Err(reason) => {
                return reason.take().map_or(Poll::Pending, |reason| Poll::Ready(Err(reason.into())));
            }
        };
        let Poll::Ready(outcome) = Pin::new(call).poll(cx) else { return Poll::Pending };
        Poll::Ready(outcome.and_then(|payload| {
            let Lenient(answer) = payload.decode_as(this.method)?;
            Ok(answer)
        }))
    }
}

/// A query that knows whom it goes to.
pub(crate) trait Targeted {
    fn target(&self) -> &Target;
}

/// Whom a query goes to, and how long it may take.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    client: Client,
    timeout: Option<Duration>,
}

impl Target {
    pub(crate) fn of(deribit: &Deribit) -> Self {
        Self { client: deribit.client().clone(), timeout: None }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn call<Q: Query>(&self, query: &Q) -> Answer<Q::Answer> {
        self.request(Q::METHOD, query.request())
    }

    pub(crate) fn request<T>(&self, method: &'static str, request: Result<Request, NotSent>) -> Answer<T> {
        let call = request.map_err(Some).map(|request| {
            let call = self.client.request(request);
            match self.timeout {
                Some(timeout) => call.timeout(timeout),
                None => call,
            }
        });
        Answer { call, method, answer: PhantomData }
    }
}

/// Declares methods of the venue which end in their answer or an error: see [`query_types`].
macro_rules! queries {
    ($(
        $(#[$doc:meta])*
        $method:literal $function:ident($($required:tt)*) as $name:ident -> $answer:ty { $($options:tt)* }
    )*) => {
        crate::deribit::query::query_types! {$(
            $(#[$doc])*
            $method $function($($required)*) as $name -> $answer { $($options)* }
        )*}
        $(
            impl std::future::IntoFuture for $name {
                type Output = Result<$answer, crate::Error>;
                type IntoFuture = crate::deribit::query::Answer<$answer>;

                fn into_future(self) -> Self::IntoFuture {
                    self.target.call(&self)
                }
            }
        )*
    };
}

/// Declares methods of the venue, and leaves it open what awaiting one does. In brackets what is required, in braces what
/// is optional; `name = "other"` sends it under another name.
macro_rules! query_types {
    ($(
        $(#[$doc:meta])*
        $method:literal $function:ident($($required:ident: $required_type:ident),*) as $name:ident -> $answer:ty {
            $($(#[$option_doc:meta])* $option:ident $(= $key:literal)?: $option_type:ident,)*
        }
    )*) => {$(
        #[doc = concat!("`", $method, "`: see [`", stringify!($function), "`](crate::deribit::Deribit::", stringify!($function), ").")]
        #[derive(Clone, Debug, serde::Serialize)]
        #[must_use = "a query is not made until it is awaited"]
        pub struct $name {
            #[serde(skip)]
            target: crate::deribit::query::Target,
            $(pub(crate) $required: $required_type,)*
            $(
                $(#[serde(rename = $key)])?
                #[serde(skip_serializing_if = "Option::is_none")]
                pub(crate) $option: Option<$option_type>,
            )*
        }

        impl crate::deribit::Deribit {
            $(#[$doc])*
            pub fn $function(&self, $($required: crate::deribit::query::query_types!(@argument $required_type)),*) -> $name {
                $name {
                    target: crate::deribit::query::Target::of(self),
                    $($required: $required.into(),)*
                    $($option: None,)*
                }
            }
        }

        impl $name {
            $(
                $(#[$option_doc])*
                pub fn $option(mut self, $option: crate::deribit::query::query_types!(@argument $option_type)) -> Self {
                    self.$option = Some($option.into());
                    self
                }
            )*

            /// How long it may take, waiting included. Default: [`Config::call_timeout`](crate::Config::call_timeout).
            pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
                self.target.timeout = Some(timeout);
                self
            }
        }

        impl crate::deribit::query::Targeted for $name {
            fn target(&self) -> &crate::deribit::query::Target {
                &self.target
            }
        }

        impl crate::deribit::query::Query for $name {
            const METHOD: &'static str = $method;
            type Answer = $answer;
        }
    )*};
    // Literals have a type of their own only where the argument has.
    (@argument u64) => { u64 };
    (@argument f64) => { f64 };
    (@argument bool) => { bool };
    (@argument $other:ident) => { impl Into<$other> };
}

pub(crate) use {queries, query_types};
