//! UTF-8 that comes in pieces.

/// Checks a text whose pieces may end within a character.
#[derive(Default)]
pub(super) struct Utf8 {
    /// The beginning of a character that is not complete.
    partial: [u8; 4],
    length: usize,
}

impl Utf8 {
    /// Whether the text may still become valid with this piece behind what came before.
    pub(super) fn accepts(&mut self, mut piece: &[u8]) -> bool {
        while self.length > 0
            && let Some((&byte, rest)) = piece.split_first()
        {
            // Four bytes are a character or no beginning of one, so there is always room for the next.
            self.partial[self.length] = byte;
            self.length += 1;
            piece = rest;
            match std::str::from_utf8(&self.partial[..self.length]) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return false,
            }
        }
        match std::str::from_utf8(piece) {
            Ok(_) => true,
            Err(error) if error.error_len().is_none() => {
                let partial = &piece[error.valid_up_to()..];
                self.partial[..partial.len()].copy_from_slice(partial);
                self.length = partial.len();
                true
            }
            Err(_) => false,
        }
    }

    /// Whether the text may end here.
    pub(super) fn is_complete(&self) -> bool {
        self.length == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_valid<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> bool {
        let mut text = Utf8::default();
        pieces.into_iter().all(|piece| text.accepts(piece)) && text.is_complete()
    }

    /// How many bytes are taken one by one.
    fn accepted(bytes: &[u8]) -> usize {
        let mut text = Utf8::default();
        bytes.chunks(1).take_while(|byte| text.accepts(byte)).count()
    }

    #[test]
    fn the_first_byte_that_cannot_be_is_refused() {
        let cases: [(&[u8], usize); 12] = [
            (b"\x80", 0),
            (b"\xc0\x80", 0),
            (b"\xc1\xbf", 0),
            (b"\xf5\x80", 0),
            (b"\xff", 0),
            // Overlong, surrogates, beyond U+10FFFF: the second byte already.
            (b"\xe0\x9f\xbf", 1),
            (b"\xed\xa0\x80", 1),
            (b"\xf0\x8f\xbf\xbf", 1),
            (b"\xf4\x90\x80\x80", 1),
            (b"a\xc3x", 2),
            (b"\xf4\x8f\xbfx", 3),
            ("\u{10ffff}\u{d7ff}\u{e000}".as_bytes(), 10),
        ];
        for (bytes, expected) in cases {
            assert_eq!(accepted(bytes), expected, "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_judged_as_the_whole(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..12),
                ".{0,8}".prop_map(String::into_bytes),
                (".{0,4}", any::<u8>(), ".{0,4}")
                    .prop_map(|(head, byte, tail)| [head.as_bytes(), &[byte], tail.as_bytes()].concat()),
            ],
            cuts in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        ) {
            let expected = std::str::from_utf8(&bytes).is_ok();
            let cut = |index: prop::sample::Index| index.index(bytes.len() + 1);
            let (low, high) = (cut(cuts.0).min(cut(cuts.1)), cut(cuts.0).max(cut(cuts.1)));
            assert_eq!(is_valid([&bytes[..low], &bytes[low..high], &bytes[high..]]), expected);
            assert_eq!(is_valid(bytes.chunks(1)), expected);
        }
    }
}
