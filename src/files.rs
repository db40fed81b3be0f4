//! Opens files safely in folders that others may write to: regular files only, up to a size, and without
//! following unexpected links.
//!
//! A repository may contain links, and a shared folder anything. Reading `/dev/zero` exhausts memory, opening
//! a pipe blocks forever, and a link in place of our file redirects our writes.

mod access;
mod folder;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use crate::i18n::Text;
pub use access::{Access, Refusal};
pub use folder::TempFile;
use folder::{Folder, Make, split};

/// Whether a path may lead through links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Follow links: the user gave the path.
    Followed,
    /// Reject links in any part of the path, which was resolved before: one that is there now was added
    /// since.
    Refused,
}

/// Returns an error with our own message.
pub fn error(kind: io::ErrorKind, why: Text) -> io::Error {
    #[derive(Debug)]
    struct Why(Text);

    /// English, and Chinese as `{:#}`.
    impl fmt::Display for Why {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }

    impl std::error::Error for Why {}

    io::Error::new(kind, Why(why))
}

/// Opens a regular file. Never blocks, as opening a pipe would.
///
/// # Errors
/// A [`Refusal`], or the system's error.
pub fn open(path: &Path, links: Links, access: Access) -> io::Result<File> {
    let file = match links {
        Links::Followed => folder::follow(path, access)?,
        Links::Refused => {
            let (folder, name) = split(path)?;
            folder.open_file(name, access)?
        }
    };
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        return Err(Refusal::NoRegularFile.into());
    }
    Ok(file)
}

/// Opens a file to be modified in place: neither a symbolic nor a hard link.
///
/// # Errors
/// As [`open`].
pub fn open_own(path: &Path, access: Access) -> io::Result<File> {
    let file = open(path, Links::Refused, access)?;
    if has_several_names(&file.metadata()?) {
        return Err(Refusal::SeveralNames.into());
    }
    Ok(file)
}

/// Like [`open_own`], but creates a missing file, private to its owner.
///
/// # Errors
/// As [`open`].
pub fn open_or_make_own(path: &Path, access: Access) -> io::Result<File> {
    loop {
        match open_own(path, access) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        match make(path, PRIVATE, access) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made,
        }
    }
}

/// Creates a file; fails if anything, even a link, exists. On Unix with this mode.
///
/// # Errors
/// The system's, and when a folder of the path is a link.
pub fn make(path: &Path, mode: u32, access: Access) -> io::Result<File> {
    let (folder, name) = split(path)?;
    folder.make_file(name, Make { mode, access })
}

/// Creates a folder and its parents. Fails when one of them is a link.
///
/// # Errors
/// The system's.
pub fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    if path.as_os_str().is_empty() || Folder::open(path).is_ok() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        make_folder(above, mode)?;
    }
    let Ok((folder, name)) = split(path) else {
        // `.` and `..` exist or can't be created.
        return Folder::open(path).map(drop);
    };
    match folder.make_folder(name, mode) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Folder::open(path).map(drop),
        result => result,
    }
}

/// Moves a file. No folder of either path may be a link.
///
/// # Errors
/// The system's.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let (folder, name) = split(from)?;
    let (into, new) = split(to)?;
    folder.rename(name, &into, new)
}

/// Removes a file. No folder of the path may be a link.
///
/// # Errors
/// The system's.
pub fn remove(path: &Path) -> io::Result<()> {
    let (folder, name) = split(path)?;
    folder.remove(name)
}

/// Modes for the owner alone, of a file and a folder.
pub const PRIVATE: u32 = 0o600;
pub const PRIVATE_FOLDER: u32 = 0o700;
/// Modes subject to the umask, of a file and a folder.
pub const SHARED: u32 = 0o666;
pub const SHARED_FOLDER: u32 = 0o777;

/// Reads a regular file of at most `most` bytes.
///
/// # Errors
/// As [`open`].
pub fn read(path: &Path, links: Links, most: u64) -> io::Result<Vec<u8>> {
    read_from(&open(path, links, Access::Read)?, most)
}

/// Reads the rest of a file from [`open`], at most `most` bytes.
///
/// # Errors
/// As [`open`].
pub fn read_from(file: &File, most: u64) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(most)).unwrap_or(0));
    // A file may grow while it is read, so limit the read instead of checking the size first.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > most) {
        return Err(Refusal::TooLarge { most }.into());
    }
    // A file with content but no size is generated by the kernel: /proc/self/environ has the user's
    // credentials.
    if !bytes.is_empty() && size == 0 && file.metadata()?.len() == 0 {
        return Err(Refusal::NoRegularFile.into());
    }
    Ok(bytes)
}

/// The file that a path leads to, whether or not it exists. Compares equal under other names.
#[derive(Debug)]
pub struct Place {
    end: PathBuf,
    there: Option<Metadata>,
}

impl Place {
    /// Resolves a path, with all its links, from the current folder.
    ///
    /// # Errors
    /// When that folder is gone, or the links form a cycle.
    pub fn resolve(path: &Path) -> io::Result<Self> {
        let here = fs::canonicalize(".")?;
        Ok(Self::at(ResolvedPath::new(path, &here, &here)?.end))
    }

    /// Returns the place at a path that is already resolved.
    pub fn at(end: PathBuf) -> Self {
        Self { there: fs::metadata(&end).ok(), end }
    }

    /// Returns whether both are, or would be, the same file. Includes hard links.
    pub fn is(&self, other: &Self) -> bool {
        let numbered = self.there.as_ref().zip(other.there.as_ref());
        self.end == other.end || cfg!(unix) && numbered.is_some_and(|(a, b)| is_same_file(a, b))
    }

    pub fn end(&self) -> &Path {
        &self.end
    }
}

/// Returns whether both describe one file. On systems without file numbers, by creation time.
fn is_same_file(a: &Metadata, b: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        (a.dev(), a.ino()) == (b.dev(), b.ino())
    }
    #[cfg(not(unix))]
    {
        a.created().ok() == b.created().ok()
    }
}

/// Returns whether `path`, without following a link, is still the open `file`.
///
/// # Errors
/// When either can't be examined; a missing file is no error.
pub fn leads_to(path: &Path, file: &File) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(there) => Ok(is_same_file(&there, &file.metadata()?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Changes when a file is written to or replaced: device, inode, size and times. Does not read the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    #[cfg(unix)]
    inode: (u64, u64),
    #[cfg(unix)]
    changed: (i64, i64),
    size: u64,
    modified: Option<SystemTime>,
    created: Option<SystemTime>,
}

impl Fingerprint {
    /// Returns the fingerprint of the file at `path`, without following a link; None when it is missing.
    ///
    /// # Errors
    /// When it can't be determined.
    pub fn at(path: &Path) -> io::Result<Option<Self>> {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        match fs::symlink_metadata(path) {
            Ok(there) => Ok(Some(Self {
                #[cfg(unix)]
                inode: (there.dev(), there.ino()),
                #[cfg(unix)]
                changed: (there.ctime(), there.ctime_nsec()),
                size: there.len(),
                modified: there.modified().ok(),
                created: there.created().ok(),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn has_several_names(file: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        file.nlink() > 1
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        false
    }
}

/// A resolved path. The file may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedPath {
    /// Without links and `..`.
    pub end: PathBuf,
    /// The last part of the path is a link.
    pub is_link: bool,
    /// The path contains a link.
    has_links: bool,
    /// The folder that relative paths start from.
    here: PathBuf,
    /// A link inside the project was followed. A pull request may have added it.
    pub has_project_link: bool,
}

impl ResolvedPath {
    /// Resolves `path` relative to `here`; `here` and `project` have to be resolved.
    ///
    /// Unlike `canonicalize`, works when the end of the path is missing.
    ///
    /// # Errors
    /// When its links form a cycle.
    pub fn new(path: &Path, here: &Path, project: &Path) -> io::Result<Self> {
        const MOST_LINKS: usize = 40;
        let mut left = parts(path);
        // How many parts at the front come from links, not from the path itself.
        let mut from_links = 0_usize;
        let mut links = 0;
        let mut resolved = Self {
            end: here.to_owned(),
            is_link: false,
            has_links: false,
            here: here.to_owned(),
            has_project_link: false,
        };
        while let Some(part) = left.pop_front() {
            let is_last = from_links == 0 && left.is_empty();
            from_links = from_links.saturating_sub(1);
            if part == ".." {
                resolved.end.pop();
                continue;
            }
            // A root, or a prefix on Windows, replaces the path so far.
            let next = resolved.end.join(&part);
            let Ok(to) = fs::read_link(&next) else {
                // Not a link, missing or unreadable: opening it reports the error.
                resolved.end = next;
                continue;
            };
            links += 1;
            if links > MOST_LINKS {
                let why = Text::fixed("too many links");
                return Err(error(io::ErrorKind::InvalidInput, why));
            }
            resolved.is_link |= is_last;
            resolved.has_links = true;
            resolved.has_project_link |= resolved.end.starts_with(project);
            let parts = parts(&to);
            from_links += parts.len();
            for part in parts.into_iter().rev() {
                left.push_front(part);
            }
        }
        Ok(resolved)
    }

    /// Returns the path as given if it has no links, else the resolved one, relative to its start if inside.
    pub fn resolved(&self, path: &Path) -> PathBuf {
        if !self.has_links {
            return path.to_owned();
        }
        match self.end.strip_prefix(&self.here) {
            Ok(inside) if !inside.as_os_str().is_empty() => inside.to_owned(),
            Ok(_) => PathBuf::from("."),
            Err(_) => self.end.clone(),
        }
    }

    /// Returns whether a link of the project leads out of it.
    pub fn leads_out_of(&self, project: &Path) -> bool {
        self.has_project_link && !self.end.starts_with(project)
    }
}

/// Resolves the links in a path from the command line, so that any link found in it later is an error.
///
/// # Errors
/// When its links form a cycle.
pub fn resolve(path: &Path) -> io::Result<PathBuf> {
    let here = fs::canonicalize(".")?;
    Ok(ResolvedPath::new(path, &here, &here)?.resolved(path))
}

/// Like [`resolve`], but only resolves the folder: the last part may be a link.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_folder(path: &Path) -> io::Result<PathBuf> {
    let folder = resolve(path.parent().unwrap_or(Path::new("")))?;
    Ok(folder.join(path.file_name().unwrap_or_default()))
}

/// Opens a pipe or device for writing.
///
/// # Errors
/// The system's, and when it is a regular file by now.
pub fn open_special(path: &Path) -> io::Result<File> {
    let file = fs::OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.is_file() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    Ok(file)
}

/// Returns the parts of a path without `.`.
fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter(|part| *part != Component::CurDir)
        .map(|part| part.as_os_str().to_owned())
        .collect()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::access::MIB;
    use super::*;
    use crate::i18n::Lang;

    fn refusal<T: fmt::Debug>(result: io::Result<T>) -> Refusal {
        let error = result.unwrap_err();
        Refusal::from_error(&error).unwrap_or_else(|| panic!("{error}"))
    }

    #[test]
    fn only_regular_files_up_to_the_limit_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "12345").unwrap();
        symlink("file", at("link")).unwrap();
        symlink("/dev/zero", at("zero")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status();
        assert!(made.unwrap().success());

        assert_eq!(read(&at("file"), Links::Refused, 5).unwrap(), b"12345");
        assert_eq!(read(&at("link"), Links::Followed, 5).unwrap(), b"12345");
        let got = |name: &str, links| refusal(read(&at(name), links, 5));
        assert_eq!(got("link", Links::Refused), Refusal::Link);
        assert_eq!(got("zero", Links::Followed), Refusal::NoRegularFile);
        assert_eq!(got("pipe", Links::Refused), Refusal::NoRegularFile);
        let small = read(&at("file"), Links::Refused, 4);
        assert_eq!(refusal(small), Refusal::TooLarge { most: 4 });
        let environment = Path::new("/proc/self/environ");
        if environment.exists() {
            let read = read(environment, Links::Followed, MIB);
            assert_eq!(refusal(read), Refusal::NoRegularFile);
        }
    }

    #[test]
    fn folder_that_became_a_link_after_resolving_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().canonicalize().unwrap();
        let at = |name: &str| whole.join(name);
        fs::create_dir_all(at("out")).unwrap();
        fs::create_dir_all(at("in/deep")).unwrap();
        fs::write(at("in/deep/old"), "").unwrap();
        let path = resolve(&at("in/deep/new")).unwrap();
        fs::rename(at("in"), at("moved")).unwrap();
        fs::create_dir_all(at("out/deep")).unwrap();
        fs::write(at("out/deep/old"), "").unwrap();
        symlink("out", at("in")).unwrap();

        let old = path.with_file_name("old");
        let refused = |result: io::Result<()>| assert_eq!(refusal(result), Refusal::FolderLink);
        refused(make(&path, PRIVATE, Access::Append).map(drop));
        refused(TempFile::create(&path, ".x-", PRIVATE).map(drop));
        refused(open_own(&old, Access::Append).map(drop));
        refused(open_or_make_own(&path, Access::Append).map(drop));
        refused(read(&old, Links::Refused, 9).map(drop));
        refused(rename(&at("moved/deep/old"), &path));
        refused(remove(&old));
        refused(make_folder(&path.join("deeper"), PRIVATE_FOLDER));
        assert_eq!(fs::read_dir(at("out/deep")).unwrap().count(), 1);
        assert!(at("moved/deep/old").exists());
    }

    #[test]
    fn unfinished_temp_file_is_removed_and_does_not_replace_a_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        drop(TempFile::create(&at("a"), ".x-", PRIVATE).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        for new in [true, false] {
            fs::write(at("a"), "old").unwrap();
            let mut temp = TempFile::create(&at("a"), ".x-", PRIVATE).unwrap();
            io::Write::write_all(temp.file().unwrap(), b"new").unwrap();
            let named = if new { temp.persist_new().map(drop) } else { temp.replace() };
            assert_eq!(named.is_err(), new);
            assert_eq!(fs::read_to_string(at("a")).unwrap(), if new { "old" } else { "new" });
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn files_modified_in_place_are_private_and_not_linked() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let options = Access::ReadWrite;
        open_or_make_own(&at("new"), options).unwrap();
        open_or_make_own(&at("new"), options).unwrap();
        let mode = fs::metadata(at("new")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        fs::hard_link(at("new"), at("twin")).unwrap();
        let opened = open_or_make_own(&at("new"), options);
        assert_eq!(refusal(opened), Refusal::SeveralNames);
        symlink("nowhere", at("dangling")).unwrap();
        let opened = open_or_make_own(&at("dangling"), options);
        assert_eq!(refusal(opened), Refusal::Link);
        assert!(!at("nowhere").exists());
    }

    #[test]
    fn path_is_resolved_even_when_its_end_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().canonicalize().unwrap();
        let project = whole.join("project");
        fs::create_dir_all(project.join("in")).unwrap();
        for (to, name) in
            [("in/new.json", "inner"), ("../out", "outer"), ("outer/deep", "chain"), ("round", "round")]
        {
            symlink(to, project.join(name)).unwrap();
        }
        symlink(project.join("in"), whole.join("to-project")).unwrap();
        let resolved = |path: &str| ResolvedPath::new(Path::new(path), &project, &project).unwrap();

        for (path, end, is_link, leads_out) in [
            ("in/x.json", "project/in/x.json", false, false),
            ("./in/../x.json", "project/x.json", false, false),
            ("inner", "project/in/new.json", true, false),
            ("outer/x.json", "out/x.json", false, true),
            ("chain", "out/deep", true, true),
            ("../out/x.json", "out/x.json", false, false),
            ("../to-project/x.json", "project/in/x.json", false, false),
        ] {
            let resolved = resolved(path);
            assert_eq!(resolved.end, whole.join(end), "{path}");
            assert_eq!(resolved.is_link, is_link, "{path}");
            assert_eq!(resolved.leads_out_of(&project), leads_out, "{path}");
        }
        let absolute = whole.join("out/x.json");
        assert_eq!(resolved(absolute.to_str().unwrap()).end, absolute);
        assert!(ResolvedPath::new(Path::new("round"), &project, &project).is_err());
    }

    #[test]
    fn hard_link_is_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "x").unwrap();
        fs::write(at("copy"), "x").unwrap();
        fs::hard_link(at("file"), at("twin")).unwrap();
        symlink("file", at("link")).unwrap();
        for (name, one) in [("twin", true), ("link", true), ("copy", false), ("gone", false)] {
            let place = |name: &str| Place::resolve(&at(name)).unwrap();
            assert_eq!(place("file").is(&place(name)), one, "{name}");
        }
    }

    #[test]
    fn every_refusal_has_both_languages() {
        for refusal in [
            Refusal::Link,
            Refusal::NoRegularFile,
            Refusal::SeveralNames,
            Refusal::TooLarge { most: MIB },
            Refusal::FolderLink,
        ] {
            assert!(refusal.text().is_in_both(), "{refusal:?}");
            let error = io::Error::from(refusal);
            assert_eq!(format!("{error:#}"), refusal.text().in_lang(Lang::Zh));
        }
    }
}
