//! JSON-RPC 2.0.
pub(crate) fn response(id: &str, r: Result<&str, &crate::error::RpcError>) -> String {
    let _ = (id, r);
    String::new()
}
