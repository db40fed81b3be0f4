//! A page as a browser has it: shown in a frame, asked and clicked by a script that the page knows nothing of.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A browser that takes longer than this is given up, however busy the computer is.
const LONGEST: Duration = Duration::from_secs(180);

/// How a page is looked at.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub(super) width: u32,
    pub(super) dark: bool,
    /// Whether the page's own script may run.
    pub(super) scripts: bool,
}

impl View {
    pub(super) const DESK: Self = Self { width: 1100, dark: false, scripts: true };
}

/// What the script found, and what the browser's console was told meanwhile.
pub(super) struct Seen {
    pub(super) found: Json,
    pub(super) console: Vec<String>,
}

/// The browser of this computer; None, with a line that says so, where there is none.
pub(super) fn browser() -> Option<&'static PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let path = env::var_os("PATH")?;
        let folders: Vec<PathBuf> = env::split_paths(&path).collect();
        BROWSERS
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
            .find(|file| file.is_file())
    });
    if found.is_none() {
        println!("skipped: no browser on PATH ({})", BROWSERS.join(", "));
    }
    found.as_ref()
}

/// Shows `page` in a frame and runs `script` once it is loaded: a body of statements that has the frame's `win` and
/// `doc`, and puts what it finds in `found`.
///
/// A frame of `srcdoc` has the origin of what it is in, so that it can be asked; what the page itself forbids is forbidden
/// all the same. What is loaded holds up the load of what it is in, after which the browser prints and ends: there is
/// nothing to wait for.
pub(super) fn look(browser: &Path, page: &str, view: View, script: &str) -> Seen {
    let folder = tempfile::Builder::new().prefix("postpay-browser-").tempdir().unwrap();
    let View { width, dark, scripts } = view;
    let literal = serde_json::to_string(page).unwrap().replace('<', "\\u003c");
    let sandbox = if scripts { "" } else { "frame.sandbox = 'allow-same-origin';" };
    let harness = format!(
        "<!doctype html><meta charset=utf-8><meta name=color-scheme content='light dark'><body><pre id=found></pre><script>\n\
         const frame = document.createElement('iframe');\n\
         frame.style = 'width:{width}px;height:900px;border:0';\n{sandbox}\n\
         frame.onload = () => {{\n\
         const win = frame.contentWindow, doc = frame.contentDocument, found = {{}};\n\
         try {{\n{script}\n}} catch (error) {{ found.threw = String(error.stack); }}\n\
         document.getElementById('found').textContent = JSON.stringify(found);\n}};\n\
         frame.srcdoc = {literal};\ndocument.body.append(frame);\n</script>"
    );
    let file = folder.path().join("harness.html");
    fs::write(&file, harness).unwrap();
    let files = ["stdout", "stderr"].map(|name| folder.path().join(name));
    let [out, err] = &files;
    let mut command = Command::new(browser);
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("--blink-settings=preferredColorScheme={}", i32::from(!dark)))
        .arg(format!("file://{}", file.display()))
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .stdout(fs::File::create(out).unwrap())
        .stderr(fs::File::create(err).unwrap());
    end(command.spawn().unwrap());
    let [out, err] = files.map(|file| String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned());
    let found = out
        .split_once("<pre id=\"found\">")
        .and_then(|(_, rest)| rest.split_once("</pre>"))
        .map(|(text, _)| text)
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| panic!("the browser found nothing:\n{out:.2000}\n{err}"));
    let found = [("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", "\u{a0}"), ("&amp;", "&")]
        .iter()
        .fold(found.to_owned(), |text, (coded, plain)| text.replace(coded, plain));
    let found: Json = serde_json::from_str(&found).unwrap();
    assert_eq!(found.get("threw"), None, "{found}");
    let console = err.lines().filter(|line| line.contains(":CONSOLE"));
    Seen { found, console: console.map(str::to_owned).collect() }
}

/// Waits for it to end; a browser that never does is ended.
fn end(mut child: Child) {
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > LONGEST {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the browser did not end within {LONGEST:?}");
        }
        thread::sleep(Duration::from_millis(20));
    }
}
