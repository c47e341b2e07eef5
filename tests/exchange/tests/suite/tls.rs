//! TLS with the exchange's own authority.

use std::sync::Arc;

use serde_json::json;
use steadysocket_exchange::Exchange;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::{Client, End, orderly};

async fn handshake(
    exchange: &Exchange,
    name: &str,
    roots: RootCertStore,
    alpn: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let tcp = TcpStream::connect(exchange.address()).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

fn roots(exchange: &Exchange) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(exchange.ca_pem().unwrap().as_bytes()).unwrap()).unwrap();
    roots
}

#[tokio::test]
async fn those_who_trust_the_authority_come_in() {
    let exchange = orderly().tls(true).start().await.unwrap();
    assert!(exchange.url().starts_with("wss://localhost:"));
    for (name, alpn) in [("localhost", &[][..]), ("127.0.0.1", &["http/1.1"][..])] {
        let stream = handshake(&exchange, name, roots(&exchange), alpn).await.unwrap();
        let mut client = Client::upgrade(exchange.url(), Box::new(stream)).await.unwrap();
        client.result("public/test", json!({})).await;
        exchange.command("drop").unwrap();
        assert_eq!(client.end().await, End::Abrupt);
    }
}

#[tokio::test]
async fn others_do_not() {
    let exchange = orderly().tls(true).start().await.unwrap();
    assert!(handshake(&exchange, "localhost", RootCertStore::empty(), &[]).await.is_err());
    assert!(handshake(&exchange, "example.com", roots(&exchange), &[]).await.is_err());
    assert!(handshake(&exchange, "localhost", roots(&exchange), &["h2"]).await.is_err());
}
