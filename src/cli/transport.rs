//! How connections are made: trusted authorities, timeouts, proxies, and the record of calls.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::env;
use super::error::{Failure, NOTHING_SENT};
use super::project::Project;
use super::ui::Ui;
use crate::cloud::tencent::{CONNECT_TIMEOUT, Proxies, Recorder, Transport, tls};
use crate::config::Endpoint;
use crate::diagnostic::Diagnostic;
use crate::files::{self, Links, TempFile};
use crate::i18n::text;
use crate::report::clean;

pub(super) fn transport(project: &Project, ui: &Ui) -> Result<Transport, Failure> {
    let api = &project.api;
    let recorder = api.record.as_deref();
    let recorder = recorder.map(|path| recorder_at(path, project)).transpose()?;
    if let Some(recorder) = &recorder {
        ui.set_recorder(recorder);
    }
    if matches!(&project.endpoint, Endpoint::Url(url) if url.is_https()) {
        warn_missing_roots(ui);
    }
    Ok(Transport {
        timeout: project.timeout,
        connect_timeout: api.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
        authorities: match &api.ca_file {
            Some(path) => authorities(path)?,
            None => Vec::new(),
        },
        proxies: Proxies::from_variables(env::raw_variable),
        recorder,
    })
}

fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    /// Far more than all public authorities.
    const MOST: u64 = 16 << 20;
    let shown = path.display().to_string();
    let shown = clean(&shown);
    let failure = |why| Failure::new("ca-file", why).help(NOTHING_SENT);
    let pem = files::read(path, Links::Followed, MOST)
        .map_err(|error| failure(text!("--ca-file {shown}: {error}", shown, error)))?;
    tls::authorities(&pem).map_err(|why| failure(text!("--ca-file {shown}: {why}", shown, why)))
}

/// The variables that name the system's roots elsewhere are passed over in silence where nothing is there.
fn warn_missing_roots(ui: &Ui) {
    if cfg!(not(all(unix, not(target_vendor = "apple")))) {
        return;
    }
    let file = env::raw_variable("SSL_CERT_FILE").map(PathBuf::from);
    let file = file.map(|file| ("SSL_CERT_FILE", file));
    let folders = env::raw_variable("SSL_CERT_DIR").unwrap_or_default();
    let folders = std::env::split_paths(&folders).map(|folder| ("SSL_CERT_DIR", folder));
    for (name, path) in file.into_iter().chain(folders) {
        if path.as_os_str().is_empty() {
            continue;
        }
        let Err(error) = std::fs::metadata(&path) else {
            continue;
        };
        let shown = path.display().to_string();
        let shown = clean(&shown);
        ui.diagnose(&[Diagnostic::warning(
            "tls-roots",
            text!(
                "{name} is set to {shown}, but no certificate authorities can be read there: {error}",
                name,
                shown,
                error
            ),
        )
        .help(text!(
            "postpay falls back to its built-in authorities; `--log debug` shows which ones are used"
        ))]);
    }
}

/// A new file that its owner alone can read, made when the first call is. Whether it can be is found out now: a run that costs
/// money is no time for that, and one that fails before it calls anybody leaves no empty file to be in the way of the next.
fn recorder_at(path: &Path, project: &Project) -> Result<Arc<Recorder>, Failure> {
    let shown = path.display().to_string();
    let shown = clean(&shown);
    let failure = |why, help| Failure::new("record", why).help(help).help(NOTHING_SENT);
    if path.symlink_metadata().is_ok() {
        return Err(failure(
            text!("--record {shown}: the file already exists", shown),
            text!("choose a file that does not exist yet"),
        ));
    }
    let path = project.check_stays_in_project(path)?;
    // It is removed again, without having had its name.
    TempFile::create(&path, ".postpay-record-", files::PRIVATE).map_err(|error| {
        failure(
            text!("--record {shown}: cannot write a file there: {error}", shown, error),
            text!("name a file in an existing, writable folder"),
        )
    })?;
    Ok(Arc::new(Recorder::at(path)))
}
