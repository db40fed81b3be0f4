//! TLS for the client: the system's certificate authorities, or bundled ones where the system has none, and what is wrong when no
//! connection is made.

use std::error::Error;
use std::io;
use std::sync::Arc;

use reqwest::tls::Version;
use reqwest::{Certificate, ClientBuilder};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};

use crate::i18n::{Text, text};
use crate::sanitize;

/// Reads the certificate authorities in a PEM text.
///
/// # Errors
/// When there is none, or one of them can't be read.
pub fn authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Text> {
    let mut found = Vec::new();
    let mut store = RootCertStore::empty();
    // Some editors begin a file with a byte order mark.
    let pem = pem.strip_prefix(b"\xef\xbb\xbf").unwrap_or(pem);
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(pem)) {
        let unreadable = |why: &dyn Error| {
            let why = sanitize::escape_invisible(&why.to_string()).into_owned();
            text!("cannot read certificate {number} in it: {why}", number, why)
        };
        let certificate = certificate.map_err(|error| unreadable(&error))?;
        // One that can't be used would be ignored where connections are made.
        store.add(certificate.clone()).map_err(|error| unreadable(&error))?;
        found.push(certificate);
    }
    if found.is_empty() {
        return Err(Text::fixed("no PEM certificate in it (-----BEGIN CERTIFICATE-----)"));
    }
    Ok(found)
}

/// Builds the client that `builder` describes.
///
/// The system's verifier comes first, because it knows a company's own authorities. A bare container has none; the bundled ones
/// make postpay work there. Any other fault is an error: authorities that nobody chose do not answer it.
///
/// # Errors
/// When there is no client, with reqwest's reason.
pub(super) fn build(
    builder: ClientBuilder,
    is_https: bool,
    authorities: &[CertificateDer<'static>],
) -> Result<reqwest::Client, reqwest::Error> {
    if !is_https {
        return with_roots(builder, RootCertStore::empty());
    }
    let more = authorities.len();
    if !has_system_roots() {
        tracing::debug!(roots = "bundled", more, "TLS roots");
        return bundled(builder, authorities);
    }
    tracing::debug!(roots = "system", more, "TLS roots");
    let more: Result<Vec<_>, _> =
        authorities.iter().map(|authority| Certificate::from_der(authority)).collect();
    builder.tls_backend_rustls().tls_version_min(Version::TLS_1_2).tls_certs_merge(more?).build()
}

/// Whether the system trusts anybody. Checked without the authorities of `--ca-file`, with which it would seem to.
fn has_system_roots() -> bool {
    rustls_platform_verifier::Verifier::new(provider()).is_ok()
}

/// Returns the provider of the whole process.
fn provider() -> Arc<CryptoProvider> {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have installed one first.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    CryptoProvider::get_default()
        .map_or_else(|| Arc::new(rustls::crypto::ring::default_provider()), Arc::clone)
}

fn bundled(
    builder: ClientBuilder,
    authorities: &[CertificateDer<'static>],
) -> Result<reqwest::Client, reqwest::Error> {
    let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    store.add_parsable_certificates(authorities.iter().cloned());
    with_roots(builder, store)
}

fn with_roots(builder: ClientBuilder, store: RootCertStore) -> Result<reqwest::Client, reqwest::Error> {
    let provider = provider();
    #[expect(clippy::expect_used, reason = "ring's provider has both versions of TLS")]
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the default versions")
        .with_root_certificates(store)
        .with_no_client_auth();
    builder.tls_backend_preconfigured(config).build()
}

/// Finds in the error of a failed connection what is wrong with the other end's TLS and would be wrong again, and what to do
/// about it; None when something else failed, or it may pass.
pub(super) fn fault(error: &(dyn Error + 'static)) -> Option<(Text, Text)> {
    use rustls::Error::{AlertReceived, InvalidCertificate, PeerIncompatible};

    let error = tls_error(error)?;
    if let InvalidCertificate(error) = error {
        return Some(certificate_fault(error));
    }
    // A vague alert, as that a handshake failed, also comes from a server that is being restarted.
    let is_final = matches!(
        error,
        PeerIncompatible(_)
            | AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity)
    );
    is_final.then(|| {
        (
            Text::fixed("it supports no TLS version or cipher that postpay supports"),
            Text::fixed("TLS 1.2 or 1.3 is required: the server, or a gateway in between, is too old or misconfigured."),
        )
    })
}

/// Returns the TLS error among the causes. An `io::Error` hides its inner error from `source`.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

const CHECK_CLOCK: Text = Text::fixed(
    "Check this machine's clock; if it is right, the host's operator must renew the certificate.",
);
const NAME_AUTHORITY: Text =
    Text::fixed("If a company proxy or gateway is in between, add its certificate authority: --ca-file FILE");
const CHECK_ENDPOINT: Text =
    Text::fixed("Check the endpoint: the server that responds is not the named host.");
const CHANGE_CERTIFICATE: Text = Text::fixed(
    "The operator of the host, or of the gateway in between, must install a server certificate with its name.",
);

fn certificate_fault(error: &CertificateError) -> (Text, Text) {
    use CertificateError as C;

    // Finer distinctions are only in the names of the library's and the system verifier's own types.
    let name = if let C::Other(other) = error { format!("{:?}", other.0) } else { format!("{error:?}") };
    let is_nameless = matches!(error, C::NotValidForNameContext { presented, .. } if presented.is_empty())
        || name.contains("UnsupportedCertVersion");
    if matches!(error, C::Expired | C::ExpiredContext { .. }) {
        (Text::fixed("its certificate has expired"), CHECK_CLOCK)
    } else if matches!(error, C::NotValidYet | C::NotValidYetContext { .. }) {
        (Text::fixed("its certificate is not valid yet"), CHECK_CLOCK)
    } else if matches!(
        error,
        // The last three are of an authority that has the right name and another key.
        C::UnknownIssuer
            | C::BadSignature
            | C::UnsupportedSignatureAlgorithmContext { .. }
            | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
    ) {
        let why = Text::fixed("its certificate authority is not trusted");
        (why, NAME_AUTHORITY)
    } else if is_nameless {
        let why = Text::fixed("its certificate has no host name (no subject alternative name)");
        (why, CHANGE_CERTIFICATE)
    } else if matches!(error, C::InvalidPurpose | C::InvalidPurposeContext { .. }) || name == "EkuError" {
        let why = Text::fixed("its certificate is not meant for a server");
        (why, CHANGE_CERTIFICATE)
    } else if matches!(error, C::NotValidForName | C::NotValidForNameContext { .. }) {
        (Text::fixed("its certificate is for another name"), CHECK_ENDPOINT)
    } else if name.contains("CaUsedAsEndEntity") {
        let why = Text::fixed("its certificate is a CA certificate, not a server certificate");
        (why, NAME_AUTHORITY)
    } else {
        let name = name.split([' ', '(', '{']).next().unwrap_or_default();
        (text!("its certificate was rejected: {name}", name), CHECK_ENDPOINT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_can_be_built_with_every_kind_of_roots() {
        let builder = reqwest::Client::builder;
        assert!(build(builder(), false, &[]).is_ok());
        assert!(build(builder(), true, &[]).is_ok());
        assert!(bundled(builder(), &[]).is_ok());
    }

    #[test]
    fn roots_are_not_swapped_for_what_is_wrong_with_an_authority() {
        let broken = CertificateDer::from(b"no certificate".to_vec());
        assert!(build(reqwest::Client::builder(), true, &[broken]).is_err());
    }

    #[test]
    fn an_unreadable_authority_is_named_by_its_number() {
        let pem =
            |base64: &str| format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
        assert!(authorities(b"hello").unwrap_err().en().contains("no PEM certificate"));
        let marked = ["\u{feff}", &pem("aGVsbG8=")].concat();
        for text in [pem("aGVsbG8="), pem("hell!o"), marked] {
            let error = authorities(text.as_bytes()).unwrap_err();
            assert!(error.en().contains("certificate 1 in it"), "{error:?}");
        }
    }

    #[test]
    fn faults_that_would_recur_are_told_from_those_that_may_pass() {
        use rustls::Error as E;
        use rustls::PeerIncompatible as P;

        let wrapped = |error: E| io::Error::other(io::Error::other(error));
        let table = [
            (E::InvalidCertificate(CertificateError::Expired), "expired", "clock"),
            (E::InvalidCertificate(CertificateError::NotValidYet), "not valid yet", "clock"),
            (E::InvalidCertificate(CertificateError::UnknownIssuer), "not trusted", "--ca-file"),
            (E::InvalidCertificate(CertificateError::NotValidForName), "another name", "endpoint"),
            (E::InvalidCertificate(CertificateError::Revoked), "rejected: Revoked", "endpoint"),
            (
                E::InvalidCertificate(CertificateError::UnhandledCriticalExtension),
                "rejected: UnhandledCriticalExtension",
                "endpoint",
            ),
            (
                E::InvalidCertificate(CertificateError::InvalidPurpose),
                "not meant for a server",
                "server certificate",
            ),
            (
                E::InvalidCertificate(CertificateError::NotValidForNameContext {
                    expected: "x.example.com".try_into().unwrap(),
                    presented: Vec::new(),
                }),
                "no host name",
                "server certificate",
            ),
            (E::PeerIncompatible(P::ServerDoesNotSupportTls12Or13), "TLS version", "TLS 1.2"),
            (E::AlertReceived(AlertDescription::ProtocolVersion), "TLS version", "TLS 1.2"),
        ];
        for (error, why, hint) in table {
            let found = fault(&wrapped(error.clone())).unwrap();
            assert!(found.0.en().contains(why), "{error:?}: {found:?}");
            assert!(found.1.en().contains(hint), "{error:?}: {found:?}");
            assert!(found.0.is_in_both() && found.1.is_in_both());
        }
        for error in [E::AlertReceived(AlertDescription::HandshakeFailure), E::General("x".to_owned())] {
            assert_eq!(fault(&wrapped(error)), None);
        }
        assert_eq!(fault(&io::Error::from(io::ErrorKind::ConnectionReset)), None);
    }
}
