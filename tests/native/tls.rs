//! The exchange over TLS, with a certificate that nobody knows.

use steadysocket::error::{ConnectError, Disconnect, Ended, TlsFailure};
use steadysocket::{Client, Native, Tls};
use steadysocket_exchange::{Exchange, Fault, Journal, Target};

use crate::support::*;

async fn trusting(exchange: &Exchange) -> Client {
    let tls = Tls::new().ca(exchange.ca_pem().unwrap()).unwrap();
    let client = steadysocket::connect_with(config(exchange.url()), deribit(), Native::with_tls(tls));
    soon(client).await.unwrap()
}

#[tokio::test]
async fn with_its_authority_it_works_and_comes_back() {
    let exchange = exchange().tls(true).start().await.unwrap();
    let client = trusting(&exchange).await;
    let mut book: Raw = subscribe(&client, BOOK).await.unwrap();
    for fault in [Fault::Reset, Fault::Drop, Fault::Close { code: 1012, reason: String::new() }] {
        only_data(&mut book).await;
        exchange.fault(Target::All, fault);
        interrupted(&mut book).await;
        resumed(&mut book).await;
    }
    soon(client.close()).await;
    soon(exchange.wait_until(|journal| journal.open() == 0)).await;
    assert_eq!(exchange.look(Journal::opened), 4);
}

#[tokio::test]
async fn a_stranger_is_refused_once_and_for_good() {
    let exchange = exchange().tls(true).start().await.unwrap();
    // Another authority, so that something is trusted on every machine.
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "somebody else");
    let other = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem();
    for retry in [false, true] {
        let tls = Tls::new().ca(&other).unwrap();
        let config = config(exchange.url()).retry_initial_connect(retry);
        let outcome = soon(steadysocket::connect_with(config, deribit(), Native::with_tls(tls))).await;
        let ended = ended(outcome);
        let Ended::Refused(Disconnect::Connect(ConnectError::Tls { kind, .. })) = ended else {
            panic!("{ended:?}")
        };
        assert_eq!(kind, TlsFailure::UnknownIssuer);
    }
    assert_eq!(exchange.look(Journal::opened), 0);
}

#[tokio::test]
async fn plain_text_to_a_tls_port_does_not_work_and_does_not_hang() {
    let exchange = exchange().tls(true).start().await.unwrap();
    let url = exchange.url().replace("wss://", "ws://");
    let ended = ended(connect_to(config(&url)).await);
    assert!(matches!(ended, Ended::Refused(Disconnect::Connect(_))), "{ended:?}");
}
