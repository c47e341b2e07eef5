//! What a connection trusts and how it identifies itself.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsConnector, rustls};

use crate::error::{ConfigError, ConnectError, Phase, TlsFailure};

/// Over HTTP/2 there is no `Upgrade`; a server that is offered it may choose it.
const ALPN: &[u8] = b"http/1.1";

/// TLS options: which certificates are trusted, and the client's own.
///
/// The server's certificate is always verified, against the operating system's trust store and what is added here.
/// The cargo feature `webpki-roots` adds Mozilla's roots as well, never instead: a certificate is good when the
/// system, those roots or an extra CA vouches for it, so that a machine without a store works and every other one
/// still honours its administrator's additions. To trust less than the system does, pass a whole
/// [`from_rustls`](Self::from_rustls) configuration.
///
/// Cryptography comes from ring, not from a process-wide default.
#[derive(Clone)]
pub struct Tls(Source);

#[derive(Clone)]
enum Source {
    Built { ca: Vec<CertificateDer<'static>>, identity: Option<Arc<CertifiedKey>> },
    Given(Arc<ClientConfig>),
}

impl Default for Tls {
    fn default() -> Self {
        Self(Source::Built { ca: Vec::new(), identity: None })
    }
}

impl Tls {
    /// The system's trust store, no client certificate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses a rustls configuration as it is, except that ALPN offers `http/1.1` alone.
    pub fn from_rustls(config: Arc<ClientConfig>) -> Self {
        let mut config = Arc::unwrap_or_clone(config);
        config.alpn_protocols = vec![ALPN.to_vec()];
        Self(Source::Given(Arc::new(config)))
    }

    /// Trusts more certificate authorities: every certificate of a PEM text, or one in DER.
    ///
    /// # Errors
    /// A [`ConfigError`] on field `tls.ca` when there is no certificate in it, one that cannot be parsed, or after
    /// [`from_rustls`](Self::from_rustls).
    pub fn ca(mut self, certificates: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        const FIELD: &str = "tls.ca";
        let Source::Built { ca, .. } = &mut self.0 else { return Err(given(FIELD)) };
        let bytes = certificates.as_ref();
        let is_pem = bytes.windows(PEM_MARK.len()).any(|window| window == PEM_MARK);
        let added = match is_pem {
            true => parse_chain(FIELD, bytes)?,
            false => vec![CertificateDer::from(bytes.to_vec())],
        };
        for certificate in added {
            // Refused here, where the caller can see which text is wrong, rather than at the first connection.
            RootCertStore::empty()
                .add(certificate.clone())
                .map_err(|error| ConfigError::new(FIELD, format!("is not a CA certificate: {error}")))?;
            ca.push(certificate);
        }
        Ok(self)
    }

    /// Identifies the client by a certificate: the chain in PEM, its own certificate first, and the private key in
    /// PEM (PKCS #8, PKCS #1 or SEC 1, not encrypted).
    ///
    /// # Errors
    /// A [`ConfigError`] on field `tls.client_cert` or `tls.client_key` for what is missing or cannot be parsed, for
    /// a key that does not belong to the certificate, or after [`from_rustls`](Self::from_rustls).
    pub fn client_cert(
        mut self,
        chain: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<Self, ConfigError> {
        const CERT: &str = "tls.client_cert";
        const KEY: &str = "tls.client_key";
        let Source::Built { identity, .. } = &mut self.0 else { return Err(given(CERT)) };
        let chain = parse_chain(CERT, chain.as_ref())?;
        // The parser's own message may quote the text, which here is a private key.
        let key = PrivateKeyDer::from_pem_slice(key.as_ref())
            .map_err(|_| ConfigError::new(KEY, "holds no unencrypted private key in PEM"))?;
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            rustls::Error::InvalidCertificate(_) => ConfigError::new(CERT, error.to_string()),
            rustls::Error::InconsistentKeys(_) => ConfigError::new(KEY, "does not belong to the certificate"),
            _ => ConfigError::new(KEY, "is of no supported kind"),
        })?;
        *identity = Some(Arc::new(certified));
        Ok(self)
    }

    fn build(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        let (ca, identity) = match &self.0 {
            Source::Built { ca, identity } => (ca, identity),
            Source::Given(config) => return Ok(config.clone()),
        };
        let provider = Arc::new(provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            // rustls calls every verifier but its own dangerous; the platform's verifies.
            .dangerous()
            .with_custom_certificate_verifier(verifier(ca, provider)?);
        let mut config = match identity {
            Some(key) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(key)))),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Arc::new(config))
    }
}

/// Shows how much is configured, never the private key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Built { ca, identity } => f
                .debug_struct("Tls")
                .field("ca", &ca.len())
                .field("client_cert", &identity.is_some())
                .finish(),
            Source::Given(_) => f.write_str("Tls(rustls)"),
        }
    }
}

const PEM_MARK: &[u8] = b"-----BEGIN ";

fn given(field: &'static str) -> ConfigError {
    ConfigError::new(field, "belongs into the rustls configuration that was given")
}

fn parse_chain(field: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| ConfigError::new(field, "is not valid PEM"))?;
    if chain.is_empty() {
        return Err(ConfigError::new(field, "holds no certificate"));
    }
    Ok(chain)
}

fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

fn verifier(
    ca: &[CertificateDer<'static>],
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let roots = ca.iter().cloned();
    #[cfg(feature = "webpki-roots")]
    let roots = roots.chain(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    Ok(Arc::new(Verifier::new_with_extra_roots(roots, provider)?))
}

/// TLS connections of one [`Native`](super::Native). All share one configuration, made at the first: reading the
/// system's store takes some milliseconds, and with it a reconnection resumes its session.
pub(super) struct Connector {
    tls: Tls,
    config: OnceLock<Result<Arc<ClientConfig>, ConfigError>>,
}

impl Connector {
    pub(super) fn new(tls: Tls) -> Self {
        Self { tls, config: OnceLock::new() }
    }

    pub(super) fn tls(&self) -> &Tls {
        &self.tls
    }

    /// Makes the handshake.
    pub(super) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, ConnectError> {
        let config = self.config.get_or_init(|| self.tls.build().map_err(unusable)).clone()?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| ConfigError::new("url", "has a host that no certificate can name"))?;
        TlsConnector::from(config).connect(name, stream).await.map_err(|error| io_failure(&error, Phase::Tls))
    }
}

fn unusable(error: rustls::Error) -> ConfigError {
    ConfigError::new("tls", format!("no server can be verified: {error}"))
}

/// What an I/O error in a phase means. TLS 1.3 servers judge the client's certificate only after the handshake, so a
/// TLS error may come in a later phase too.
pub(super) fn io_failure(error: &io::Error, phase: Phase) -> ConnectError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => ConnectError::Tls { kind: kind(error), problem: error.to_string() },
        None => ConnectError::Io { phase, problem: error.to_string() },
    }
}

fn kind(error: &rustls::Error) -> TlsFailure {
    use CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(problem) => match problem {
            Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                TlsFailure::Expired
            }
            Bad::UnknownIssuer => TlsFailure::UnknownIssuer,
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => TlsFailure::WrongHost,
            Bad::Revoked => TlsFailure::Revoked,
            _ => TlsFailure::Certificate,
        },
        rustls::Error::NoCertificatesPresented => TlsFailure::Certificate,
        _ => TlsFailure::Handshake,
    }
}

#[cfg(all(test, feature = "webpki-roots"))]
mod tests {
    use super::*;

    #[test]
    fn mozillas_roots_are_usable() {
        let mut store = RootCertStore::empty();
        let certificates = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
        let (added, ignored) = store.add_parsable_certificates(certificates.iter().cloned());
        assert_eq!((added, ignored), (certificates.len(), 0));
        assert!(Tls::new().build().is_ok());
    }
}
