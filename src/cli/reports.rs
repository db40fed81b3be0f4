//! The files of `--report`: the format that each one's ending picks, and how they are written so that no reader ever
//! sees half of one.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{Failure, NOTHING_SENT, cannot_write};
use super::options::Format;
use crate::files::{self, Access, Links, Place, Refusal, ResolvedPath, TempFile};
use crate::i18n::text;
use crate::report::clean;
use crate::report::document::View as _;
use crate::report::history::HistoryView;
use crate::report::place::from_root;
use crate::state::file::FileStore;

/// The files that the result is written to.
#[derive(Debug, Default)]
pub(super) struct Reports {
    pub files: Vec<(PathBuf, Format)>,
    /// The file of `--record`.
    pub record: Option<PathBuf>,
    /// They were compared with the files of the project. Before that, only new files are written.
    pub guarded: bool,
    /// Their paths without links, resolved when they were compared.
    ends: HashMap<PathBuf, PathBuf>,
    /// Writing them was tried.
    pub written: bool,
    /// The result was printed.
    pub printed: bool,
    /// The configuration and the state from the command line, which tell projects of one repository apart.
    pub named: Vec<String>,
    /// The working folder, below the root of the repository.
    pub folder: OnceCell<String>,
}

impl Reports {
    /// Parses the paths of `--report`.
    pub(super) fn parse(paths: &[PathBuf]) -> Result<Self, Failure> {
        let files = paths
            .iter()
            .map(|path| Ok((path.clone(), format_of(path)?)))
            .collect::<Result<Vec<_>, Failure>>()?;
        for (at, (path, _)) in files.iter().enumerate() {
            if files.iter().skip(at + 1).any(|(other, _)| same_file(path, other)) {
                return Err(in_use("--report", path));
            }
        }
        Ok(Self { files, ..Self::default() })
    }

    /// Rejects a report or a record of calls that is `path`, which the command uses otherwise.
    pub(super) fn check_unused(&mut self, path: &Path) -> Result<(), Failure> {
        if self.files.is_empty() && self.record.is_none() {
            return Ok(());
        }
        // Using it reports why it cannot be followed.
        Place::resolve(path).map_or(Ok(()), |place| self.check_all_unused([place]))
    }

    /// As [`Self::check_unused`], for many files.
    pub(super) fn check_all_unused(
        &mut self,
        places: impl IntoIterator<Item = Place>,
    ) -> Result<(), Failure> {
        let of_reports = self.files.iter().map(|(file, _)| ("--report", file));
        let of_record = self.record.iter().map(|file| ("--record", file));
        let own: Vec<(&str, &PathBuf, Place)> = of_reports
            .chain(of_record)
            .filter_map(|(flag, file)| Some((flag, file, Place::resolve(file).ok()?)))
            .collect();
        let met = places.into_iter().find_map(|place| {
            let (flag, file, _) = own.iter().find(|(.., own)| own.is(&place))?;
            Some(in_use(flag, file))
        });
        match met {
            Some(failure) => {
                // Not even the error is written there.
                self.written = true;
                Err(failure)
            }
            None => Ok(()),
        }
    }

    /// Sets the file of `--record`, which must not be a report.
    pub(super) fn set_record(&mut self, path: &Path) -> Result<(), Failure> {
        self.check_unused(path)?;
        self.record = Some(path.to_owned());
        Ok(())
    }

    /// Rejects reports that a link in the project leads out of it, or to a file of another kind: a pull request could choose
    /// what is overwritten. Also rejects replacing a file that is not a report.
    pub(super) fn check_links(&mut self, project: &Path) -> Result<(), Failure> {
        for (path, format) in &self.files {
            let resolved = resolve_path(path, project).map_err(|error| cannot_write(path, &error))?;
            if resolved.leads_out_of(project) {
                return Err(link_error(path, &resolved.end));
            }
            let is_alike = format_of(&resolved.end).is_ok_and(|other| other == *format);
            // A pipe takes any format.
            let is_special = path.metadata().is_ok_and(|there| !there.is_file());
            // A text file cannot be recognised as a report, so it is replaced only when it is named directly.
            let is_told = *format != Format::Human || resolved.end.symlink_metadata().is_err();
            if resolved.is_link && resolved.has_project_link && !(is_alike && is_told) && !is_special {
                return Err(link_error(path, &resolved.end));
            }
            if !is_special && !resolved.end.is_dir() {
                check_replaces_report(path, &resolved.end, *format)?;
            }
            self.ends.insert(path.clone(), resolved.end);
        }
        Ok(())
    }

    /// Returns a key for the project within its repository: the folder, or the configuration and state that were named.
    pub(super) fn key(&self, folder: &str) -> Option<String> {
        let named = self.named.iter().map(|path| from_root(path, folder));
        let folder = Some(folder.to_owned()).filter(|folder| !folder.is_empty());
        let parts: Vec<String> =
            if self.named.is_empty() { folder.into_iter().collect() } else { named.collect() };
        (!parts.is_empty()).then(|| parts.join(":"))
    }

    /// Replaces the file atomically.
    pub(super) fn write(&self, path: &Path, text: &str) -> Result<(), Failure> {
        let there = path.symlink_metadata().is_ok();
        if there && !self.guarded {
            let file = path.display().to_string();
            let file = clean(&file);
            return Err(Failure::new(
                "write",
                text!(
                    "{file} already exists and was not changed: it is not known yet whether it belongs to the project",
                    file
                ),
            ));
        }
        let end = if let Some(end) = self.ends.get(path) {
            end.clone()
        } else {
            // A folder may be a link, too.
            let here = fs::canonicalize(".").map_err(|error| cannot_write(path, &error))?;
            let resolved = resolve_path(path, &here).map_err(|error| cannot_write(path, &error))?;
            if !self.guarded && resolved.leads_out_of(&here) {
                return Err(link_error(path, &resolved.end));
            }
            resolved.end
        };
        // A pipe or a device cannot be replaced.
        if path.metadata().is_ok_and(|file| !file.is_file()) {
            let written = files::open_special(path).and_then(|mut it| it.write_all(text.as_bytes()));
            return written.map_err(|error| cannot_write(path, &error));
        }
        if let Ok(format) = format_of(path) {
            check_replaces_report(path, &end, format)?;
        }
        replace(&end, text).map_err(|error| cannot_write(path, &error))
    }
}

/// Resolves a path from the working folder.
pub(super) fn resolve_path(path: &Path, project: &Path) -> io::Result<ResolvedPath> {
    ResolvedPath::new(path, &fs::canonicalize(".")?, project)
}

/// Rejects replacing a file that is not a report of this format, unless it is empty.
fn check_replaces_report(path: &Path, end: &Path, format: Format) -> Result<(), Failure> {
    /// Far more than a report of 100,000 environments.
    const MOST: u64 = 512 * 1024 * 1024;
    let is_ours = match files::read(end, Links::Refused, MOST) {
        Ok(bytes) => bytes.is_empty() || is_report(&bytes, end, format),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) if Refusal::from_error(&error).is_some() => false,
        // A file that cannot be read cannot be recognised.
        Err(error) => return Err(cannot_write(path, &error)),
    };
    if is_ours {
        return Ok(());
    }
    let shown = path.display().to_string();
    let shown = clean(&shown);
    Err(Failure::new(
        "report-path",
        text!("--report {shown}: the existing file is not a postpay report of this format", shown),
    )
    .help(text!("choose another file, or delete this one; it was not changed"))
    .help(NOTHING_SENT))
}

/// Whether a file is a report of postpay, by its first bytes or the tool that it names. A text cannot be recognised.
fn is_report(bytes: &[u8], end: &Path, format: Format) -> bool {
    let text = String::from_utf8_lossy(bytes.get(..4096).unwrap_or(bytes));
    match format {
        Format::Human => true,
        Format::Json => is_document(bytes, end),
        Format::Markdown | Format::Github => text.starts_with("<!-- postpay:"),
        Format::Html => text.starts_with("<!DOCTYPE html>") && text.contains("<title>postpay "),
        Format::Junit => text.contains("<testsuites name=\"postpay\""),
        Format::Csv => HistoryView::new(&[], &[]).csv().is_some_and(|head| text.starts_with(&head)),
        Format::Sarif => is_sarif(bytes),
    }
}

/// Whether a file is JSON of postpay: it has a numeric version. A state has one too; its lock or receipts are beside it.
fn is_document(bytes: &[u8], end: &Path) -> bool {
    #[derive(Deserialize)]
    struct Document {
        #[serde(rename = "format_version")]
        _format_version: u64,
        lineage: Option<IgnoredAny>,
        environments: Option<IgnoredAny>,
    }
    let Ok(document) = serde_json::from_slice::<Document>(bytes) else {
        return false;
    };
    let is_state = document.lineage.is_some() && document.environments.is_some();
    let beside = |name: &str| FileStore::resolved(end).beside(name).is_ok_and(|it| it.exists());
    let is_kept = || beside("state.lock") || end.with_file_name("receipts").exists();
    !(is_state && is_kept())
}

fn is_sarif(bytes: &[u8]) -> bool {
    let document: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    let name = document.as_ref().and_then(|it| it.pointer("/runs/0/tool/driver/name"));
    name.is_some_and(|name| name == "postpay")
}

/// Replaces a file atomically. No link is followed, because the path was resolved before.
fn replace(end: &Path, text: &str) -> io::Result<()> {
    // The umask decides who can read it.
    match TempFile::create(end, ".postpay-report-", files::SHARED) {
        Ok(mut temp) => {
            temp.file()?.write_all(text.as_bytes())?;
            temp.replace()
        }
        // The file may be writable where its folder is not.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let mut file = files::open(end, Links::Refused, Access::ReadWrite)?;
            file.set_len(0)?;
            file.write_all(text.as_bytes())
        }
        Err(error) => Err(error),
    }
}

/// Appends to a file that other programs write to as well. No link of the project is followed out of it.
pub(super) fn append(path: &Path, text: &str) -> io::Result<()> {
    if path.metadata().is_ok_and(|file| !file.is_file()) {
        return files::open_special(path)?.write_all(text.as_bytes());
    }
    let here = fs::canonicalize(".")?;
    let resolved = resolve_path(path, &here)?;
    if resolved.leads_out_of(&here) {
        return Err(Refusal::Link.into());
    }
    let mut file = match files::open(&resolved.end, Links::Refused, Access::Append) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            files::make(&resolved.end, files::SHARED, Access::Append)?
        }
        opened => opened?,
    };
    file.write_all(text.as_bytes())
}

fn format_of(path: &Path) -> Result<Format, Failure> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default().to_ascii_lowercase();
    // The longer ending comes first.
    let endings = [
        (".sarif.json", Format::Sarif),
        (".sarif", Format::Sarif),
        (".json", Format::Json),
        (".txt", Format::Human),
        (".csv", Format::Csv),
        (".md", Format::Markdown),
        (".html", Format::Html),
        (".xml", Format::Junit),
    ];
    let found = endings.into_iter().find(|(ending, _)| name.ends_with(ending));
    found.map(|(_, format)| format).ok_or_else(|| {
        let path = path.display().to_string();
        let path = clean(&path);
        Failure::new("report-format", text!("--report {path}: unknown file extension", path))
            .help(text!("allowed: .txt, .json, .md, .html, .sarif (or .sarif.json) and .xml (JUnit)"))
            .help(NOTHING_SENT)
    })
}

fn in_use(flag: &str, path: &Path) -> Failure {
    let path = path.display().to_string();
    let path = clean(&path);
    Failure::new(
        "report-path",
        text!("{flag} {path}: this file is already used for something else", flag, path),
    )
    .help(text!("choose another file"))
    .help(NOTHING_SENT)
}

fn link_error(path: &Path, end: &Path) -> Failure {
    let (path, end) = (path.display().to_string(), end.display().to_string());
    let (path, end) = (clean(&path), clean(&end));
    Failure::new(
        "report-path",
        text!("--report {path}: a link in the project points to {end}", path, end),
    )
    .help(text!("a link in the project may only point to a report of the same format in the project: remove it, or name the target file directly"))
    .help(NOTHING_SENT)
}

/// Whether two paths are the same file, or would be.
fn same_file(a: &Path, b: &Path) -> bool {
    let place = |path| Place::resolve(path).ok();
    a == b || place(a).zip(place(b)).is_some_and(|(a, b)| a.is(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_picks_the_format() {
        let picked = |name: &str| format_of(Path::new(name)).ok();
        for (name, format) in [
            ("a.json", Some(Format::Json)),
            ("a.b.txt", Some(Format::Human)),
            ("a.MD", Some(Format::Markdown)),
            ("a.html", Some(Format::Html)),
            ("a.sarif", Some(Format::Sarif)),
            ("a.sarif.json", Some(Format::Sarif)),
            ("out/a.xml", Some(Format::Junit)),
            ("a.yaml", None),
            ("json", None),
        ] {
            assert_eq!(picked(name), format, "{name}");
        }
    }

    #[test]
    fn a_key_tells_projects_of_one_repository_apart() {
        let key = |folder: &str, named: &[&str]| {
            let named = named.iter().map(|&name| name.to_owned()).collect();
            let reports = Reports { named, ..Reports::default() };
            reports.key(folder)
        };
        assert_eq!(key("", &[]), None);
        assert_eq!(key("infra/shop", &[]).as_deref(), Some("infra/shop"));
        assert_eq!(key("infra", &["prod.yaml"]).as_deref(), Some("infra/prod.yaml"));
        assert_eq!(key("", &["a.yaml", "b.json"]).as_deref(), Some("a.yaml:b.json"));
    }

    #[test]
    fn what_is_there_is_not_replaced_before_it_was_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let mut reports = Reports::default();
        reports.write(&path, "one").unwrap();
        assert!(reports.write(&path, "two").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        reports.guarded = true;
        reports.write(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one_also_when_it_names_nothing_yet() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link.txt");
        std::os::unix::fs::symlink("to.txt", &link).unwrap();
        let reports = Reports { guarded: true, ..Reports::default() };
        for text in ["one", "two"] {
            reports.write(&link, text).unwrap();
            assert!(link.is_symlink());
            let named = folder.path().join("to.txt");
            assert_eq!(fs::read_to_string(named).unwrap(), text);
        }
    }
}
