//! How connections are made, from the flags: whom to trust, how long to wait, and where to record what is said.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::failure::{Failure, NOTHING_SENT};
use super::load::Project;
use super::world::World;
use crate::cloud::tencent::{CONNECT_TIMEOUT, Recorder, Transport};
use crate::lang::text;
use crate::report::clean;

pub(super) fn transport(project: &Project, world: &World) -> Result<Transport, Failure> {
    let api = &project.api;
    let recorder = api.record.as_deref().map(recorder).transpose()?;
    if let Some(recorder) = &recorder {
        world.records(recorder);
    }
    Ok(Transport {
        timeout: project.timeout,
        connect_timeout: api.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
        authorities: match &api.ca_file {
            Some(path) => authorities(path)?,
            None => Vec::new(),
        },
        recorder,
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

/// A new file that its owner alone can read, made when the first call is. Whether it can be is found out now: a run that costs
/// money is no time for that, and one that fails before it calls anybody leaves no empty file to be in the way of the next.
fn recorder(path: &Path) -> Result<Arc<Recorder>, Failure> {
    let shown = path.display().to_string();
    let shown = clean(&shown);
    let failure = |why, help| Failure::new("record", why).help(help).help(NOTHING_SENT);
    if path.symlink_metadata().is_ok() {
        return Err(failure(
            text!(
                "--record {shown}: it is there",
                "--record {shown}：文件已存在"
            ),
            text!(
                "name a file that is not there yet",
                "请指定一个尚不存在的文件"
            ),
        ));
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // Without a name, so that nothing is left of it.
    tempfile::tempfile_in(folder).map_err(|error| {
        failure(
            text!(
                "--record {shown}: no file can be written there: {error}",
                "--record {shown}：无法在那里写入文件：{error}"
            ),
            text!(
                "name a file in a folder that exists and that you may write to",
                "请指定已有的、可写目录中的文件"
            ),
        )
    })?;
    Ok(Arc::new(Recorder::at(path.to_owned())))
}
