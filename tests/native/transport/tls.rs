//! TLS: whom the client trusts, what it offers, and how it identifies itself.

use std::sync::Arc;

use rcgen::PublicKeyData;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use steadysocket::Config;
use steadysocket::error::{ConnectError, Phase, TlsFailure, Verdict};
use steadysocket::platform::native::rustls::crypto::ring::default_provider;
use steadysocket::platform::native::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use steadysocket::platform::native::rustls::server::WebPkiClientVerifier;
use steadysocket::platform::native::rustls::{
    ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, ServerConfig, version,
};
use steadysocket::platform::native::{Native, NativeSocket, Tls, TlsVersion};
use steadysocket::transport::Platform;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::support::*;

pub struct Ca(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub struct Identity {
    cert: rcgen::Certificate,
    key: KeyPair,
}

impl Ca {
    pub fn new() -> Self {
        Self::named("test CA")
    }

    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn issue(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Identity { cert: params.signed_by(&key, &self.0).unwrap(), key }
    }

    pub fn trusted(&self) -> Tls {
        Tls::new().ca(self.0.pem()).unwrap()
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }
}

impl Identity {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.cert.der().clone()]
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).unwrap()
    }

    /// A server that offers HTTP/2 first, as shared front ends do.
    pub fn server(&self) -> ServerConfig {
        let mut config = ServerConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain(), self.key())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config
    }
}

/// One connection to a TLS server on loopback, by this host name.
async fn exchange(
    native: &Native,
    server: ServerConfig,
    host: &str,
) -> (Result<NativeSocket, ConnectError>, std::io::Result<TlsStream<TcpStream>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let attempt = attempt(Config::new(format!("wss://{host}:{port}")).unwrap());
    let serve = async {
        let stream = accept(&listener).await;
        let mut stream = TlsAcceptor::from(Arc::new(server)).accept(stream).await?;
        let request = read_request(&mut stream).await;
        write(&mut stream, [accepted(&request, "").into_bytes(), frame(TEXT, b"hello")].concat()).await;
        Ok(stream)
    };
    soon(async { tokio::join!(native.connect(attempt), serve) }).await
}

async fn refused(tls: Tls, server: ServerConfig, host: &str) -> TlsFailure {
    let error = exchange(&Native::with_tls(tls), server, host).await.0.unwrap_err();
    let ConnectError::Tls { kind, .. } = error else { panic!("{error:?}") };
    kind
}

#[tokio::test]
async fn a_server_of_an_extra_ca_is_trusted_by_name_and_by_address() {
    let ca = Ca::new();
    for host in ["localhost", "127.0.0.1"] {
        let native = Native::with_tls(ca.trusted());
        let (socket, stream) = exchange(&native, ca.issue(host, |_| {}).server(), host).await;
        let (mut socket, mut stream) = (socket.unwrap(), stream.unwrap());
        assert_eq!(receive(&mut socket).await.unwrap(), text("hello"));
        send(&mut socket, text("world")).await.unwrap();
        assert_eq!(soon(read_frame(&mut stream)).await, (TEXT, b"world".to_vec()));
    }
}

#[tokio::test]
async fn a_ca_may_be_given_in_der() {
    let ca = Ca::new();
    let tls = Tls::new().ca(ca.0.der()).unwrap();
    exchange(&Native::with_tls(tls), ca.issue("localhost", |_| {}).server(), "localhost").await.0.unwrap();
}

#[tokio::test]
async fn http2_is_not_offered_whoever_made_the_configuration() {
    let ca = Ca::new();
    let mut own = ClientConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(ca.roots())
        .with_no_client_auth();
    own.alpn_protocols = vec![b"h2".to_vec()];
    for tls in [ca.trusted(), Tls::from_rustls(Arc::new(own))] {
        let server = ca.issue("localhost", |_| {}).server();
        let stream = exchange(&Native::with_tls(tls), server, "localhost").await.1.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
}

#[tokio::test]
async fn bad_certificates_are_told_apart() {
    let ca = Ca::new();
    let good = || ca.issue("localhost", |_| {}).server();
    assert_eq!(
        refused(Ca::named("another CA").trusted(), good(), "localhost").await,
        TlsFailure::UnknownIssuer
    );
    assert_eq!(refused(ca.trusted(), good(), "127.0.0.1").await, TlsFailure::WrongHost);
    let expired = ca.issue("localhost", |params| {
        (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1));
    });
    assert_eq!(refused(ca.trusted(), expired.server(), "localhost").await, TlsFailure::Expired);
    // Whether it calls itself an authority, as `openssl req -x509` has it, or not.
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        for tls in [ca.trusted(), Tls::new().only_ca(ca.0.pem()).unwrap()] {
            assert_eq!(refused(tls, self_signed(is_ca).server(), "localhost").await, TlsFailure::SelfSigned);
        }
    }
    let future = ca.issue("localhost", |params| params.not_before = date_time_ymd(4000, 1, 1));
    assert_eq!(refused(ca.trusted(), future.server(), "localhost").await, TlsFailure::Expired);
}

fn self_signed(is_ca: IsCa) -> Identity {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.is_ca = is_ca;
    let key = KeyPair::generate().unwrap();
    Identity { cert: params.self_signed(&key).unwrap(), key }
}

#[tokio::test]
async fn a_self_signed_certificate_that_is_trusted_itself_is_good() {
    let identity = self_signed(IsCa::NoCa);
    let tls = Tls::new().only_ca(identity.cert.pem()).unwrap();
    exchange(&Native::with_tls(tls), identity.server(), "localhost").await.0.unwrap();
}

#[tokio::test]
async fn pinned_roots_are_the_only_ones() {
    let (ca, other) = (Ca::new(), Ca::named("another CA"));
    let only = |ca: &Ca| Tls::new().only_ca(ca.0.pem()).unwrap();
    let server = || ca.issue("localhost", |_| {}).server();
    exchange(&Native::with_tls(only(&ca)), server(), "localhost").await.0.unwrap();
    assert_eq!(refused(only(&other), server(), "localhost").await, TlsFailure::UnknownIssuer);
    assert_eq!(refused(only(&ca), server(), "127.0.0.1").await, TlsFailure::WrongHost);
    let both = only(&other).ca(ca.0.pem()).unwrap();
    exchange(&Native::with_tls(both), server(), "localhost").await.0.unwrap();
}

#[tokio::test]
async fn only_pinned_keys_pass_and_only_with_a_valid_certificate() {
    let ca = Ca::new();
    let identity = ca.issue("localhost", |_| {});
    let pin = |identity: &Identity| {
        let digest = ring::digest::digest(&ring::digest::SHA256, &identity.key.subject_public_key_info());
        data_encoding::BASE64.encode(digest.as_ref())
    };
    let (right, wrong) = (pin(&identity), pin(&ca.issue("localhost", |_| {})));
    for text in [right.clone(), format!("sha256/{right}"), format!("sha256//{right}")] {
        let tls = ca.trusted().pin(&wrong).unwrap().pin(text).unwrap();
        exchange(&Native::with_tls(tls), identity.server(), "localhost").await.0.unwrap();
    }
    let tls = ca.trusted().pin(&wrong).unwrap();
    assert_eq!(refused(tls, identity.server(), "localhost").await, TlsFailure::NotPinned);
    let tls = Ca::named("another CA").trusted().pin(&right).unwrap();
    assert_eq!(refused(tls, identity.server(), "localhost").await, TlsFailure::UnknownIssuer);
}

#[tokio::test]
async fn another_server_name_is_asked_for_and_verified() {
    let ca = Ca::new();
    let server = || ca.issue("internal.example", |_| {}).server();
    let tls = ca.trusted().server_name("internal.example").unwrap();
    let (socket, stream) = exchange(&Native::with_tls(tls), server(), "127.0.0.1").await;
    socket.unwrap();
    assert_eq!(stream.unwrap().get_ref().1.server_name(), Some("internal.example"));
    let tls = ca.trusted().server_name("other.example").unwrap();
    assert_eq!(refused(tls, server(), "127.0.0.1").await, TlsFailure::WrongHost);
}

#[tokio::test]
async fn an_old_version_is_not_spoken() {
    let ca = Ca::new();
    let identity = ca.issue("localhost", |_| {});
    let old = || {
        ServerConfig::builder_with_provider(default_provider().into())
            .with_protocol_versions(&[&version::TLS12])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(identity.chain(), identity.key())
            .unwrap()
    };
    exchange(&Native::with_tls(ca.trusted()), old(), "localhost").await.0.unwrap();
    let tls = ca.trusted().min_version(TlsVersion::Tls13).unwrap();
    assert_eq!(refused(tls.clone(), old(), "localhost").await, TlsFailure::Handshake);
    let (socket, stream) = exchange(&Native::with_tls(tls), identity.server(), "localhost").await;
    socket.unwrap();
    assert_eq!(stream.unwrap().get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_3));
}

#[tokio::test]
async fn a_server_without_tls_fails_the_handshake() {
    // With a CA of its own, so that the test runs on a machine without a store too.
    let native = Native::with_tls(Ca::new().trusted());
    let (listener, _) = listen().await;
    let port = listener.local_addr().unwrap().port();
    let attempt = attempt(Config::new(format!("wss://127.0.0.1:{port}")).unwrap());
    let serve = async {
        let mut stream = accept(&listener).await;
        write(&mut stream, "HTTP/1.1 400 Bad Request\r\n\r\n").await;
        stream
    };
    let (outcome, _stream) = soon(async { tokio::join!(native.connect(attempt), serve) }).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, ConnectError::Tls { kind: TlsFailure::Handshake, .. }), "{error:?}");
    assert_eq!(error.verdict(), Verdict::Retry(None));
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_in_the_handshake() {
    let native = Native::with_tls(Ca::new().trusted());
    let (listener, _) = listen().await;
    let port = listener.local_addr().unwrap().port();
    let attempt = attempt(Config::new(format!("wss://127.0.0.1:{port}")).unwrap());
    let progress = attempt.progress.clone();
    let hello = async {
        let mut stream = accept(&listener).await;
        stream.read_u8().await.unwrap();
    };
    tokio::select! {
        _ = native.connect(attempt) => panic!("nothing answered"),
        () = soon(hello) => {}
    }
    assert_eq!(progress.phase(), Phase::Tls);
}

#[tokio::test]
async fn a_reconnection_resumes_the_session() {
    let ca = Ca::new();
    let server = ca.issue("localhost", |_| {}).server();
    let native = Native::with_tls(ca.trusted());
    for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
        // A clone shares the session; the first frame comes behind the ticket.
        let (socket, stream) = exchange(&native.clone(), server.clone(), "localhost").await;
        assert_eq!(receive(&mut socket.unwrap()).await.unwrap(), text("hello"));
        assert_eq!(stream.unwrap().get_ref().1.handshake_kind(), Some(expected));
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_when_asked_for() {
    let ca = Ca::new();
    let verifier = WebPkiClientVerifier::builder_with_provider(ca.roots().into(), default_provider().into())
        .build()
        .unwrap();
    let identity = ca.issue("localhost", |_| {});
    let server = ServerConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain(), identity.key())
        .unwrap();
    let client = ca.issue("client", |_| {});
    let tls = ca.trusted().client_cert(client.cert.pem(), client.key.serialize_pem()).unwrap();
    exchange(&Native::with_tls(tls), server.clone(), "localhost").await.0.unwrap();
    // Without one, TLS 1.3 says so after the client took the handshake for done.
    let error = exchange(&Native::with_tls(ca.trusted()), server, "localhost").await.0.unwrap_err();
    assert!(matches!(error, ConnectError::Tls { kind: TlsFailure::Handshake, .. }), "{error:?}");
}

#[test]
fn bad_options_name_the_field() {
    let ca = Ca::new();
    let client = ca.issue("client", |_| {});
    let (cert, key) = (client.cert.pem(), client.key.serialize_pem());
    let other = KeyPair::generate().unwrap().serialize_pem();
    let broken = cert.replace("MII", "!!!");
    let given = || {
        let provider = default_provider().into();
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        Tls::from_rustls(builder.unwrap().with_root_certificates(ca.roots()).with_no_client_auth().into())
    };
    let cases = [
        (Tls::new().ca(""), "tls.ca"),
        (Tls::new().ca("not a certificate"), "tls.ca"),
        (Tls::new().ca(&broken), "tls.ca"),
        (Tls::new().ca(&key), "tls.ca"),
        (Tls::new().ca("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "tls.ca"),
        (Tls::new().client_cert("", &key), "tls.client_cert"),
        (Tls::new().client_cert(&broken, &key), "tls.client_cert"),
        (Tls::new().client_cert(&cert, ""), "tls.client_key"),
        (Tls::new().client_cert(&cert, &cert), "tls.client_key"),
        (Tls::new().client_cert(&cert, &other), "tls.client_key"),
        (Tls::new().only_ca(""), "tls.ca"),
        (Tls::new().pin("sha256/AAAA"), "tls.pin"),
        (Tls::new().pin("?"), "tls.pin"),
        (Tls::new().server_name("a b"), "tls.server_name"),
        (Tls::new().server_name(""), "tls.server_name"),
        (given().only_ca(&cert), "tls.ca"),
        (given().pin(format!("{}=", "A".repeat(43))), "tls.pin"),
        (given().min_version(TlsVersion::Tls13), "tls.min_version"),
        (given().ca(&cert), "tls.ca"),
        (given().client_cert(&cert, &key), "tls.client_cert"),
    ];
    for (index, (outcome, field)) in cases.into_iter().enumerate() {
        let error = outcome.expect_err(field);
        assert_eq!(error.field, field, "{index}: {error}");
    }
}

#[test]
fn the_private_key_is_not_printed() {
    let client = Ca::new().issue("client", |_| {});
    let key = client.key.serialize_pem();
    let tls = Tls::new().client_cert(client.cert.pem(), &key).unwrap();
    let native = Native::with_tls(tls.clone());
    assert!(format!("{tls:?}").contains("client_cert: true"), "{tls:?}");
    assert!(!format!("{tls:?}").contains("PRIVATE"), "{tls:?}");
    assert!(format!("{native:?}").contains("client_cert: true"), "{native:?}");
    // A key that cannot be used is not quoted either.
    let secret = key.lines().nth(1).unwrap();
    let error = Tls::new().client_cert(client.cert.pem(), key.replace("-----END", "END")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
}
