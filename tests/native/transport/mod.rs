//! The native transport alone, against scripted servers.

mod frames;
mod handshake;
mod support;
mod tls;
