//! Signed logins: HMAC-SHA256 over `timestamp \n nonce \n data`, good for a minute and for one use.

use std::collections::BTreeMap;

use ring::hmac;

/// How far the timestamp may be from the exchange's clock.
pub(crate) const WINDOW_MS: i64 = 60_000;

/// Whether `signature` (lowercase hex) is the one that `secret` makes.
pub(crate) fn verifies(secret: &str, timestamp: i64, nonce: &str, data: &str, signature: &str) -> bool {
    let Some(tag) = unhex(signature) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, format!("{timestamp}\n{nonce}\n{data}").as_bytes(), &tag).is_ok()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// The nonces of each key that would still be in time.
#[derive(Debug, Default)]
pub(crate) struct Nonces(BTreeMap<(String, String), i64>);

impl Nonces {
    /// Takes a nonce; false when it was used before.
    pub(crate) fn take(&mut self, key: &str, nonce: &str, timestamp: i64, now_ms: i64) -> bool {
        self.0.retain(|_, used| *used + 2 * WINDOW_MS > now_ms);
        self.0.insert((key.to_owned(), nonce.to_owned()), timestamp).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_signature_verifies() {
        let signed = "56590594f97921b09b18f166befe0d1319b198bbcdad7ca73382de2f88fe9aa1";
        let verifies =
            |data, signature| verifies("AMANDASECRECT", 1_576_074_319_000, "1iqt2wls", data, signature);
        assert!(verifies("", signed));
        assert!(!verifies("abc", signed));
        assert!(verifies("abc", "54afbfd5b1feebfee5db74c863b390b01eaac56b95daf2fc02ad3a48b39a4ab9"));
        let loud = signed.to_uppercase();
        assert!(!verifies("", &loud));
        assert!(!verifies("", ""));
        assert!(!verifies("", "zz"));
    }

    #[test]
    fn a_nonce_is_good_once_for_each_key() {
        let mut nonces = Nonces::default();
        assert!(nonces.take("a", "1", 0, 0));
        assert!(!nonces.take("a", "1", 5, 5));
        assert!(nonces.take("b", "1", 5, 5));
        assert!(nonces.take("a", "1", 200_000, 200_000), "what is out of time is forgotten");
    }
}
