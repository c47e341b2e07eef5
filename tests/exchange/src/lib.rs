//! A local exchange that speaks Deribit's JSON-RPC over WebSocket.
