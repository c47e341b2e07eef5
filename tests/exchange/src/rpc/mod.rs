//! The venue's JSON-RPC: envelope, parameters, errors, methods. `methods` finds the module of a call; what the
//! exchange knows of a client is kept in [`session`].

mod auth;
mod data;
pub(crate) mod envelope;
pub(crate) mod error;
pub(crate) mod identity;
mod local;
mod methods;
mod params;
pub(crate) mod session;
mod subscriptions;
