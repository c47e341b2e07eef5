//! The engine without a network.

mod book;
mod depth;
mod market;
mod properties;
mod support;
