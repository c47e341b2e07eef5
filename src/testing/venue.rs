//! The far side of the network, as a test sees it.

use super::net::{ConnId, Net};
use crate::error::ConnectError;
use crate::frame::Frame;

/// A server, and whoever stands between it and the client.
///
/// Every method is given the [`Net`], by which the server answers, and by which connections break.
pub trait Venue {
    /// Somebody connects. Accepted unless it says otherwise.
    fn dial(&mut self, net: &mut Net, conn: ConnId) -> Dial {
        let _ = (net, conn);
        Dial::Accept
    }
    /// The connection is open.
    fn opened(&mut self, net: &mut Net, conn: ConnId) {
        let _ = (net, conn);
    }
    /// A frame arrived from the client.
    fn frame(&mut self, net: &mut Net, conn: ConnId, frame: Frame);
    /// The client's side is gone.
    fn gone(&mut self, net: &mut Net, conn: ConnId) {
        let _ = (net, conn);
    }
    /// A time that was asked for by [`Net::alarm`] has come.
    fn tick(&mut self, net: &mut Net, token: u64) {
        let _ = (net, token);
    }
    /// The client gave a frame to its socket. The venue has no part in it; whoever audits the client does.
    fn sent(&mut self, net: &mut Net, conn: ConnId, frame: &Frame) {
        let _ = (net, conn, frame);
    }
    /// The client begins an attempt, in the same way.
    fn dialling(&mut self, net: &mut Net, conn: ConnId) {
        let _ = (net, conn);
    }
}

/// What happens to an attempt to connect.
pub enum Dial {
    /// The connection opens.
    Accept,
    /// It fails at once.
    Fail(ConnectError),
    /// No answer, ever.
    Hang,
}
