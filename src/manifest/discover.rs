//! From the paths that a user gave to the files behind them, in a stable order, each once.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::i18n::text;

/// The name of the project's own settings, which a folder never yields as a manifest.
pub const CONFIG_NAME: &str = "postpay.yaml";
/// The other name that is taken for them.
pub const OTHER_CONFIG_NAME: &str = "postpay.yml";

/// Whether the project's own settings are called this.
pub fn is_config_name(name: &std::ffi::OsStr) -> bool {
    name == CONFIG_NAME || name == OTHER_CONFIG_NAME
}

/// What becomes of the project's settings when they lie in a folder that is given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Settings<'a> {
    /// They are no manifest: neither `postpay.yaml` nor what stands for it.
    LeftOut(Option<&'a Path>),
    /// They are YAML like the rest.
    Taken,
}

/// How far paths may lead.
///
/// Whoever may change a project may name any path in it and make any file of it a link. If those were followed, a pull request
/// would have the computer that checks it show its own files: a problem shows the line that it is about.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// The project's folder, whole and without links.
    pub project: &'a Path,
    /// The paths were typed by whoever runs this, who may name anything. What is found in a folder stays in it even so, or in
    /// the project.
    pub typed: bool,
}

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// As the user would name it.
    pub shown: PathBuf,
    /// The file itself, whole and without links: what was looked at is what is opened.
    pub real: PathBuf,
}

/// What [`discover`] saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub found: Vec<Found>,
    /// What a manifest may have been called, or be called one day: it was not read.
    pub unrecognised: Vec<PathBuf>,
}

/// The files behind `paths`.
pub(super) fn discover(
    root: &Path,
    paths: &[PathBuf],
    bounds: Bounds<'_>,
    settings: Settings<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Seen {
    let (leaves_out, config) = match settings {
        Settings::LeftOut(config) => (true, config),
        Settings::Taken => (false, None),
    };
    let mut walk = Walk {
        root,
        bounds,
        within: None,
        leaves_out,
        config: config.and_then(|path| fs::canonicalize(root.join(path)).ok()),
        seen: HashSet::new(),
        folders: HashSet::new(),
        saw: Seen::default(),
        problems,
    };
    for path in paths {
        walk.given(path);
    }
    walk.saw
}

struct Walk<'a> {
    root: &'a Path,
    bounds: Bounds<'a>,
    /// The folder that was typed and is being walked: what is in it may be read too.
    within: Option<PathBuf>,
    /// The settings are left out of folders: files with their name, and the one at this real path.
    leaves_out: bool,
    config: Option<PathBuf>,
    /// Files by their real path, so that a file given twice counts once.
    seen: HashSet<PathBuf>,
    /// Folders on the way down, so that a link to a parent does not go round for ever.
    folders: HashSet<PathBuf>,
    saw: Seen,
    problems: &'a mut Vec<Diagnostic>,
}

impl Walk<'_> {
    fn given(&mut self, path: &Path) {
        let shown = path.strip_prefix(self.root).unwrap_or(path);
        let shown = if shown.as_os_str().is_empty() { Path::new(".") } else { shown };
        let (real, metadata) = match self.look(shown) {
            Ok(looked) => looked,
            Err(error) => return self.problems.push(cannot_open(shown, &error)),
        };
        if !self.bounds.typed && !self.may_read(&real) {
            return self.problems.push(outside(shown, &real));
        }
        if metadata.is_dir() {
            if has_manifest_name(shown) {
                return self.problems.push(folder_with_a_files_name(shown));
            }
            self.within = self.bounds.typed.then(|| real.clone());
            let any = self.folder(shown, &real);
            self.within = None;
            if !any {
                let folder = shown.display();
                self.problems.push(
                    Diagnostic::error("empty-folder", text!("no manifest in the folder `{folder}`", folder))
                        .help(text!("*.yaml and *.yml files are read, except hidden ones"))
                        .help(text!("`postpay init` creates a first manifest")),
                );
            }
        } else if metadata.is_file() {
            self.file(shown, real);
        } else {
            self.problems.push(not_a_file(shown));
        }
    }

    /// Where a path really leads, and to what.
    fn look(&self, shown: &Path) -> io::Result<(PathBuf, fs::Metadata)> {
        let real = fs::canonicalize(self.root.join(shown))?;
        let metadata = fs::metadata(&real)?;
        Ok((real, metadata))
    }

    fn may_read(&self, real: &Path) -> bool {
        let within = self.within.as_deref();
        real.starts_with(self.bounds.project) || within.is_some_and(|it| real.starts_with(it))
    }

    /// True when something in it, however deep, is meant to be a manifest.
    fn folder(&mut self, shown: &Path, real: &Path) -> bool {
        if !self.folders.insert(real.to_owned()) {
            return true;
        }
        let any = match entries(real) {
            Ok(names) => {
                let mut any = false;
                for name in names {
                    let path = if shown == Path::new(".") { PathBuf::from(name) } else { shown.join(name) };
                    any |= self.entry(&path, real);
                }
                any
            }
            Err(error) => {
                self.problems.push(cannot_open(shown, &error));
                true
            }
        };
        self.folders.remove(real);
        any
    }

    fn entry(&mut self, shown: &Path, folder: &Path) -> bool {
        let manifest = has_manifest_name(shown);
        if is_hidden(shown) {
            // At the top of a project, hidden YAML belongs to other tools: `.gitlab-ci.yml`.
            if is_nearly_a_manifest(shown) || (manifest && folder != self.bounds.project) {
                self.saw.unrecognised.push(shown.to_owned());
            }
            return false;
        }
        if is_nearly_a_manifest(shown) {
            self.saw.unrecognised.push(shown.to_owned());
            return false;
        }
        let (real, metadata) = match self.look(shown) {
            Ok(looked) => looked,
            // Whatever it is called, it may be a link to a folder of manifests.
            Err(error) => {
                self.problems.push(cannot_open(shown, &error));
                return true;
            }
        };
        let is_folder = metadata.is_dir();
        // What we would not read anyway may lead anywhere.
        if !is_folder && (!manifest || self.is_config(shown, &real)) {
            return false;
        }
        if !self.may_read(&real) {
            self.problems.push(outside(shown, &real));
            return true;
        }
        if is_folder {
            if manifest {
                self.problems.push(folder_with_a_files_name(shown));
                return true;
            }
            return self.folder(shown, &real);
        }
        if metadata.is_file() {
            self.file(shown, real);
        } else {
            self.problems.push(not_a_file(shown));
        }
        true
    }

    fn is_config(&self, shown: &Path, real: &Path) -> bool {
        self.leaves_out && shown.file_name().is_some_and(is_config_name)
            || self.config.as_deref() == Some(real)
    }

    fn file(&mut self, shown: &Path, real: PathBuf) {
        if self.seen.insert(real.clone()) {
            let shown = shown.to_owned();
            self.saw.found.push(Found { shown, real });
        }
    }
}

/// The names in a folder, sorted.
fn entries(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    let mut names = names.collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().to_lowercase()
}

fn is_hidden(path: &Path) -> bool {
    name(path).starts_with('.')
}

fn has_manifest_name(path: &Path) -> bool {
    let name = name(path);
    let ends = |ending| name.strip_suffix(ending).is_some_and(|stem| !stem.is_empty());
    (ends(".yaml") || ends(".yml")) && !name.starts_with(EDITOR_MARKS)
}

/// What editors put before the name of a file that they keep beside another.
const EDITOR_MARKS: [char; 3] = ['#', '~', '$'];

/// Names like `x.yaml.bak`, `x.yml~`, `#x.yaml#` and `x.yaml (1)`, and slips like `x.yam`.
fn is_nearly_a_manifest(path: &Path) -> bool {
    let name = name(path);
    !has_manifest_name(path)
        && ([".yaml", ".yml", "_yaml", "_yml"].iter().any(|ending| {
            let after = name.find(ending).map(|at| &name[at + ending.len()..]);
            // `x.yamllint` is another word.
            after.is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()))
        }) || [
            ".yam", ".yal", ".yalm", ".ymal", ".ymla", ".yaaml", ".yamll", ".yamml", ".yamle", ".ym", ".yl",
        ]
        .iter()
        .any(|slip| name.ends_with(slip)))
}

/// Whether a folder gives a file of this name as a manifest, or would warn of it.
pub fn may_be_manifest(path: &Path) -> bool {
    has_manifest_name(path) || is_nearly_a_manifest(path)
}

/// Names what looks like manifests and was not read; None when there is nothing of the kind.
pub(super) fn not_read(unrecognised: &[PathBuf]) -> Option<Diagnostic> {
    let names = listed(unrecognised)?;
    let n = unrecognised.len();
    let (en, what) = (if n == 1 { "" } else { "s" }, names);
    Some(
        Diagnostic::warning(
            "manifest-not-read",
            text!("ignored files whose name{en} look like manifests: {what}", en, what),
        )
        .help(text!("manifests are named *.yaml or *.yml: rename them, or move them out of the folder")),
    )
}

/// The first of them, and how many more there are.
pub(super) fn listed(paths: &[PathBuf]) -> Option<String> {
    const MOST: usize = 10;
    let names = paths.iter().take(MOST);
    let names: Vec<String> = names.map(|path| format!("`{}`", path.display())).collect();
    let more = paths.len().saturating_sub(MOST);
    let rest = if more > 0 { format!(", … (+{more})") } else { String::new() };
    (!names.is_empty()).then(|| names.join(", ") + &rest)
}

/// A path that cannot be opened, whatever it was meant to be.
pub(super) fn cannot_open(shown: &Path, error: &io::Error) -> Diagnostic {
    let shown = shown.display();
    if error.kind() == io::ErrorKind::NotFound {
        Diagnostic::error("path-not-found", text!("`{shown}` does not exist", shown))
            .help(text!("paths are relative to the project folder (`-C`)"))
    } else {
        Diagnostic::error("path-unreadable", text!("cannot read `{shown}`: {error}", shown, error))
    }
}

fn folder_with_a_files_name(shown: &Path) -> Diagnostic {
    let shown = shown.display();
    Diagnostic::error("not-a-file", text!("`{shown}` is a folder with the name of a manifest", shown))
        .help(text!("rename the folder"))
}

/// What a project names that is not in it. Nothing of it is read, not even to say what it is.
pub fn outside(shown: &Path, real: &Path) -> Diagnostic {
    let (shown, real) = (shown.display(), real.display());
    Diagnostic::error(
        "outside-project",
        text!("`{shown}` leads out of the project, to `{real}`", shown, real),
    )
    .help(text!("it was not read: paths in postpay.yaml and links must stay in the project"))
    .help(text!(
        "to use it anyway, name it on the command line: `-f FILE`, or `--config FILE` for the settings"
    ))
}

pub(super) fn not_a_file(shown: &Path) -> Diagnostic {
    let shown = shown.display();
    Diagnostic::error("not-a-file", text!("`{shown}` is not a regular file", shown))
        .help(text!("pipes, sockets and devices are not read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(root: &Path, paths: &[&str]) -> (Vec<String>, Vec<(&'static str, String)>) {
        walked(root, paths, false)
    }

    fn walked(root: &Path, paths: &[&str], typed: bool) -> (Vec<String>, Vec<(&'static str, String)>) {
        let mut problems = Vec::new();
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        let project = &root.canonicalize().unwrap();
        let saw = discover(
            root,
            &paths,
            Bounds { project, typed },
            Settings::LeftOut(Some(Path::new("settings.yaml"))),
            &mut problems,
        );
        problems.extend(not_read(&saw.unrecognised));
        crate::diagnostic::assert_chinese(&problems);
        (
            saw.found.iter().map(|found| found.shown.display().to_string()).collect(),
            problems.into_iter().map(|p| (p.code, p.message.to_string())).collect(),
        )
    }

    fn project(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "version: 1\n").unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_yields_its_manifests_sorted_without_config_or_hidden_ones() {
        let folder = project(&[
            "b.yaml",
            "a.yml",
            "c/d.yaml",
            ".hidden.yaml",
            ".git/x.yaml",
            "c/postpay.yml",
            "notes.txt",
            "postpay.yaml",
            "settings.yaml",
        ]);
        let (found, problems) = run(folder.path(), &["."]);
        assert_eq!(found, ["a.yml", "b.yaml", "c/d.yaml"]);
        assert_eq!(problems, []);
    }

    #[test]
    fn endings_are_read_in_any_letter_case() {
        let folder = project(&["m/a.YAML", "m/b.Yml", "m/c.yML", "m/POSTPAY.yaml"]);
        let (found, problems) = run(folder.path(), &["m"]);
        assert_eq!(found, ["m/POSTPAY.yaml", "m/a.YAML", "m/b.Yml", "m/c.yML"]);
        assert_eq!(problems, []);
    }

    #[test]
    fn names_near_those_of_manifests_are_listed_in_one_warning_and_not_read() {
        let near = [
            "#g.yaml#",
            "#h.yaml",
            ".a.yaml.swp",
            ".b.yaml",
            "a.yaml.bak",
            "b.yml~",
            "c.YAML.disabled",
            "d.yaml.orig",
            "e.yaml.txt",
            "f.yaml (1)",
            "f.yaml.",
            "i.yaml.d/a.yaml",
            "j.yam",
            "k_yaml",
        ];
        let mut files: Vec<String> = near.iter().map(|name| format!("m/{name}")).collect();
        let others = ["m/a.yaml", "m/notes.txt", "m/x.yamllint", "m/.git/y.yaml", ".gitlab-ci.yml"];
        files.extend(others.map(str::to_owned));
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let folder = project(&files);
        let (found, problems) = run(folder.path(), &["."]);
        assert_eq!(found, ["m/a.yaml"]);
        let [(code, message)] = &problems[..] else {
            panic!("{problems:?}");
        };
        assert_eq!(*code, "manifest-not-read");
        assert!(message.contains("`m/a.yaml.bak`") && message.ends_with("(+4)"), "{message}");
        // Whoever names one means it.
        let (found, problems) = run(folder.path(), &["m/a.yaml.bak"]);
        assert_eq!((found.len(), problems), (1, Vec::new()));
    }

    #[test]
    fn settings_are_taken_when_asked_for() {
        let folder = project(&["a.yaml", "postpay.yaml", "sub/postpay.yaml"]);
        let mut problems = Vec::new();
        let found = discover(
            folder.path(),
            &[PathBuf::from(".")],
            Bounds { project: &folder.path().canonicalize().unwrap(), typed: false },
            Settings::Taken,
            &mut problems,
        );
        let expected = ["a.yaml", "postpay.yaml", "sub/postpay.yaml"];
        let found: Vec<PathBuf> = found.found.into_iter().map(|found| found.shown).collect();
        assert_eq!(found, expected.map(PathBuf::from));
        assert_eq!(problems, []);
    }

    #[test]
    fn the_order_given_is_kept_and_a_file_counts_once() {
        let folder = project(&["m/a.yaml", "m/b.yaml"]);
        let absolute = folder.path().join("m/b.yaml");
        let (found, problems) = run(folder.path(), &[absolute.to_str().unwrap(), "m", "m/a.yaml"]);
        assert_eq!(found, ["m/b.yaml", "m/a.yaml"]);
        assert_eq!(problems, []);
    }

    #[test]
    fn every_path_that_is_no_manifest_says_why() {
        let folder = project(&["sub.yaml/a.yaml", "empty/readme.txt", "m/x.yaml/y.yaml"]);
        let (found, problems) = run(folder.path(), &["gone", "empty", "sub.yaml", "m"]);
        assert_eq!(found, [""; 0]);
        let codes: Vec<_> = problems.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, ["path-not-found", "empty-folder", "not-a-file", "not-a-file"]);
        assert_eq!(problems[0].1, "`gone` does not exist");
        assert!(problems[3].1.contains("m/x.yaml"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_without_going_round() {
        let folder = project(&["m/a.yaml", "other/b.yaml"]);
        std::os::unix::fs::symlink(folder.path().join("m"), folder.path().join("m/loop")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("other"), folder.path().join("m/others")).unwrap();
        for name in ["m/dangling.yaml", "m/dangling"] {
            std::os::unix::fs::symlink("nowhere", folder.path().join(name)).unwrap();
        }
        let (found, problems) = run(folder.path(), &["m"]);
        assert_eq!(found, ["m/a.yaml", "m/others/b.yaml"]);
        assert_eq!(
            problems,
            ["m/dangling", "m/dangling.yaml"]
                .map(|name| ("path-not-found", format!("`{name}` does not exist")))
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_leads_out_of_the_project_is_refused_by_its_name() {
        use std::os::unix::fs::symlink;
        let folder = project(&["p/m/a.yaml", "out/b.yaml", "out/c/d.yaml"]);
        let root = folder.path().join("p");
        symlink("../../out/b.yaml", root.join("m/b.yaml")).unwrap();
        symlink("../../out", root.join("m/out")).unwrap();
        symlink("../../out/b.yaml", root.join("m/notes.txt")).unwrap();
        let outside = folder.path().canonicalize().unwrap().join("out");
        let refused = |shown: &str, to: &str| {
            let to = outside.join(to);
            let to = to.display();
            let message = format!("`{shown}` leads out of the project, to `{to}`");
            ("outside-project", message)
        };
        let (found, problems) = run(&root, &["m", "../out/b.yaml", "../out"]);
        assert_eq!(found, ["m/a.yaml"]);
        let expected = [
            refused("m/b.yaml", "b.yaml"),
            refused("m/out", ""),
            refused("../out/b.yaml", "b.yaml"),
            refused("../out", ""),
        ];
        let trim = |(code, text): (_, String)| (code, text.replace("/`", "`"));
        assert_eq!(problems, expected.map(trim));

        // Whoever types a path means it; what they find in a folder is another matter.
        symlink("../p/m/a.yaml", folder.path().join("out/a.yaml")).unwrap();
        symlink("/dev/null", folder.path().join("out/z.yaml")).unwrap();
        let (found, problems) = walked(&root, &["m/b.yaml", "../out"], true);
        assert_eq!(found, ["m/b.yaml", "../out/a.yaml", "../out/c/d.yaml"]);
        let message = "`../out/z.yaml` leads out of the project, to `/dev/null`".to_owned();
        assert_eq!(problems, [("outside-project", message)]);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_read() {
        let (found, problems) = run(Path::new("/"), &["/dev/null"]);
        assert_eq!(found, [""; 0]);
        assert_eq!(problems[0].0, "not-a-file");
    }
}
