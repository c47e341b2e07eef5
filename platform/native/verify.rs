//! What a server's certificate must be besides valid, and what is wrong with one that is not.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, SignatureScheme};
use sha2::{Digest, Sha256};
use tokio_rustls::rustls;

use crate::error::TlsFailure;

/// The SHA-256 of a public key, its `SubjectPublicKeyInfo` in DER (RFC 7469 section 2.4).
pub(super) type Pin = [u8; 32];

/// A verifier whose refusals tell a self-signed certificate, and which lets only pinned keys pass, if there are any.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) inner: Arc<dyn ServerCertVerifier>,
    pub(super) pins: Vec<Pin>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let outcome =
            self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let fields = Fields::of(end_entity);
        match outcome {
            Ok(_) if !self.pins.is_empty() && !fields.is_some_and(|fields| self.has_pinned(&fields)) => {
                Err(Fault::NotPinned.into())
            }
            // Both are what self-signed certificates fail by, depending on whether they call themselves a CA.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::Other(_),
            )) if fields.is_some_and(|fields| fields.issuer == fields.subject) => {
                Err(Fault::SelfSigned.into())
            }
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.inner.root_hint_subjects()
    }
}

impl Verifier {
    fn has_pinned(&self, fields: &Fields<'_>) -> bool {
        self.pins.contains(&Sha256::digest(fields.public_key).into())
    }
}

/// What rustls has no word for.
#[derive(Clone, Copy, Debug)]
enum Fault {
    SelfSigned,
    NotPinned,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SelfSigned => "the certificate is self-signed, and no trusted root",
            Self::NotPinned => "the certificate's public key is none of those that were pinned",
        })
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for rustls::Error {
    fn from(fault: Fault) -> Self {
        CertificateError::Other(OtherError(Arc::new(fault))).into()
    }
}

/// What kind of failure a TLS error is, and its text.
pub(super) fn explain(error: &rustls::Error) -> (TlsFailure, String) {
    use CertificateError as Bad;
    let kind = match error {
        rustls::Error::InvalidCertificate(problem) => match problem {
            Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                TlsFailure::Expired
            }
            Bad::UnknownIssuer => TlsFailure::UnknownIssuer,
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => TlsFailure::WrongHost,
            Bad::Revoked => TlsFailure::Revoked,
            Bad::Other(OtherError(other)) => match other.downcast_ref::<Fault>() {
                Some(fault @ Fault::SelfSigned) => return (TlsFailure::SelfSigned, fault.to_string()),
                Some(fault @ Fault::NotPinned) => return (TlsFailure::NotPinned, fault.to_string()),
                None => TlsFailure::Certificate,
            },
            _ => TlsFailure::Certificate,
        },
        rustls::Error::NoCertificatesPresented => TlsFailure::Certificate,
        _ => TlsFailure::Handshake,
    };
    (kind, error.to_string())
}

/// Some fields of a certificate, each in DER with its header (RFC 5280 section 4.1).
#[derive(Clone, Copy)]
struct Fields<'a> {
    issuer: &'a [u8],
    subject: &'a [u8],
    public_key: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(certificate: &'a [u8]) -> Option<Self> {
        let tbs = contents(contents(certificate)?)?;
        // The version is left out when it is the first.
        let tbs = if tbs.first() == Some(&0xa0) { split(tbs)?.1 } else { tbs };
        let (_serial_number, tbs) = split(tbs)?;
        let (_signature, tbs) = split(tbs)?;
        let (issuer, tbs) = split(tbs)?;
        let (_validity, tbs) = split(tbs)?;
        let (subject, tbs) = split(tbs)?;
        let (public_key, _) = split(tbs)?;
        Some(Self { issuer, subject, public_key })
    }
}

/// The first DER element with its header, and what follows it.
fn split(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header, length) = header(der)?;
    der.split_at_checked(header.checked_add(length)?)
}

/// What is inside the first DER element.
fn contents(der: &[u8]) -> Option<&[u8]> {
    let (header, length) = header(der)?;
    der.get(header..header.checked_add(length)?)
}

/// How long the first element's header and contents are.
fn header(der: &[u8]) -> Option<(usize, usize)> {
    let first = usize::from(*der.get(1)?);
    let Some(count) = first.checked_sub(0x80) else { return Some((2, first)) };
    // A certificate has at most three bytes of length: TLS allows no longer one.
    let bytes = der.get(2..2 + count).filter(|_| (1..=3).contains(&count))?;
    Some((2 + count, bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::PublicKeyData;

    use super::*;

    fn self_signed() -> rcgen::CertifiedKey<rcgen::KeyPair> {
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
    }

    #[test]
    fn the_fields_of_a_certificate() {
        let certified = self_signed();
        let fields = Fields::of(certified.cert.der()).unwrap();
        assert_eq!(fields.issuer, fields.subject);
        assert_eq!(fields.public_key, certified.signing_key.subject_public_key_info());
        for length in 0..400.min(certified.cert.der().len()) {
            let cut = Fields::of(&certified.cert.der()[..length]);
            assert!(cut.is_none(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            noise in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut der = self_signed().cert.der().to_vec();
            for (at, byte) in changes {
                let at = at.index(der.len().min(200));
                der[at] = byte;
            }
            let _ = (Fields::of(&der), Fields::of(&noise));
        }
    }
}
