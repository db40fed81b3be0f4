//! Files that hold a key are small. What is not, such as a device that never ends, is refused before it fills the memory.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::Path;

/// Far more than any of them has.
const MOST: u64 = 1 << 20;

/// The whole file.
///
/// # Errors
/// When it can't be read, or is larger than any key.
pub(in crate::cloud::tencent) fn read(file: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(Error::new(
            ErrorKind::FileTooLarge,
            "it is larger than any key",
        ));
    }
    Ok(bytes)
}
