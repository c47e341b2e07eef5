//! Signatures for `client_signature` logins, by a secret at hand or by somebody else who has it.

use std::future::{Future, ready};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::platform::{BoxFuture, MaybeSend, MaybeSync};
use crate::secret::Secret;

/// Signs logins, so that the secret can live elsewhere: in another process, a security module, or the browser's
/// `SubtleCrypto`.
///
/// Every function from a text to a future is one:
///
/// ```
/// use steadysocket::deribit::{Options, SignError};
/// # async fn ask_vault(text: String) -> std::io::Result<String> { Ok(text) }
/// let options = Options::testnet().signer("my-key", |text: String| async move {
///     ask_vault(text).await.map_err(|error| SignError::Unavailable(error.to_string()))
/// });
/// ```
pub trait Signer: MaybeSend + MaybeSync {
    /// The HMAC-SHA256 of the text, in lower-case hexadecimal digits, with the key's secret as the key.
    ///
    /// It is asked once for each login, and has as long as a call may take
    /// ([`Config::call_timeout`](crate::Config::call_timeout)). The venue takes a signature within 60 seconds after it
    /// was asked for.
    fn sign(&self, text: String) -> BoxFuture<Result<String, SignError>>;
}

impl<F, T> Signer for F
where
    F: Fn(String) -> T + MaybeSend + MaybeSync,
    T: Future<Output = Result<String, SignError>> + MaybeSend + 'static,
{
    fn sign(&self, text: String) -> BoxFuture<Result<String, SignError>> {
        Box::pin(self(text))
    }
}

/// Why there is no signature. The texts are shown in errors and events, so they must hold no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The signer cannot be reached or failed: the login is tried again on the next connection.
    #[error("the signer is not available: {0}")]
    Unavailable(String),
    /// The signer does not want to sign: the client ends.
    #[error("the signer refused: {0}")]
    Refused(String),
}

/// Signs with a secret that is at hand.
#[derive(Debug)]
pub(super) struct Hold(pub(super) Secret);

impl Signer for Hold {
    fn sign(&self, text: String) -> BoxFuture<Result<String, SignError>> {
        Box::pin(ready(hmac_sha256(self.0.expose(), &text)))
    }
}

/// What a login's signature signs. Both line feeds are always there.
pub(super) fn string_to_sign(timestamp: u64, nonce: &str, data: &str) -> String {
    format!("{timestamp}\n{nonce}\n{data}")
}

fn hmac_sha256(key: &str, text: &str) -> Result<String, SignError> {
    // HMAC takes keys of any length; the error is for other functions.
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
    let mut mac = mac.map_err(|error| SignError::Unavailable(error.to_string()))?;
    mac.update(text.as_bytes());
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    Ok(mac.finalize().into_bytes().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_venues_own_vector() {
        let text = |data| string_to_sign(1_576_074_319_000, "1iqt2wls", data);
        let sign = |data| hmac_sha256("AMANDASECRECT", &text(data)).unwrap();
        assert_eq!(text(""), "1576074319000\n1iqt2wls\n");
        assert_eq!(sign(""), "56590594f97921b09b18f166befe0d1319b198bbcdad7ca73382de2f88fe9aa1");
        // The same with data, reckoned by OpenSSL.
        assert_eq!(sign("abc"), "54afbfd5b1feebfee5db74c863b390b01eaac56b95daf2fc02ad3a48b39a4ab9");
    }

    #[test]
    fn keys_of_any_length() {
        // RFC 4231, test case 2.
        let mac = hmac_sha256("Jefe", "what do ya want for nothing?").unwrap();
        assert_eq!(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        // Longer than a block: reckoned by Python's hmac.
        let text = "Test Using Larger Than Block-Size Key - Hash Key First";
        let mac = hmac_sha256(&"k".repeat(131), text).unwrap();
        assert_eq!(mac, "70e4b005732fa7ff79392aa24fb240159b925dbc9f1398420c0f45e6763dcf14");
    }
}
