//! JSON-RPC 2.0.
/// Any JSON-RPC 2.0 server.
#[derive(Clone, Debug, Default)]
pub struct JsonRpc;
