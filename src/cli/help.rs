//! Prints what parsing a command line ended with: help, or a usage error. Both are in English.

use std::io;

use anstream::adapter::strip_str;
use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};

use crate::sanitize::{Syntax, escape_commands};

/// Prints help to standard output, or a usage error to standard error.
///
/// # Errors
/// When it cannot be written. A reader that has left is no error.
pub(super) fn print(ended: &clap::Error) -> io::Result<()> {
    let text = ended.render().ansi().to_string();
    let written = if ended.use_stderr() { write(&text, io::stderr()) } else { write(&text, io::stdout()) };
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// Writes in colour where the stream has it. A usage error repeats what was typed, which may hold anything: it is escaped.
fn write(text: &str, mut stream: impl RawStream) -> io::Result<()> {
    let shown = match AutoStream::choice(&stream) {
        ColorChoice::Never => strip_str(text).to_string(),
        ColorChoice::Auto | ColorChoice::AlwaysAnsi | ColorChoice::Always => text.to_owned(),
    };
    stream.write_all(escape_commands(&shown, Syntax::Plain).as_bytes())?;
    stream.flush()
}
