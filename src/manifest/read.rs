//! One file's bytes: read whole, hashed, and taken as UTF-8.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::discover::{Found, cannot_open, not_a_file};
use crate::desired::ManifestHash;
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::files::{self, Links, Refusal};
use crate::lang::text;

/// More than a hundred thousand environments; whatever is larger was given by mistake.
pub const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// Reads `shown`, taken from `root`, wherever it leads, and hashes the bytes as they stand.
///
/// A byte order mark counts for the hash, but is no part of the text.
pub fn read(root: &Path, shown: &Path) -> Result<(Arc<SourceFile>, ManifestHash), Box<Diagnostic>> {
    hashed(shown, whole(shown, &root.join(shown), Links::Followed)?)
}

/// As [`read`], of a file that was found.
pub fn read_found(found: &Found) -> Result<(Arc<SourceFile>, ManifestHash), Box<Diagnostic>> {
    hashed(&found.shown, bytes(found)?)
}

fn hashed(
    shown: &Path,
    bytes: Vec<u8>,
) -> Result<(Arc<SourceFile>, ManifestHash), Box<Diagnostic>> {
    let hash = ManifestHash {
        path: shown.to_owned(),
        sha256: hex(&Sha256::digest(&bytes)),
    };
    Ok((source(shown, bytes)?, hash))
}

/// Takes bytes as the text of `shown`. A byte order mark is no part of it.
pub fn source(shown: &Path, bytes: Vec<u8>) -> Result<Arc<SourceFile>, Box<Diagnostic>> {
    let text = String::from_utf8(bytes).map_err(|error| Box::new(not_utf8(shown, &error)))?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    Ok(Arc::new(SourceFile::new(shown, text)))
}

/// The bytes of a file that was found, as they stand.
pub fn bytes(found: &Found) -> Result<Vec<u8>, Box<Diagnostic>> {
    // It was followed to its end when it was found. Where a link is by now, somebody put it there since.
    whole(&found.shown, &found.real, Links::Refused)
}

fn whole(shown: &Path, path: &Path, links: Links) -> Result<Vec<u8>, Box<Diagnostic>> {
    files::read(path, links, MAX_BYTES).map_err(|error| Box::new(unread(shown, &error)))
}

fn unread(shown: &Path, error: &io::Error) -> Diagnostic {
    match Refusal::of(error) {
        None if error.kind() == io::ErrorKind::IsADirectory => not_a_file(shown),
        Some(Refusal::NoRegularFile) => not_a_file(shown),
        Some(Refusal::TooLarge { .. }) => too_large(shown),
        Some(Refusal::Link | Refusal::FolderLink | Refusal::SeveralNames) | None => {
            cannot_open(shown, error)
        }
    }
}

/// Everything that `input` gives, which is shown as `shown`; about `size` bytes.
pub fn bytes_of(shown: &Path, input: impl Read, size: usize) -> Result<Vec<u8>, Box<Diagnostic>> {
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
    Diagnostic::error(
        "file-too-large",
        text!(
            "`{shown}` is larger than {most} MiB",
            "`{shown}` 超过了 {most} MiB"
        ),
    )
    .help(text!(
        "split it: the environments of all files count together",
        "请拆成多个文件：所有文件中的环境合在一起算"
    ))
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
            "`{shown}` is not UTF-8: byte 0x{byte:02X} at offset {at}, line {line}",
            "`{shown}` 不是 UTF-8：第 {line} 行，偏移 {at} 处的字节 0x{byte:02X}"
        ),
    );
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        diagnostic = diagnostic.help(text!("it begins like UTF-16", "它的开头像是 UTF-16"));
    }
    diagnostic.help(text!(
        "save it as UTF-8, for example with `iconv -t UTF-8`",
        "请保存为 UTF-8，例如用 `iconv -t UTF-8`"
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
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
    fn the_hash_is_of_the_bytes_and_the_mark_is_not_text() {
        let (source, hash) = with(b"\xef\xbb\xbfversion: 1\n").unwrap();
        assert_eq!(source.text, "version: 1\n");
        let (_, plain) = with(b"version: 1\n").unwrap();
        assert_ne!(hash.sha256, plain.sha256);
        assert_eq!(
            with(b"abc").unwrap().1.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_byte_that_is_not_utf8_is_named_with_offset_and_line() {
        let problem = with(b"version: 1\nalias: \xb5\n").unwrap_err();
        assert_chinese(std::slice::from_ref(&problem));
        assert_eq!(problem.code, "not-utf8");
        assert_eq!(
            problem.message.en(),
            "`m.yaml` is not UTF-8: byte 0xB5 at offset 18, line 2"
        );
    }

    #[test]
    fn a_file_over_the_cap_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("m.yaml")).unwrap();
        file.set_len(MAX_BYTES + 1).unwrap();
        let problem = read(folder.path(), Path::new("m.yaml")).unwrap_err();
        assert_chinese(std::slice::from_ref(&problem));
        assert_eq!(problem.code, "file-too-large");
    }
}
