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

/// Where the result goes besides standard output.
#[derive(Debug, Default)]
pub(super) struct Reports {
    pub files: Vec<(PathBuf, Format)>,
    /// Where calls are recorded; no file either that has another purpose.
    pub record: Option<PathBuf>,
    /// They were compared with the files that must not be overwritten. Until then only new ones are written.
    pub guarded: bool,
    /// Where they lead, without links, as found when they were compared with those files.
    ends: HashMap<PathBuf, PathBuf>,
    /// They hold the result already, or it was tried.
    pub written: bool,
    /// Standard output has the result already.
    pub printed: bool,
    /// What tells this project apart from others of the repository: its configuration and its state, where they were
    /// named.
    pub named: Vec<String>,
    /// The folder that we are in, below the root of the repository.
    pub folder: OnceCell<String>,
}

impl Reports {
    /// Each file with its format.
    pub(super) fn of(paths: &[PathBuf]) -> Result<Self, Failure> {
        let files = paths
            .iter()
            .map(|path| Ok((path.clone(), format_of(path)?)))
            .collect::<Result<Vec<_>, Failure>>()?;
        for (at, (path, _)) in files.iter().enumerate() {
            if files.iter().skip(at + 1).any(|(other, _)| same_file(path, other)) {
                return Err(taken("--report", path));
            }
        }
        Ok(Self { files, ..Self::default() })
    }

    /// Refuses a report, or the record of calls, in the place of a file that the command reads or writes for another purpose.
    pub(super) fn spare(&mut self, path: &Path) -> Result<(), Failure> {
        if self.files.is_empty() && self.record.is_none() {
            return Ok(());
        }
        // Where it can't be followed it can't be used either, which says why.
        Place::resolve(path).map_or(Ok(()), |place| self.spare_all([place]))
    }

    /// As [`Self::spare`], of many files.
    pub(super) fn spare_all(&mut self, places: impl IntoIterator<Item = Place>) -> Result<(), Failure> {
        let of_reports = self.files.iter().map(|(file, _)| ("--report", file));
        let of_record = self.record.iter().map(|file| ("--record", file));
        let own: Vec<(&str, &PathBuf, Place)> = of_reports
            .chain(of_record)
            .filter_map(|(flag, file)| Some((flag, file, Place::resolve(file).ok()?)))
            .collect();
        let met = places.into_iter().find_map(|place| {
            let (flag, file, _) = own.iter().find(|(.., own)| own.is(&place))?;
            Some(taken(flag, file))
        });
        match met {
            Some(failure) => {
                // Not even to say why there is no result.
                self.written = true;
                Err(failure)
            }
            None => Ok(()),
        }
    }

    /// Refuses to record in a report.
    pub(super) fn spare_record(&mut self, path: &Path) -> Result<(), Failure> {
        self.spare(path)?;
        self.record = Some(path.to_owned());
        Ok(())
    }

    /// Refuses a report in whose place a link of the project leads out of it, or to a file of another kind: whoever may change
    /// the project would choose what is overwritten. And one in the place of a file that is no report.
    pub(super) fn keep_in(&mut self, project: &Path) -> Result<(), Failure> {
        for (path, format) in &self.files {
            let way = way(path, project).map_err(|error| cannot_write(path, &error))?;
            if way.leads_out_of(project) {
                return Err(led_away(path, &way.end));
            }
            let is_alike = format_of(&way.end).is_ok_and(|other| other == *format);
            // Into a pipe any kind of text can go.
            let is_special = path.metadata().is_ok_and(|there| !there.is_file());
            // A text file cannot be recognised as a report, so it is replaced only when it is named directly.
            let is_told = *format != Format::Human || way.end.symlink_metadata().is_err();
            if way.is_link && way.has_project_link && !(is_alike && is_told) && !is_special {
                return Err(led_away(path, &way.end));
            }
            if !is_special && !way.end.is_dir() {
                spare_others(path, &way.end, *format)?;
            }
            self.ends.insert(path.clone(), way.end);
        }
        Ok(())
    }

    /// Tells apart the projects of one repository: by the folder, and by a configuration and a state that were named.
    pub(super) fn key(&self, folder: &str) -> Option<String> {
        let named = self.named.iter().map(|path| from_root(path, folder));
        let folder = Some(folder.to_owned()).filter(|folder| !folder.is_empty());
        let parts: Vec<String> =
            if self.named.is_empty() { folder.into_iter().collect() } else { named.collect() };
        (!parts.is_empty()).then(|| parts.join(":"))
    }

    /// Puts the whole text in the file's place at once.
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
            // Until then a folder may be a link that leads anywhere, too.
            let here = fs::canonicalize(".").map_err(|error| cannot_write(path, &error))?;
            let way = way(path, &here).map_err(|error| cannot_write(path, &error))?;
            if !self.guarded && way.leads_out_of(&here) {
                return Err(led_away(path, &way.end));
            }
            way.end
        };
        // A pipe or a device has nothing that could be replaced.
        if path.metadata().is_ok_and(|file| !file.is_file()) {
            let written = files::open_special(path).and_then(|mut it| it.write_all(text.as_bytes()));
            return written.map_err(|error| cannot_write(path, &error));
        }
        if let Ok(format) = format_of(path) {
            spare_others(path, &end, format)?;
        }
        replace(&end, text).map_err(|error| cannot_write(path, &error))
    }
}

/// Where a path leads from the folder that we are in.
pub(super) fn way(path: &Path, project: &Path) -> io::Result<ResolvedPath> {
    ResolvedPath::new(path, &fs::canonicalize(".")?, project)
}

/// Refuses to replace a file that is no report of this format, unless it is empty.
fn spare_others(path: &Path, end: &Path, format: Format) -> Result<(), Failure> {
    /// Far more than a report of a hundred thousand environments has.
    const MOST: u64 = 512 * 1024 * 1024;
    let is_ours = match files::read(end, Links::Refused, MOST) {
        Ok(bytes) => bytes.is_empty() || is_report(&bytes, end, format),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) if Refusal::from_error(&error).is_some() => false,
        // What can't be read can't be recognised, nor lost by whoever may not write it.
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

/// Whether a file holds a report of ours, by what each format begins with or says of its tool. A text says nothing.
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

/// Every document of ours has a version that is a number. A state has one too, and is one where its companions are beside it.
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

/// A reader sees the old text or the new one, and never a part. No link is followed: they were before.
fn replace(end: &Path, text: &str) -> io::Result<()> {
    // As any other file that a program writes: the umask decides who reads it.
    match TempFile::create(end, ".postpay-report-", files::SHARED) {
        Ok(mut temp) => {
            temp.file()?.write_all(text.as_bytes())?;
            temp.replace()
        }
        // The file may be ours to write where its folder is not.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let mut file = files::open(end, Links::Refused, Access::ReadWrite)?;
            file.set_len(0)?;
            file.write_all(text.as_bytes())
        }
        Err(error) => Err(error),
    }
}

/// At the end of a file that others write to as well. No link of the project is followed out of it.
pub(super) fn append(path: &Path, text: &str) -> io::Result<()> {
    if path.metadata().is_ok_and(|file| !file.is_file()) {
        return files::open_special(path)?.write_all(text.as_bytes());
    }
    let here = fs::canonicalize(".")?;
    let way = way(path, &here)?;
    if way.leads_out_of(&here) {
        return Err(Refusal::Link.into());
    }
    let mut file = match files::open(&way.end, Links::Refused, Access::Append) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            files::make(&way.end, files::SHARED, Access::Append)?
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

fn taken(flag: &str, path: &Path) -> Failure {
    let path = path.display().to_string();
    let path = clean(&path);
    Failure::new(
        "report-path",
        text!("{flag} {path}: this file is already used for something else", flag, path),
    )
    .help(text!("choose another file"))
    .help(NOTHING_SENT)
}

fn led_away(path: &Path, end: &Path) -> Failure {
    let (path, end) = (path.display().to_string(), end.display().to_string());
    let (path, end) = (clean(&path), clean(&end));
    Failure::new(
        "report-path",
        text!("--report {path}: a link in the project points to {end}", path, end),
    )
    .help(text!("a link in the project may only point to a report of the same format in the project: remove it, or name the target file directly"))
    .help(NOTHING_SENT)
}

/// Whether two paths name one file, or would.
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
