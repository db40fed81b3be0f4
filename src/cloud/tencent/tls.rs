//! TLS for the client: the system's roots, or bundled ones where the system has none; and what is wrong when it does not come
//! about.

use std::error::Error;
use std::io;
use std::sync::Arc;

use reqwest::tls::Version;
use reqwest::{Certificate, ClientBuilder};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};

use crate::lang::{Text, text};

/// Which roots a client needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Roots {
    /// A plain endpoint: none, so none are loaded.
    None,
    SystemOrBundled,
}

/// Why a file holds no certificate authorities that could be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthoritiesError {
    /// There is none in it.
    None,
    /// This one, counted from 1, is no certificate.
    Bad { number: usize, why: String },
}

/// The certificate authorities in a text in PEM form, each of them whole.
///
/// # Errors
/// When there is none, or one of them can't be read.
pub fn authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, AuthoritiesError> {
    let mut found = Vec::new();
    let mut store = RootCertStore::empty();
    // Some editors begin a file with a mark.
    let pem = pem.strip_prefix(b"\xef\xbb\xbf").unwrap_or(pem);
    for (at, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
        let bad = |why| AuthoritiesError::Bad { number: at + 1, why };
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        // It would be passed over where connections are made, and what it was to vouch for refused.
        store.add(certificate.clone()).map_err(|error| bad(error.to_string()))?;
        found.push(certificate);
    }
    if found.is_empty() {
        return Err(AuthoritiesError::None);
    }
    Ok(found)
}

/// Builds the client that `builder` describes.
///
/// The system's verifier is asked first, because it knows a company's own roots. In a bare container there are no roots;
/// the bundled ones make postpay work there. Whatever else is wrong is said: roots that nobody chose are no answer to it.
///
/// # Errors
/// When there is no way to a client, with reqwest's reason.
pub(super) fn build(
    builder: ClientBuilder,
    roots: Roots,
    authorities: &[CertificateDer<'static>],
) -> Result<reqwest::Client, reqwest::Error> {
    match roots {
        Roots::None => with_roots(builder, RootCertStore::empty()),
        Roots::SystemOrBundled => {
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
    }
}

/// Whether the system trusts anybody. Asked without the authorities of `--ca-file`, beside which it would seem to.
fn has_system_roots() -> bool {
    rustls_platform_verifier::Verifier::new(provider()).is_ok()
}

/// The one that all of this process uses.
fn provider() -> Arc<CryptoProvider> {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have been faster: then there is a provider, which is all that is needed.
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

/// What is wrong with the other end's TLS, where another attempt would meet the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) why: Text,
    pub(super) hint: Text,
}

/// Finds it in an error of a connection that did not come about; None when something else is wrong, or it may pass.
pub(super) fn fault(error: &(dyn Error + 'static)) -> Option<Fault> {
    use rustls::Error::{AlertReceived, InvalidCertificate, PeerIncompatible};

    let error = cause(error)?;
    if let InvalidCertificate(error) = error {
        return Some(of_certificate(error));
    }
    // An alert without much to say, as that a handshake failed, also comes of a server that is being restarted.
    let is_final = matches!(
        error,
        PeerIncompatible(_)
            | AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity)
    );
    is_final.then(|| Fault {
        why: Text::fixed(
            "it speaks no version of TLS that postpay does, or no cipher",
            "对方不支持 postpay 所用的 TLS 版本或加密套件",
        ),
        hint: Text::fixed(
            "TLS 1.2 or 1.3 is needed: whatever answers there, or a gateway in between, is too old or set up for less.",
            "需要 TLS 1.2 或 1.3：对方或中间的网关版本太旧，或配置过低。",
        ),
    })
}

/// What TLS has to say. An error of input and output hides the one that it was made of from whoever asks for its source.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
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

fn of_certificate(error: &CertificateError) -> Fault {
    use CertificateError as C;

    let clock = Text::fixed(
        "Check this computer's clock; if it is right, whoever runs the host has to renew the certificate.",
        "请检查本机时钟；若时钟无误，则需由该主机的管理者更新证书。",
    );
    let authority = Text::fixed(
        "If a proxy or gateway of your company stands between, name its certificate authority: --ca-file FILE",
        "若中间有公司的代理或网关，请指定其证书颁发机构：--ca-file FILE",
    );
    let stranger = Text::fixed(
        "Check the endpoint: what answers there is not the host that it names.",
        "请检查端点：应答的不是它所指的主机。",
    );
    let server = Text::fixed(
        "Whoever runs the host, or the gateway in between, has to give it a server certificate with its name.",
        "需由该主机或中间网关的管理者为其配置带有主机名称的服务器证书。",
    );
    // How it is told apart further is a detail of the library's that has no type.
    let name = if let C::Other(other) = error { format!("{:?}", other.0) } else { format!("{error:?}") };
    let is_authority = name.contains("CaUsedAsEndEntity");
    let is_for_another_purpose = matches!(error, C::InvalidPurpose | C::InvalidPurposeContext { .. })
        // Which the system's verifier says in words of its own.
        || name == "EkuError";
    let is_nameless = matches!(error, C::NotValidForNameContext { presented, .. } if presented.is_empty())
        || name.contains("UnsupportedCertVersion");
    let (why, hint) = if matches!(error, C::Expired | C::ExpiredContext { .. }) {
        (text!("its certificate has expired", "其证书已过期"), clock)
    } else if matches!(error, C::NotValidYet | C::NotValidYetContext { .. }) {
        (text!("its certificate is not valid yet", "其证书尚未生效"), clock)
    } else if matches!(
        error,
        // The last three are of an authority that has the right name and another key.
        C::UnknownIssuer
            | C::BadSignature
            | C::UnsupportedSignatureAlgorithmContext { .. }
            | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
    ) {
        (
            text!(
                "its certificate is of an authority that is not trusted here",
                "其证书的颁发机构在本机不受信任"
            ),
            authority,
        )
    } else if is_nameless {
        (
            text!(
                "its certificate names no host (it has no subject alternative name)",
                "其证书没有主机名称（缺少 subject alternative name）"
            ),
            server,
        )
    } else if is_for_another_purpose {
        (
            text!("its certificate is for another purpose than a server's", "其证书的用途不是服务器认证"),
            server,
        )
    } else if matches!(error, C::NotValidForName | C::NotValidForNameContext { .. }) {
        (text!("its certificate is for another name", "其证书属于其他名称"), stranger)
    } else if is_authority {
        (
            text!(
                "its certificate is an authority's own, and none for a server",
                "其证书是颁发机构自身的证书，而不是服务器证书"
            ),
            authority,
        )
    } else {
        let error = words(&name);
        (text!("its certificate is not accepted: {error}", "其证书未被接受：{error}"), stranger)
    };
    Fault { why, hint }
}

/// `UnhandledCriticalExtension { … }` as `unhandled critical extension`.
fn words(name: &str) -> String {
    let name = name.split([' ', '(', '{']).next().unwrap_or_default();
    let mut words = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_can_be_built_with_every_kind_of_roots() {
        let builder = reqwest::Client::builder;
        assert!(build(builder(), Roots::None, &[]).is_ok());
        assert!(build(builder(), Roots::SystemOrBundled, &[]).is_ok());
        assert!(bundled(builder(), &[]).is_ok());
    }

    #[test]
    fn roots_are_not_swapped_for_what_is_wrong_with_an_authority() {
        let broken = CertificateDer::from(b"no certificate".to_vec());
        assert!(build(reqwest::Client::builder(), Roots::SystemOrBundled, &[broken]).is_err());
    }

    #[test]
    fn an_authority_that_can_not_be_read_is_named_by_its_number() {
        let pem =
            |base64: &str| format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
        assert_eq!(authorities(b"hello"), Err(AuthoritiesError::None));
        let marked = ["\u{feff}", &pem("aGVsbG8=")].concat();
        assert!(matches!(authorities(marked.as_bytes()), Err(AuthoritiesError::Bad { number: 1, .. })));
        for text in [pem("aGVsbG8="), pem("hell!o")] {
            let error = authorities(text.as_bytes()).unwrap_err();
            assert!(matches!(error, AuthoritiesError::Bad { number: 1, .. }), "{error:?}");
        }
    }

    #[test]
    fn what_would_fail_again_is_told_apart_from_what_may_pass() {
        use rustls::Error as E;
        use rustls::PeerIncompatible as P;

        let wrapped = |error: E| io::Error::other(io::Error::other(error));
        let table = [
            (E::InvalidCertificate(CertificateError::Expired), "expired", "clock"),
            (E::InvalidCertificate(CertificateError::NotValidYet), "not valid yet", "clock"),
            (E::InvalidCertificate(CertificateError::UnknownIssuer), "not trusted", "--ca-file"),
            (E::InvalidCertificate(CertificateError::NotValidForName), "another name", "endpoint"),
            (E::InvalidCertificate(CertificateError::Revoked), "not accepted: revoked", "endpoint"),
            (
                E::InvalidCertificate(CertificateError::UnhandledCriticalExtension),
                "not accepted: unhandled critical extension",
                "endpoint",
            ),
            (
                E::InvalidCertificate(CertificateError::InvalidPurpose),
                "for another purpose",
                "server certificate",
            ),
            (
                E::InvalidCertificate(CertificateError::NotValidForNameContext {
                    expected: "x.example.com".try_into().unwrap(),
                    presented: Vec::new(),
                }),
                "names no host",
                "server certificate",
            ),
            (E::PeerIncompatible(P::ServerDoesNotSupportTls12Or13), "version of TLS", "TLS 1.2"),
            (E::AlertReceived(AlertDescription::ProtocolVersion), "version of TLS", "TLS 1.2"),
        ];
        for (error, why, hint) in table {
            let found = fault(&wrapped(error.clone())).unwrap();
            assert!(found.why.en().contains(why), "{error:?}: {found:?}");
            assert!(found.hint.en().contains(hint), "{error:?}: {found:?}");
            assert!(found.why.is_in_both() && found.hint.is_in_both());
        }
        for error in [E::AlertReceived(AlertDescription::HandshakeFailure), E::General("x".to_owned())] {
            assert_eq!(fault(&wrapped(error)), None);
        }
        assert_eq!(fault(&io::Error::from(io::ErrorKind::ConnectionReset)), None);
    }
}
