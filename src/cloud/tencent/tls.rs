//! TLS for the client: the system's roots, or bundled ones where the system has none.

use reqwest::tls::Version;
use reqwest::{Certificate, ClientBuilder};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// Which roots a client needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Roots {
    /// A plain endpoint: none, so none are loaded.
    None,
    SystemOrBundled,
}

/// Builds the client that `builder` describes.
///
/// The system's verifier is asked first, because it knows a company's own roots. In a bare container there are no roots,
/// and then building fails; the bundled ones make postpay work there.
///
/// # Errors
/// When there is no way to a client, with reqwest's reason.
pub(super) fn build(
    builder: impl Fn() -> ClientBuilder,
    roots: Roots,
    authorities: &[CertificateDer<'static>],
) -> Result<reqwest::Client, reqwest::Error> {
    match roots {
        Roots::None => with_roots(builder(), RootCertStore::empty()),
        Roots::SystemOrBundled => {
            if rustls::crypto::CryptoProvider::get_default().is_none() {
                // Another thread may have been faster: then there is a provider, which is all that is needed.
                let _ = rustls::crypto::ring::default_provider().install_default();
            }
            let more: Result<Vec<_>, _> = authorities
                .iter()
                .map(|authority| Certificate::from_der(authority))
                .collect();
            builder()
                .tls_backend_rustls()
                .tls_version_min(Version::TLS_1_2)
                .tls_certs_merge(more?)
                .build()
                .or_else(|_| bundled(builder(), authorities))
        }
    }
}

fn bundled(
    builder: ClientBuilder,
    authorities: &[CertificateDer<'static>],
) -> Result<reqwest::Client, reqwest::Error> {
    let mut store = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    store.add_parsable_certificates(authorities.iter().cloned());
    with_roots(builder, store)
}

fn with_roots(
    builder: ClientBuilder,
    store: RootCertStore,
) -> Result<reqwest::Client, reqwest::Error> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    #[expect(
        clippy::expect_used,
        reason = "ring's provider has both versions of TLS"
    )]
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the default versions")
        .with_root_certificates(store)
        .with_no_client_auth();
    builder.tls_backend_preconfigured(config).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_can_be_built_with_every_kind_of_roots() {
        assert!(build(reqwest::Client::builder, Roots::None, &[]).is_ok());
        assert!(build(reqwest::Client::builder, Roots::SystemOrBundled, &[]).is_ok());
        assert!(bundled(reqwest::Client::builder(), &[]).is_ok());
    }
}
