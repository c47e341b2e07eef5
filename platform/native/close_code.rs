//! What the peer's close frame really said.

use crate::frame::CloseCode;

/// Follows the headers of received frames and notes the status code of the first close frame that has one.
///
/// tungstenite gives a close frame whose code it refuses as one with code 1002 and a text of its own. That looks like
/// a peer that complains about us, and it happens to 1014 too, which IANA has registered.
#[derive(Default)]
pub(super) struct CloseWatch {
    /// The header that is being read; of a close frame also the code, which follows it.
    header: [u8; 10],
    have: usize,
    /// How much of the payload is still to come.
    skip: u64,
    code: Option<CloseCode>,
}

impl CloseWatch {
    /// Looks at the next received bytes. What a broken frame makes of them does not matter: it ends the connection.
    pub(super) fn handle_bytes(&mut self, mut bytes: &[u8]) {
        while self.code.is_none()
            && let Some((&byte, rest)) = bytes.split_first()
        {
            if self.skip > 0 {
                let skipped = bytes.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
                self.skip -= skipped as u64;
                bytes = &bytes[skipped..];
            } else {
                self.handle_header_byte(byte);
                bytes = rest;
            }
        }
    }

    /// The code of the first close frame that has one.
    pub(super) fn code(&self) -> Option<CloseCode> {
        self.code
    }

    fn handle_header_byte(&mut self, byte: u8) {
        self.header[self.have] = byte;
        self.have += 1;
        let [first, second, high, low, ..] = self.header;
        let is_close = first & 0x0f == 8;
        match (self.have, second & 0x7f) {
            (0..2, _) => {}
            (have, 2..126) if is_close => {
                if have == 4 {
                    self.code = Some(CloseCode(u16::from_be_bytes([high, low])));
                }
            }
            (4, 126) => self.expect_payload(u16::from_be_bytes([high, low]).into()),
            (10, 127) => {
                let [_, _, length @ ..] = self.header;
                self.expect_payload(u64::from_be_bytes(length));
            }
            (_, 126 | 127) => {}
            (_, length) => self.expect_payload(length.into()),
        }
    }

    fn expect_payload(&mut self, length: u64) {
        self.skip = length;
        self.have = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(bytes: &[u8]) -> Option<CloseCode> {
        let mut whole = CloseWatch::default();
        whole.handle_bytes(bytes);
        let mut trickled = CloseWatch::default();
        bytes.chunks(1).for_each(|byte| trickled.handle_bytes(byte));
        assert_eq!(whole.code(), trickled.code());
        whole.code()
    }

    #[test]
    fn the_first_code_behind_frames_of_every_length() {
        let close = [0x88, 4, 3, 0xf6, b'g', b'w'];
        let mut medium = vec![0x82, 126, 1, 0];
        medium.extend([0x88; 256]);
        let mut large = vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0];
        large.extend([0x88; 65536]);
        for before in [&[][..], &[0x81, 0], &[0x8a, 2, 0x88, 2], &medium, &large, &[0x88, 0]] {
            let bytes = [before, &close[..], &[0x88, 2, 3, 0xe8]].concat();
            assert_eq!(code(&bytes), Some(CloseCode(1014)), "{:?}", &before[..before.len().min(10)]);
        }
    }

    #[test]
    fn no_code_where_there_is_none() {
        for bytes in [&[][..], &[0x88], &[0x88, 2, 3], &[0x88, 0], &[0x81, 4, 0x88, 2, 3, 0xe8]] {
            assert_eq!(code(bytes), None, "{bytes:?}");
        }
        // The largest length there is, and lengths that no close frame may have.
        assert_eq!(code(&[0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255, 0x88, 2, 3, 0xe8]), None);
        assert_eq!(code(&[0x88, 126, 0, 2, 3, 0xe8]), None);
    }
}
