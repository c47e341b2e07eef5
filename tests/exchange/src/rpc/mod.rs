//! The venue's JSON-RPC: envelope, parameters, errors, methods. Authentication and orders would be modules beside
//! `data` and `subscriptions`, reached from `methods`, with what they know of a client kept in [`session`].

mod data;
pub(crate) mod envelope;
mod error;
mod local;
mod methods;
mod params;
pub(crate) mod session;
mod subscriptions;
