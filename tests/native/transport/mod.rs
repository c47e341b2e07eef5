//! The native transport alone, against scripted servers.

mod frames;
mod handshake;
mod proxy;
mod support;
mod tls;
