//! Reads a file, hashes its bytes and decodes them as UTF-8.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::discover::{Found, cannot_open, not_a_file};
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::files::{self, Links, Refusal};
use crate::i18n::text;
use crate::model::ManifestHash;

/// Far above 100,000 environments.
pub const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// The limits for the manifests of a project, all files together. An ordinary environment has about 20 values
/// and 200 bytes, so they allow far more than 100,000 environments.
#[derive(Debug, Default)]
pub struct Budget {
    files: usize,
    bytes: u64,
    /// Values as written.
    pub(super) written: u64,
    /// Values with aliases expanded.
    pub(super) expanded: u64,
}

impl Budget {
    const FILES: usize = 100_000;
    const BYTES: u64 = 64 * 1024 * 1024;
    pub(super) const WRITTEN: u64 = 5_000_000;

    /// Counts a file.
    pub(super) fn add_file(&mut self) -> Result<(), Box<Diagnostic>> {
        self.files += 1;
        if self.files > Self::FILES {
            let most = Self::FILES;
            return Err(Box::new(Diagnostic::error(
                "project-too-large",
                text!("more than {most} manifests", most),
            )));
        }
        Ok(())
    }

    /// Counts the bytes of a file.
    pub(super) fn add_bytes(&mut self, shown: &Path, bytes: usize) -> Result<(), Box<Diagnostic>> {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.bytes > Self::BYTES {
            let most = Self::BYTES / (1024 * 1024);
            let shown = shown.display();
            return Err(Box::new(Diagnostic::error(
                "project-too-large",
                text!("the manifests together are larger than {most} MiB, with `{shown}`", most, shown),
            )));
        }
        Ok(())
    }
}

/// Reads `shown` relative to `root`, following links, and hashes its bytes with line endings normalised.
///
/// A byte order mark is hashed but not part of the text.
pub fn read(root: &Path, shown: &Path) -> Result<(Arc<SourceFile>, ManifestHash), Box<Diagnostic>> {
    hashed(shown, read_bytes(shown, &root.join(shown), Links::Followed)?)
}

/// Like [`read`], for a file that was found.
pub fn read_found(found: &Found) -> Result<(Arc<SourceFile>, ManifestHash), Box<Diagnostic>> {
    hashed(&found.shown, bytes(found)?)
}

fn hashed(shown: &Path, bytes: Vec<u8>) -> Result<(Arc<SourceFile>, ManifestHash), Box<Diagnostic>> {
    let hash = ManifestHash { path: shown.to_owned(), sha256: hex(&sha256(&bytes)) };
    Ok((source(shown, bytes)?, hash))
}

/// Hashes CR LF as LF, so that the hash does not depend on the checkout.
fn sha256(bytes: &[u8]) -> impl AsRef<[u8]> {
    let mut hash = Sha256::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(content) => {
                hash.update(content);
                hash.update(b"\n");
            }
            None => hash.update(line),
        }
    }
    hash.finalize()
}

/// Decodes bytes as the text of `shown`, without a byte order mark.
pub fn source(shown: &Path, bytes: Vec<u8>) -> Result<Arc<SourceFile>, Box<Diagnostic>> {
    let text = String::from_utf8(bytes).map_err(|error| Box::new(not_utf8(shown, &error)))?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    Ok(Arc::new(SourceFile::new(shown, normalise_lone_cr(text))))
}

/// Replaces a lone CR, which ends a line in YAML too, by LF.
fn normalise_lone_cr(text: String) -> String {
    let bytes = text.as_bytes();
    let is_alone = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    if !(0..bytes.len()).any(is_alone) {
        return text;
    }
    let lines = text.split("\r\n").map(|line| line.replace('\r', "\n"));
    lines.collect::<Vec<_>>().join("\r\n")
}

/// Reads a file that was found.
pub fn bytes(found: &Found) -> Result<Vec<u8>, Box<Diagnostic>> {
    // The path was resolved when it was found; a link here was put there since.
    read_bytes(&found.shown, &found.real, Links::Refused)
}

fn read_bytes(shown: &Path, path: &Path, links: Links) -> Result<Vec<u8>, Box<Diagnostic>> {
    files::read(path, links, MAX_BYTES).map_err(|error| Box::new(read_error(shown, &error)))
}

fn read_error(shown: &Path, error: &io::Error) -> Diagnostic {
    match Refusal::from_error(error) {
        None if error.kind() == io::ErrorKind::IsADirectory => not_a_file(shown),
        Some(Refusal::NoRegularFile) => not_a_file(shown),
        Some(Refusal::TooLarge { .. }) => too_large(shown),
        Some(Refusal::Link | Refusal::FolderLink | Refusal::SeveralNames) | None => cannot_open(shown, error),
    }
}

/// Reads all of `input`, about `size` bytes, which diagnostics call `shown`.
pub fn read_input(shown: &Path, input: impl Read, size: usize) -> Result<Vec<u8>, Box<Diagnostic>> {
    let mut bytes = Vec::with_capacity(size);
    input
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Box::new(cannot_open(shown, &error)))?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > MAX_BYTES) {
        return Err(Box::new(too_large(shown)));
    }
    Ok(bytes)
}

pub(super) fn too_large(shown: &Path) -> Diagnostic {
    let shown = shown.display();
    let most = MAX_BYTES / (1024 * 1024);
    Diagnostic::error("file-too-large", text!("`{shown}` is larger than {most} MiB", shown, most))
        .help(text!("split it into several files"))
}

fn not_utf8(shown: &Path, error: &std::string::FromUtf8Error) -> Diagnostic {
    let at = error.utf8_error().valid_up_to();
    let bytes = error.as_bytes();
    let line = bytes[..at].split(|byte| *byte == b'\n').count();
    let byte = bytes.get(at).copied().unwrap_or_default();
    let shown = shown.display();
    let mut diagnostic = Diagnostic::error(
        "not-utf8",
        text!(
            "`{shown}` is not UTF-8: byte 0x{byte} at offset {at}, line {line}",
            shown,
            byte = format!("{byte:02X}"),
            at,
            line
        ),
    );
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        diagnostic = diagnostic.help(text!("it begins like UTF-16"));
    }
    diagnostic.help(text!("save it as UTF-8, for example with `iconv -t UTF-8`"))
}

fn hex(bytes: &impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::diagnostic::assert_chinese;

    fn with(bytes: &[u8]) -> Result<(Arc<SourceFile>, ManifestHash), Box<Diagnostic>> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("m.yaml"), bytes).unwrap();
        read(folder.path(), Path::new("m.yaml"))
    }

    #[test]
    fn hash_ignores_line_endings_and_bom_is_not_text() {
        let (source, hash) = with(b"\xef\xbb\xbfversion: 1\n").unwrap();
        assert_eq!(source.text, "version: 1\n");
        let (_, plain) = with(b"version: 1\n").unwrap();
        assert_ne!(hash.sha256, plain.sha256);
        let (_, crlf) = with(b"version: 1\r\n").unwrap();
        assert_eq!(crlf.sha256, plain.sha256);
        let (_, cr) = with(b"version: 1\r").unwrap();
        assert_ne!(cr.sha256, plain.sha256);
        assert_eq!(
            with(b"abc").unwrap().1.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn lone_cr_ends_a_line() {
        let (source, _) = with(b"a: 1\rb: 2\r\nc: 3\r").unwrap();
        assert_eq!(source.text, "a: 1\nb: 2\r\nc: 3\n");
        assert_eq!(source.position(5).line, 2);
    }

    #[test]
    fn invalid_utf8_is_reported_with_offset_and_line() {
        let problem = with(b"version: 1\nalias: \xb5\n").unwrap_err();
        assert_chinese(std::slice::from_ref(&problem));
        assert_eq!(problem.code, "not-utf8");
        assert_eq!(problem.message.en(), "`m.yaml` is not UTF-8: byte 0xB5 at offset 18, line 2");
    }

    #[test]
    fn file_over_the_limit_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("m.yaml")).unwrap();
        file.set_len(MAX_BYTES + 1).unwrap();
        let problem = read(folder.path(), Path::new("m.yaml")).unwrap_err();
        assert_chinese(std::slice::from_ref(&problem));
        assert_eq!(problem.code, "file-too-large");
    }
}
