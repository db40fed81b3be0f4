//! From the paths that a user gave to the files behind them, in a stable order, each once.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::CONFIG_NAME;
use crate::diagnostic::Diagnostic;
use crate::lang::text;

/// What becomes of the project's settings when they lie in a folder that is given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Settings<'a> {
    /// They are no manifest: neither `postpay.yaml` nor what stands for it.
    LeftOut(Option<&'a Path>),
    /// They are YAML like the rest.
    Taken,
}

/// The files behind `paths`, as the user would name them.
pub(super) fn discover(
    root: &Path,
    paths: &[PathBuf],
    settings: Settings<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<PathBuf> {
    let (leaves_out, config) = match settings {
        Settings::LeftOut(config) => (true, config),
        Settings::Taken => (false, None),
    };
    let mut walk = Walk {
        root,
        leaves_out,
        config: config.and_then(|path| fs::canonicalize(root.join(path)).ok()),
        seen: HashSet::new(),
        folders: HashSet::new(),
        found: Vec::new(),
        problems,
    };
    for path in paths {
        walk.given(path);
    }
    walk.found
}

struct Walk<'a> {
    root: &'a Path,
    /// The settings are left out of folders: files with their name, and the one at this real path.
    leaves_out: bool,
    config: Option<PathBuf>,
    /// Files by their real path, so that a file given twice counts once.
    seen: HashSet<PathBuf>,
    /// Folders on the way down, so that a link to a parent does not go round for ever.
    folders: HashSet<PathBuf>,
    found: Vec<PathBuf>,
    problems: &'a mut Vec<Diagnostic>,
}

impl Walk<'_> {
    fn given(&mut self, path: &Path) {
        let shown = path.strip_prefix(self.root).unwrap_or(path);
        let shown = if shown.as_os_str().is_empty() {
            Path::new(".")
        } else {
            shown
        };
        let metadata = match fs::metadata(self.root.join(path)) {
            Ok(metadata) => metadata,
            Err(error) => return self.problems.push(cannot_open(shown, &error)),
        };
        if metadata.is_dir() {
            if has_manifest_name(shown) {
                return self.problems.push(folder_with_a_files_name(shown));
            }
            if !self.folder(shown) {
                let folder = shown.display();
                self.problems.push(
                    Diagnostic::error(
                        "empty-folder",
                        text!(
                            "no manifest in the folder `{folder}`",
                            "文件夹 `{folder}` 中没有清单"
                        ),
                    )
                    .help(text!(
                        "a folder gives its *.yaml and *.yml files, hidden ones left out",
                        "文件夹中的 *.yaml 和 *.yml 文件都会读取，隐藏文件除外"
                    ))
                    .help(text!(
                        "`postpay init` writes a first manifest",
                        "`postpay init` 会写出第一份清单"
                    )),
                );
            }
        } else if metadata.is_file() {
            self.file(shown);
        } else {
            self.problems.push(not_a_file(shown));
        }
    }

    /// True when something in it, however deep, is meant to be a manifest.
    fn folder(&mut self, shown: &Path) -> bool {
        let real = match fs::canonicalize(self.root.join(shown)) {
            Ok(real) => real,
            Err(error) => {
                self.problems.push(cannot_open(shown, &error));
                return true;
            }
        };
        if !self.folders.insert(real.clone()) {
            return true;
        }
        let any = match entries(&self.root.join(shown)) {
            Ok(names) => {
                let mut any = false;
                for name in names {
                    let path = if shown == Path::new(".") {
                        PathBuf::from(name)
                    } else {
                        shown.join(name)
                    };
                    any |= self.entry(&path);
                }
                any
            }
            Err(error) => {
                self.problems.push(cannot_open(shown, &error));
                true
            }
        };
        self.folders.remove(&real);
        any
    }

    fn entry(&mut self, shown: &Path) -> bool {
        let manifest = has_manifest_name(shown);
        let metadata = match fs::metadata(self.root.join(shown)) {
            Ok(metadata) => metadata,
            // A dangling link that is no manifest is none of our business.
            Err(_) if !manifest => return false,
            Err(error) => {
                self.problems.push(cannot_open(shown, &error));
                return true;
            }
        };
        if metadata.is_dir() {
            if manifest {
                self.problems.push(folder_with_a_files_name(shown));
                return true;
            }
            return self.folder(shown);
        }
        if !manifest || self.is_config(shown) {
            return false;
        }
        if metadata.is_file() {
            self.file(shown);
        } else {
            self.problems.push(not_a_file(shown));
        }
        true
    }

    fn is_config(&self, shown: &Path) -> bool {
        self.leaves_out && shown.file_name().is_some_and(|name| name == CONFIG_NAME)
            || self.config.as_ref().is_some_and(|config| {
                fs::canonicalize(self.root.join(shown)).is_ok_and(|real| &real == config)
            })
    }

    fn file(&mut self, shown: &Path) {
        let path = self.root.join(shown);
        let real = fs::canonicalize(&path).unwrap_or(path);
        if self.seen.insert(real) {
            self.found.push(shown.to_owned());
        }
    }
}

/// The names in a folder, sorted, hidden ones left out.
fn entries(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn has_manifest_name(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "yaml" || ending == "yml")
}

/// A path that cannot be opened, whatever it was meant to be.
pub(super) fn cannot_open(shown: &Path, error: &io::Error) -> Diagnostic {
    let shown = shown.display();
    if error.kind() == io::ErrorKind::NotFound {
        Diagnostic::error(
            "path-not-found",
            text!("there is no `{shown}`", "`{shown}` 不存在"),
        )
        .help(text!(
            "paths are taken from the project folder, which `-C` names",
            "路径从项目文件夹算起，项目文件夹由 `-C` 指定"
        ))
    } else {
        Diagnostic::error(
            "path-unreadable",
            text!(
                "cannot read `{shown}`: {error}",
                "无法读取 `{shown}`：{error}"
            ),
        )
    }
}

fn folder_with_a_files_name(shown: &Path) -> Diagnostic {
    let shown = shown.display();
    Diagnostic::error(
        "not-a-file",
        text!(
            "`{shown}` has a manifest's name, but is a folder",
            "`{shown}` 的名称像清单，却是文件夹"
        ),
    )
    .help(text!("rename the folder", "请给文件夹改名"))
}

pub(super) fn not_a_file(shown: &Path) -> Diagnostic {
    let shown = shown.display();
    Diagnostic::error(
        "not-a-file",
        text!("`{shown}` is not a regular file", "`{shown}` 不是普通文件"),
    )
    .help(text!(
        "no pipe, socket or device is read, and no folder where one file is meant",
        "不读取管道、套接字和设备；需要单个文件时，也不读取文件夹"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(root: &Path, paths: &[&str]) -> (Vec<String>, Vec<(&'static str, String)>) {
        let mut problems = Vec::new();
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        let found = discover(
            root,
            &paths,
            Settings::LeftOut(Some(Path::new("settings.yaml"))),
            &mut problems,
        );
        crate::diagnostic::assert_chinese(&problems);
        (
            found
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            problems
                .into_iter()
                .map(|p| (p.code, p.message.to_string()))
                .collect(),
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
            "notes.txt",
            "postpay.yaml",
            "settings.yaml",
        ]);
        let (found, problems) = run(folder.path(), &["."]);
        assert_eq!(found, ["a.yml", "b.yaml", "c/d.yaml"]);
        assert_eq!(problems, []);
    }

    #[test]
    fn settings_are_taken_when_asked_for() {
        let folder = project(&["a.yaml", "postpay.yaml", "sub/postpay.yaml"]);
        let mut problems = Vec::new();
        let found = discover(
            folder.path(),
            &[PathBuf::from(".")],
            Settings::Taken,
            &mut problems,
        );
        let expected = ["a.yaml", "postpay.yaml", "sub/postpay.yaml"];
        assert_eq!(found, expected.map(PathBuf::from));
        assert_eq!(problems, []);
    }

    #[test]
    fn the_order_given_is_kept_and_a_file_counts_once() {
        let folder = project(&["m/a.yaml", "m/b.yaml"]);
        let absolute = folder.path().join("m/b.yaml");
        let (found, problems) = run(
            folder.path(),
            &[absolute.to_str().unwrap(), "m", "m/a.yaml"],
        );
        assert_eq!(found, ["m/b.yaml", "m/a.yaml"]);
        assert_eq!(problems, []);
    }

    #[test]
    fn every_path_that_is_no_manifest_says_why() {
        let folder = project(&["sub.yaml/a.yaml", "empty/readme.txt", "m/x.yaml/y.yaml"]);
        let (found, problems) = run(folder.path(), &["gone", "empty", "sub.yaml", "m"]);
        assert_eq!(found, [""; 0]);
        let codes: Vec<_> = problems.iter().map(|(code, _)| *code).collect();
        assert_eq!(
            codes,
            ["path-not-found", "empty-folder", "not-a-file", "not-a-file"]
        );
        assert_eq!(problems[0].1, "there is no `gone`");
        assert!(problems[3].1.contains("m/x.yaml"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_without_going_round() {
        let folder = project(&["m/a.yaml", "other/b.yaml"]);
        std::os::unix::fs::symlink(folder.path().join("m"), folder.path().join("m/loop")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("other"), folder.path().join("m/others"))
            .unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("m/dangling.yaml")).unwrap();
        let (found, problems) = run(folder.path(), &["m"]);
        assert_eq!(found, ["m/a.yaml", "m/others/b.yaml"]);
        assert_eq!(
            problems,
            [("path-not-found", "there is no `m/dangling.yaml`".to_owned())]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_read() {
        let (found, problems) = run(Path::new("/"), &["/dev/null"]);
        assert_eq!(found, [""; 0]);
        assert_eq!(problems[0].0, "not-a-file");
    }
}
