//! Files that somebody else may have put where we look: opened only when they are what they should be, read only so far, and
//! links followed only as far as they may lead.
//!
//! A repository brings links along, and a folder that others write to holds whatever they like. Reading `/dev/zero` takes all
//! memory, opening a pipe waits for ever, and a link in the place of a file that we write to has us write to another. What
//! the files mean is left to whoever asks.

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
pub use folder::Unnamed;
use folder::{Folder, Make, split};

/// Whether a path may lead through links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Whoever named the path meant what it leads to.
    Followed,
    /// No part of the path may be a link: it was resolved before, and a link in it was put there since.
    Refused,
}

/// Our own reason, where the system has none to give.
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

/// Opens a regular file, and nothing else. Never waits, as opening a pipe would for its other end.
///
/// # Errors
/// With a [`Refusal`], or as the system says.
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

/// Opens a file that is written to as it stands: no link leads to it, and no second name.
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

/// As [`open_own`], and makes the file, for its owner alone, where there is none.
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

/// Makes a file where nothing is, not even a link. On Unix `mode` says who may do what with it.
///
/// # Errors
/// As the system says, and when a folder of the path is a link.
pub fn make(path: &Path, mode: u32, access: Access) -> io::Result<File> {
    let (folder, name) = split(path)?;
    folder.make_file(name, Make { mode, access })
}

/// Makes a folder, and those above it. A link in the place of one of them is refused.
///
/// # Errors
/// As the system says.
pub fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    if path.as_os_str().is_empty() || Folder::open(path).is_ok() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        make_folder(above, mode)?;
    }
    let Ok((folder, name)) = split(path) else {
        // `.` or `..`, which are there, or can't be made.
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
/// As the system says.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let (folder, name) = split(from)?;
    let (into, new) = split(to)?;
    folder.rename(name, &into, new)
}

/// Removes a file. No folder of the path may be a link.
///
/// # Errors
/// As the system says.
pub fn remove(path: &Path) -> io::Result<()> {
    let (folder, name) = split(path)?;
    folder.remove(name)
}

/// For its owner alone: of a file, and of a folder.
pub const PRIVATE: u32 = 0o600;
pub const PRIVATE_FOLDER: u32 = 0o700;
/// As the umask says: of a file, and of a folder.
pub const SHARED: u32 = 0o666;
pub const SHARED_FOLDER: u32 = 0o777;

/// Everything in a regular file, when it is no more than `most` bytes.
///
/// # Errors
/// As [`open`].
pub fn read(path: &Path, links: Links, most: u64) -> io::Result<Vec<u8>> {
    read_from(&open(path, links, Access::Read)?, most)
}

/// Everything that is left to read in a file that [`open`] gave, when it is no more than `most` bytes.
///
/// # Errors
/// As [`open`].
pub fn read_from(file: &File, most: u64) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(most)).unwrap_or(0));
    // A file may grow while it is read, so the size is held to while reading, not asked before.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > most) {
        return Err(Refusal::TooLarge { most }.into());
    }
    // What has no size and yet a content, before and after, is made up by the kernel: /proc/self/environ holds the keys of
    // whoever runs this.
    if !bytes.is_empty() && size == 0 && file.metadata()?.len() == 0 {
        return Err(Refusal::NoRegularFile.into());
    }
    Ok(bytes)
}

/// What a path stands for: the file at its end, by whatever other name, or the place for one.
#[derive(Debug)]
pub struct Place {
    end: PathBuf,
    there: Option<Metadata>,
}

impl Place {
    /// The end of a path, wherever links lead, from the folder that we are in.
    ///
    /// # Errors
    /// When that folder is gone, or the links go round.
    pub fn of(path: &Path) -> io::Result<Self> {
        let here = fs::canonicalize(".")?;
        Ok(Self::at(Way::of(path, &here, &here)?.end))
    }

    /// A place that is known to be whole and without links.
    pub fn at(end: PathBuf) -> Self {
        Self { there: fs::metadata(&end).ok(), end }
    }

    /// Whether both are one file, also by a hard link, or would be.
    pub fn is(&self, other: &Self) -> bool {
        let numbered = self.there.as_ref().zip(other.there.as_ref());
        self.end == other.end || cfg!(unix) && numbered.is_some_and(|(a, b)| is_one(a, b))
    }

    pub fn end(&self) -> &Path {
        &self.end
    }
}

/// Whether both describe one file. Where the system does not number its files, two with one creation time count as one.
fn is_one(a: &Metadata, b: &Metadata) -> bool {
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

/// Whether `path` itself, without following a link, still leads to the open `file`.
///
/// # Errors
/// When either can't be examined; a path that leads nowhere is no error.
pub fn leads_to(path: &Path, file: &File) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(there) => Ok(is_one(&there, &file.metadata()?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// What changes when a file is written to or replaced: device, inode, size and times. Comparing two of these does not
/// read the file.
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
    /// The fingerprint of what is at `path`, without following a link; None when nothing is there.
    ///
    /// # Errors
    /// When that can't be determined.
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

/// Where a path leads, whether or not there is anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Without links and `..`.
    pub end: PathBuf,
    /// The last part of the path is a link.
    pub is_link: bool,
    /// There is a link on the way.
    has_links: bool,
    /// Where it started.
    here: PathBuf,
    /// A link on the way lies in the project. Whoever may change the project chose where it leads.
    pub by_link_of_project: bool,
}

impl Way {
    /// Follows `path`, taken from `here`; both `here` and `project` are whole and without links.
    ///
    /// By hand, as what is at the end, and folders before it, may not be there yet.
    ///
    /// # Errors
    /// When its links go round.
    pub fn of(path: &Path, here: &Path, project: &Path) -> io::Result<Self> {
        const MOST_LINKS: usize = 40;
        let mut left = parts(path);
        // How many of these, from the front, are a link's and not the path's own.
        let mut of_links = 0_usize;
        let mut links = 0;
        let mut way = Self {
            end: here.to_owned(),
            is_link: false,
            has_links: false,
            here: here.to_owned(),
            by_link_of_project: false,
        };
        while let Some(part) = left.pop_front() {
            let is_last = of_links == 0 && left.is_empty();
            of_links = of_links.saturating_sub(1);
            if part == ".." {
                way.end.pop();
                continue;
            }
            // The root, or on Windows a prefix, replaces what is before it.
            let next = way.end.join(&part);
            let Ok(to) = fs::read_link(&next) else {
                // No link, or not there, or not readable: whoever opens it says so.
                way.end = next;
                continue;
            };
            links += 1;
            if links > MOST_LINKS {
                let why = Text::fixed("too many links");
                return Err(error(io::ErrorKind::InvalidInput, why));
            }
            way.is_link |= is_last;
            way.has_links = true;
            way.by_link_of_project |= way.end.starts_with(project);
            let parts = parts(&to);
            of_links += parts.len();
            for part in parts.into_iter().rev() {
                left.push_front(part);
            }
        }
        Ok(way)
    }

    /// The path that this is the way of, where no link is on it; else its end, from where it started if that holds it.
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

    /// Whether a link of the project leads out of it.
    pub fn leads_out_of(&self, project: &Path) -> bool {
        self.by_link_of_project && !self.end.starts_with(project)
    }
}

/// A path without links that leads where `path` does, for what was typed: a link in it later is an error.
///
/// # Errors
/// When its links go round.
pub fn resolve(path: &Path) -> io::Result<PathBuf> {
    let here = fs::canonicalize(".")?;
    Ok(Way::of(path, &here, &here)?.resolved(path))
}

/// As [`resolve`], of the folder alone: the last part may be a link still.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_folder(path: &Path) -> io::Result<PathBuf> {
    let folder = resolve(path.parent().unwrap_or(Path::new("")))?;
    Ok(folder.join(path.file_name().unwrap_or_default()))
}

/// Opens what is no regular file, a pipe or a device, to be written to.
///
/// # Errors
/// As the system says, and where a regular file is there by now.
pub fn open_special(path: &Path) -> io::Result<File> {
    let file = fs::OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.is_file() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    Ok(file)
}

/// The parts of a path but for those that say nothing.
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
        Refusal::of(&error).unwrap_or_else(|| panic!("{error}"))
    }

    #[test]
    fn only_a_regular_file_is_read_and_only_so_far() {
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
    fn a_folder_that_became_a_link_after_it_was_resolved_is_refused() {
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
        refused(Unnamed::make(&path, ".x-", PRIVATE).map(drop));
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
    fn a_file_without_its_name_is_removed_and_takes_no_name_that_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        drop(Unnamed::make(&at("a"), ".x-", PRIVATE).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        for new in [true, false] {
            fs::write(at("a"), "old").unwrap();
            let mut unnamed = Unnamed::make(&at("a"), ".x-", PRIVATE).unwrap();
            io::Write::write_all(unnamed.file().unwrap(), b"new").unwrap();
            let named = if new { unnamed.name().map(drop) } else { unnamed.replace() };
            assert_eq!(named.is_err(), new);
            assert_eq!(fs::read_to_string(at("a")).unwrap(), if new { "old" } else { "new" });
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn what_is_written_to_as_it_stands_has_one_name_and_is_for_its_owner() {
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
    fn a_way_is_followed_to_its_end_also_when_nothing_is_there() {
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
        let way = |path: &str| Way::of(Path::new(path), &project, &project).unwrap();

        for (path, end, is_link, leads_out) in [
            ("in/x.json", "project/in/x.json", false, false),
            ("./in/../x.json", "project/x.json", false, false),
            ("inner", "project/in/new.json", true, false),
            ("outer/x.json", "out/x.json", false, true),
            ("chain", "out/deep", true, true),
            ("../out/x.json", "out/x.json", false, false),
            ("../to-project/x.json", "project/in/x.json", false, false),
        ] {
            let way = way(path);
            assert_eq!(way.end, whole.join(end), "{path}");
            assert_eq!(way.is_link, is_link, "{path}");
            assert_eq!(way.leads_out_of(&project), leads_out, "{path}");
        }
        let absolute = whole.join("out/x.json");
        assert_eq!(way(absolute.to_str().unwrap()).end, absolute);
        assert!(Way::of(Path::new("round"), &project, &project).is_err());
    }

    #[test]
    fn a_second_name_leads_to_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "x").unwrap();
        fs::write(at("copy"), "x").unwrap();
        fs::hard_link(at("file"), at("twin")).unwrap();
        symlink("file", at("link")).unwrap();
        for (name, one) in [("twin", true), ("link", true), ("copy", false), ("gone", false)] {
            let place = |name: &str| Place::of(&at(name)).unwrap();
            assert_eq!(place("file").is(&place(name)), one, "{name}");
        }
    }

    #[test]
    fn every_refusal_is_told_in_both_languages() {
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
