//! What a connection trusts and how it identifies itself.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use data_encoding::BASE64;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsConnector, rustls};

use super::stream::Stream;
use super::verify::{Pin, Verifier, explain};
use crate::error::{ConfigError, ConnectError, Phase};

/// Over HTTP/2 there is no `Upgrade`; a server that is offered it may choose it.
const ALPN: &[u8] = b"http/1.1";

static TLS13_ALONE: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// TLS options: which servers are trusted, by what name they are asked for, and the client's own certificate.
///
/// The server's certificate is always verified, against the operating system's trust store and what is added here.
/// The cargo feature `webpki-roots` adds Mozilla's roots as well, never instead: a certificate is good when the
/// system, those roots or an extra CA vouches for it, so that a machine without a store works and every other one
/// still honours its administrator's additions. To trust less than the system does, use [`only_ca`](Self::only_ca) or
/// [`pin`](Self::pin), or pass a whole [`from_rustls`](Self::from_rustls) configuration.
///
/// A reconnection resumes the session of the connection before it: it proves nothing anew and costs one round trip.
///
/// Cryptography comes from ring, not from a process-wide default.
#[derive(Clone, Default)]
pub struct Tls {
    source: Source,
    server_name: Option<ServerName<'static>>,
}

#[derive(Clone)]
enum Source {
    Built(Built),
    Given(Arc<ClientConfig>),
}

impl Default for Source {
    fn default() -> Self {
        Self::Built(Built::default())
    }
}

#[derive(Clone, Default)]
struct Built {
    ca: Vec<CertificateDer<'static>>,
    /// Whether `ca` is all that is trusted.
    only_ca: bool,
    pins: Vec<Pin>,
    min_version: TlsVersion,
    identity: Option<Arc<CertifiedKey>>,
}

/// A version of TLS. Older ones than 1.2 are never spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[default]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl TlsVersion {
    fn and_later(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Tls12 => rustls::DEFAULT_VERSIONS,
            Self::Tls13 => TLS13_ALONE,
        }
    }
}

impl Tls {
    /// The system's trust store, no client certificate, TLS 1.2 or 1.3.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses a rustls configuration as it is, except that ALPN offers `http/1.1` alone.
    pub fn from_rustls(config: Arc<ClientConfig>) -> Self {
        let mut config = Arc::unwrap_or_clone(config);
        config.alpn_protocols = vec![ALPN.to_vec()];
        Self { source: Source::Given(Arc::new(config)), server_name: None }
    }

    /// Trusts more certificate authorities: every certificate of a PEM text, or one in DER.
    ///
    /// # Errors
    /// A [`ConfigError`] on field `tls.ca` when there is no certificate in it, one that cannot be parsed, or after
    /// [`from_rustls`](Self::from_rustls).
    pub fn ca(mut self, certificates: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        const FIELD: &str = "tls.ca";
        let built = self.built(FIELD)?;
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
            built.ca.push(certificate);
        }
        Ok(self)
    }

    /// Trusts these certificate authorities, those of [`ca`](Self::ca), and no others: neither the system's store nor
    /// Mozilla's roots count.
    ///
    /// # Errors
    /// As [`ca`](Self::ca).
    pub fn only_ca(self, certificates: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let mut tls = self.ca(certificates)?;
        tls.built("tls.ca")?.only_ca = true;
        Ok(tls)
    }

    /// Accepts only servers whose own certificate has this public key, besides being valid: the SHA-256 of its
    /// `SubjectPublicKeyInfo` in base64, with or without the prefix `sha256/` or `sha256//` (as curl writes it). Pin
    /// more than one, because a server that changes its key is out of reach until the program is changed too.
    ///
    /// ```sh
    /// openssl x509 -in cert.pem -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
    /// ```
    ///
    /// # Errors
    /// A [`ConfigError`] on field `tls.pin` for anything else than 32 bytes in base64, or after
    /// [`from_rustls`](Self::from_rustls).
    pub fn pin(mut self, sha256: impl AsRef<str>) -> Result<Self, ConfigError> {
        const FIELD: &str = "tls.pin";
        let built = self.built(FIELD)?;
        let text = sha256.as_ref();
        let text =
            text.strip_prefix("sha256/").map(|rest| rest.strip_prefix('/').unwrap_or(rest)).unwrap_or(text);
        let decoded = BASE64.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        built.pins.push(decoded.ok_or_else(|| ConfigError::new(FIELD, "is not 32 bytes in base64"))?);
        Ok(self)
    }

    /// The oldest version of TLS to be spoken. Default: 1.2.
    ///
    /// # Errors
    /// A [`ConfigError`] on field `tls.min_version` after [`from_rustls`](Self::from_rustls).
    pub fn min_version(mut self, version: TlsVersion) -> Result<Self, ConfigError> {
        self.built("tls.min_version")?.min_version = version;
        Ok(self)
    }

    /// Asks for this server by SNI and verifies its certificate against this name, whatever the URL's host is: to
    /// connect to an address, a tunnel or one server of many. The `Host` header stays the URL's. An address may be
    /// given too; none is sent by SNI then.
    ///
    /// # Errors
    /// A [`ConfigError`] on field `tls.server_name` for what is no host name or address.
    pub fn server_name(mut self, name: impl Into<String>) -> Result<Self, ConfigError> {
        let name = ServerName::try_from(name.into())
            .map_err(|_| ConfigError::new("tls.server_name", "is no host name or address"))?;
        self.server_name = Some(name);
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
        let built = self.built(CERT)?;
        let chain = parse_chain(CERT, chain.as_ref())?;
        // The parser's own message may quote the text, which here is a private key.
        let key = PrivateKeyDer::from_pem_slice(key.as_ref())
            .map_err(|_| ConfigError::new(KEY, "holds no unencrypted private key in PEM"))?;
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            rustls::Error::InvalidCertificate(_) => ConfigError::new(CERT, error.to_string()),
            rustls::Error::InconsistentKeys(_) => ConfigError::new(KEY, "does not belong to the certificate"),
            _ => ConfigError::new(KEY, "is of no supported kind"),
        })?;
        built.identity = Some(Arc::new(certified));
        Ok(self)
    }

    fn built(&mut self, field: &'static str) -> Result<&mut Built, ConfigError> {
        match &mut self.source {
            Source::Built(built) => Ok(built),
            Source::Given(_) => {
                Err(ConfigError::new(field, "belongs into the rustls configuration that was given"))
            }
        }
    }

    fn build(&self) -> Result<Arc<ClientConfig>, String> {
        match &self.source {
            Source::Built(built) => built.build(),
            Source::Given(config) => Ok(config.clone()),
        }
    }
}

impl Built {
    fn build(&self) -> Result<Arc<ClientConfig>, String> {
        let provider = Arc::new(provider());
        let verifier = Verifier { inner: self.verifier(provider.clone())?, pins: self.pins.clone() };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(self.min_version.and_later())
            .map_err(|error| error.to_string())?
            // rustls calls every verifier but its own dangerous; this one verifies.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &self.identity {
            Some(key) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(key)))),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Arc::new(config))
    }

    fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
        let ca = self.ca.iter().cloned();
        if self.only_ca {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(ca);
            let builder = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
            return Ok(builder.build().map_err(|error| error.to_string())?);
        }
        #[cfg(feature = "webpki-roots")]
        let ca = ca.chain(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(ca, provider);
        Ok(Arc::new(verifier.map_err(|error| error.to_string())?))
    }
}

/// Shows how much is configured, never the private key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Tls");
        match &self.source {
            Source::Built(built) => debug
                .field("ca", &built.ca.len())
                .field("only_ca", &built.only_ca)
                .field("pins", &built.pins.len())
                .field("min_version", &built.min_version)
                .field("client_cert", &built.identity.is_some()),
            Source::Given(_) => debug.field("rustls", &true),
        };
        debug.field("server_name", &self.server_name).finish()
    }
}

const PEM_MARK: &[u8] = b"-----BEGIN ";

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

    /// Makes the handshake with the server that is called `host`, unless another name was given.
    pub(super) async fn connect(
        &self,
        host: &str,
        stream: Box<dyn Stream>,
    ) -> Result<TlsStream<Box<dyn Stream>>, ConnectError> {
        let config = self.config.get_or_init(|| self.tls.build().map_err(unusable)).clone()?;
        let name = match &self.tls.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.to_owned())
                .map_err(|_| ConfigError::new("url", "has a host that no certificate can name"))?,
        };
        TlsConnector::from(config).connect(name, stream).await.map_err(|error| io_failure(&error, Phase::Tls))
    }
}

fn unusable(error: String) -> ConfigError {
    ConfigError::new("tls", format!("no server can be verified: {error}"))
}

/// What an I/O error in a phase means. TLS 1.3 servers judge the client's certificate only after the handshake, so a
/// TLS error may come in a later phase too.
pub(super) fn io_failure(error: &io::Error, phase: Phase) -> ConnectError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => {
            let (kind, problem) = explain(error);
            ConnectError::Tls { kind, problem }
        }
        None => ConnectError::Io { phase, problem: error.to_string() },
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
