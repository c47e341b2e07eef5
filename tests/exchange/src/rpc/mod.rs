//! The venue's JSON-RPC: envelope, parameters, errors, methods. `methods` finds the module of a call; what the
//! exchange knows of a client is kept in [`session`].

mod account;
mod auth;
mod data;
mod disconnect;
pub(crate) mod envelope;
mod history;
pub(crate) mod identity;
mod local;
mod methods;
mod orders;
mod page;
mod private;
mod reference;
pub(crate) mod session;
mod subscriptions;
pub(crate) mod trading;
mod user_trades;
