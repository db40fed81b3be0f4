//! How connections are made, from the flags: whom to trust, how long to wait, and where to record what is said.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::failure::{Failure, NOTHING_SENT};
use super::load::Project;
use crate::cloud::tencent::{CONNECT_TIMEOUT, Recorder, Transport};
use crate::lang::text;
use crate::report::clean;

pub(super) fn transport(project: &Project) -> Result<Transport, Failure> {
    let api = &project.api;
    Ok(Transport {
        timeout: project.timeout,
        connect_timeout: api.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
        authorities: match &api.ca_file {
            Some(path) => authorities(path)?,
            None => Vec::new(),
        },
        recorder: api.record.as_deref().map(recorder).transpose()?,
    })
}

fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let shown = path.display().to_string();
    let shown = clean(&shown);
    let failure = |why| Failure::new("ca-file", why).help(NOTHING_SENT);
    let pem = std::fs::read(path).map_err(|error| {
        failure(text!(
            "--ca-file {shown}: {error}",
            "--ca-file {shown}：{error}"
        ))
    })?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(failure(text!(
            "--ca-file {shown}: it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)",
            "--ca-file {shown}：其中没有 PEM 格式的证书（-----BEGIN CERTIFICATE-----）"
        ))),
    }
}

/// A new file that its owner alone can read.
fn recorder(path: &Path) -> Result<Arc<Recorder>, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| {
        let shown = path.display().to_string();
        let shown = clean(&shown);
        Failure::new(
            "record",
            text!("--record {shown}: {error}", "--record {shown}：{error}"),
        )
        .help(text!(
            "name a file that is not there yet",
            "请指定一个尚不存在的文件"
        ))
        .help(NOTHING_SENT)
    })?;
    Ok(Arc::new(Recorder::new(file)))
}
