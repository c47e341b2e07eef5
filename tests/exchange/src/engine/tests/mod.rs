//! The engine without a network.

mod advanced;
mod book;
mod depth;
mod market;
mod properties;
mod support;
