//! Finds the manifest files for the paths that a user gave: in a stable order, each once.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::i18n::text;

/// The file name of the project's settings, which is never read as a manifest from a folder.
pub const CONFIG_NAME: &str = "postpay.yaml";
/// The alternative file name of the settings.
pub const OTHER_CONFIG_NAME: &str = "postpay.yml";

/// Returns whether this is a file name of the project's settings.
pub fn is_config_name(name: &std::ffi::OsStr) -> bool {
    name == CONFIG_NAME || name == OTHER_CONFIG_NAME
}

/// What to do with the project's settings when they are in a given folder.
#[derive(Debug, Clone, Copy)]
pub(super) enum Settings<'a> {
    /// Skip `postpay.yaml` and the file given as `--config`.
    Skip(Option<&'a Path>),
    /// Include them like any YAML file.
    Include,
}

/// Where paths may lead.
///
/// Diagnostics quote file contents, so a pull request must not be able to point a path or a symlink at files
/// outside the project.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// The project folder, canonicalized.
    pub project: &'a Path,
    /// The paths come from the command line and may lead anywhere. Links inside a folder must still stay in
    /// it or in the project.
    pub typed: bool,
}

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The path as the user would write it.
    pub shown: PathBuf,
    /// The canonicalized path, which is the one that was checked and is opened.
    pub real: PathBuf,
}

/// The result of [`discover`].
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub found: Vec<Found>,
    /// Files skipped although they look like manifests.
    pub unrecognised: Vec<PathBuf>,
}

/// Finds the files for `paths`.
pub(super) fn discover(
    root: &Path,
    paths: &[PathBuf],
    bounds: Bounds<'_>,
    settings: Settings<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Seen {
    let (skips_config, config) = match settings {
        Settings::Skip(config) => (true, config),
        Settings::Include => (false, None),
    };
    let mut walk = Walk {
        root,
        bounds,
        within: None,
        skips_config,
        config: config.and_then(|path| fs::canonicalize(root.join(path)).ok()),
        seen: HashSet::new(),
        folders: HashSet::new(),
        saw: Seen::default(),
        problems,
    };
    for path in paths {
        walk.add_path(path);
    }
    walk.saw
}

struct Walk<'a> {
    root: &'a Path,
    bounds: Bounds<'a>,
    /// The folder from the command line that is being walked: files in it may be read too.
    within: Option<PathBuf>,
    /// Skip the settings in folders: files with their name, and the one at this real path.
    skips_config: bool,
    config: Option<PathBuf>,
    /// Real paths of the files found, so that a file given twice counts once.
    seen: HashSet<PathBuf>,
    /// Parent folders, to stop at a link that points back up.
    folders: HashSet<PathBuf>,
    saw: Seen,
    problems: &'a mut Vec<Diagnostic>,
}

impl Walk<'_> {
    fn add_path(&mut self, path: &Path) {
        let shown = path.strip_prefix(self.root).unwrap_or(path);
        let shown = if shown.as_os_str().is_empty() { Path::new(".") } else { shown };
        let (real, metadata) = match self.resolve(shown) {
            Ok(looked) => looked,
            Err(error) => return self.problems.push(cannot_open(shown, &error)),
        };
        if !self.bounds.typed && !self.may_read(&real) {
            return self.problems.push(outside(shown, &real));
        }
        if metadata.is_dir() {
            if has_manifest_name(shown) {
                return self.problems.push(folder_with_manifest_name(shown));
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

    /// Resolves a path and returns what is there.
    fn resolve(&self, shown: &Path) -> io::Result<(PathBuf, fs::Metadata)> {
        let real = fs::canonicalize(self.root.join(shown))?;
        let metadata = fs::metadata(&real)?;
        Ok((real, metadata))
    }

    fn may_read(&self, real: &Path) -> bool {
        let within = self.within.as_deref();
        real.starts_with(self.bounds.project) || within.is_some_and(|it| real.starts_with(it))
    }

    /// Returns whether the folder contains anything meant as a manifest, at any depth.
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
        let (real, metadata) = match self.resolve(shown) {
            Ok(looked) => looked,
            // It may be a link to a folder of manifests.
            Err(error) => {
                self.problems.push(cannot_open(shown, &error));
                return true;
            }
        };
        let is_folder = metadata.is_dir();
        // Files that are never read may lead anywhere.
        if !is_folder && (!manifest || self.is_config(shown, &real)) {
            return false;
        }
        if !self.may_read(&real) {
            self.problems.push(outside(shown, &real));
            return true;
        }
        if is_folder {
            if manifest {
                self.problems.push(folder_with_manifest_name(shown));
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
        self.skips_config && shown.file_name().is_some_and(is_config_name)
            || self.config.as_deref() == Some(real)
    }

    fn file(&mut self, shown: &Path, real: PathBuf) {
        if self.seen.insert(real.clone()) {
            let shown = shown.to_owned();
            self.saw.found.push(Found { shown, real });
        }
    }
}

/// Returns the names in a folder, sorted.
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

/// Prefixes that editors use for temporary copies.
const EDITOR_MARKS: [char; 3] = ['#', '~', '$'];

/// Names like `x.yaml.bak`, `x.yml~`, `#x.yaml#` and `x.yaml (1)`, and slips like `x.yam`.
fn is_nearly_a_manifest(path: &Path) -> bool {
    let name = name(path);
    !has_manifest_name(path)
        && ([".yaml", ".yml", "_yaml", "_yml"].iter().any(|ending| {
            let after = name.find(ending).map(|at| &name[at + ending.len()..]);
            // Not `x.yamllint`.
            after.is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()))
        }) || [
            ".yam", ".yal", ".yalm", ".ymal", ".ymla", ".yaaml", ".yamll", ".yamml", ".yamle", ".ym", ".yl",
        ]
        .iter()
        .any(|slip| name.ends_with(slip)))
}

/// Returns whether a folder yields a file of this name as a manifest, or warns about it.
pub fn may_be_manifest(path: &Path) -> bool {
    has_manifest_name(path) || is_nearly_a_manifest(path)
}

/// Returns a warning that lists skipped files that look like manifests.
pub(super) fn ignored_files(unrecognised: &[PathBuf]) -> Option<Diagnostic> {
    let names = join_paths(unrecognised)?;
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

/// Lists the first paths and counts the rest. None for an empty list.
pub(super) fn join_paths(paths: &[PathBuf]) -> Option<String> {
    const MOST: usize = 10;
    let names = paths.iter().take(MOST);
    let names: Vec<String> = names.map(|path| format!("`{}`", path.display())).collect();
    let more = paths.len().saturating_sub(MOST);
    let rest = if more > 0 { format!(", … (+{more})") } else { String::new() };
    (!names.is_empty()).then(|| names.join(", ") + &rest)
}

/// Reports a path that cannot be opened.
pub(super) fn cannot_open(shown: &Path, error: &io::Error) -> Diagnostic {
    let shown = shown.display();
    if error.kind() == io::ErrorKind::NotFound {
        Diagnostic::error("path-not-found", text!("`{shown}` does not exist", shown))
            .help(text!("paths are relative to the project folder (`-C`)"))
    } else {
        Diagnostic::error("path-unreadable", text!("cannot read `{shown}`: {error}", shown, error))
    }
}

fn folder_with_manifest_name(shown: &Path) -> Diagnostic {
    let shown = shown.display();
    Diagnostic::error("not-a-file", text!("`{shown}` is a folder with the name of a manifest", shown))
        .help(text!("rename the folder"))
}

/// Reports a path that leads out of the project. Nothing of it is read, not even its type.
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
        discover_in(root, paths, false)
    }

    fn discover_in(root: &Path, paths: &[&str], typed: bool) -> (Vec<String>, Vec<(&'static str, String)>) {
        let mut problems = Vec::new();
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        let project = &root.canonicalize().unwrap();
        let saw = discover(
            root,
            &paths,
            Bounds { project, typed },
            Settings::Skip(Some(Path::new("settings.yaml"))),
            &mut problems,
        );
        problems.extend(ignored_files(&saw.unrecognised));
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
    fn folder_yields_sorted_manifests_without_config_and_hidden_files() {
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
    fn extensions_are_case_insensitive() {
        let folder = project(&["m/a.YAML", "m/b.Yml", "m/c.yML", "m/POSTPAY.yaml"]);
        let (found, problems) = run(folder.path(), &["m"]);
        assert_eq!(found, ["m/POSTPAY.yaml", "m/a.YAML", "m/b.Yml", "m/c.yML"]);
        assert_eq!(problems, []);
    }

    #[test]
    fn files_that_look_like_manifests_are_listed_in_one_warning() {
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
        // Given explicitly, it is read.
        let (found, problems) = run(folder.path(), &["m/a.yaml.bak"]);
        assert_eq!((found.len(), problems), (1, Vec::new()));
    }

    #[test]
    fn settings_are_included_on_request() {
        let folder = project(&["a.yaml", "postpay.yaml", "sub/postpay.yaml"]);
        let mut problems = Vec::new();
        let found = discover(
            folder.path(),
            &[PathBuf::from(".")],
            Bounds { project: &folder.path().canonicalize().unwrap(), typed: false },
            Settings::Include,
            &mut problems,
        );
        let expected = ["a.yaml", "postpay.yaml", "sub/postpay.yaml"];
        let found: Vec<PathBuf> = found.found.into_iter().map(|found| found.shown).collect();
        assert_eq!(found, expected.map(PathBuf::from));
        assert_eq!(problems, []);
    }

    #[test]
    fn given_order_is_kept_and_a_file_counts_once() {
        let folder = project(&["m/a.yaml", "m/b.yaml"]);
        let absolute = folder.path().join("m/b.yaml");
        let (found, problems) = run(folder.path(), &[absolute.to_str().unwrap(), "m", "m/a.yaml"]);
        assert_eq!(found, ["m/b.yaml", "m/a.yaml"]);
        assert_eq!(problems, []);
    }

    #[test]
    fn paths_that_are_not_manifests_are_reported_with_the_reason() {
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
    fn link_cycles_end() {
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
    fn paths_out_of_the_project_are_rejected() {
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

        // A path from the command line may lead out of the project; links inside its folder may not.
        symlink("../p/m/a.yaml", folder.path().join("out/a.yaml")).unwrap();
        symlink("/dev/null", folder.path().join("out/z.yaml")).unwrap();
        let (found, problems) = discover_in(&root, &["m/b.yaml", "../out"], true);
        assert_eq!(found, ["m/b.yaml", "../out/a.yaml", "../out/c/d.yaml"]);
        let message = "`../out/z.yaml` leads out of the project, to `/dev/null`".to_owned();
        assert_eq!(problems, [("outside-project", message)]);
    }

    #[cfg(unix)]
    #[test]
    fn device_is_ignored_files() {
        let (found, problems) = run(Path::new("/"), &["/dev/null"]);
        assert_eq!(found, [""; 0]);
        assert_eq!(problems[0].0, "not-a-file");
    }
}
