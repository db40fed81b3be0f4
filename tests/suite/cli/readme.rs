//! The READMEs: what they show is what the program prints, and both languages say the same.

use std::fs;
use std::path::Path;

use crate::support::{MANIFEST, Project};

fn readme(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// What stands between fences of this kind.
fn fenced<'a>(page: &'a str, kind: &str) -> Vec<&'a str> {
    let parts: Vec<&str> = page.split("```").collect();
    let blocks = parts.iter().skip(1).step_by(2);
    blocks
        .filter_map(|block| block.split_once('\n'))
        .filter(|(is, _)| *is == kind)
        .map(|(_, text)| text)
        .collect()
}

/// The project whose plan the READMEs show.
fn shop() -> Project {
    let project = Project::of(&[]).at_real_pace();
    let manifest = |environments: &str| format!("version: 1\nenvironments:\n{environments}");
    let old = "  shop-preview: {alias: shop-preview, env_source: qcloud, channel: qc_console}\n";
    let shop = "\
version: 1

defaults:
  source: qcloud
  env_source: qcloud
  channel: qc_console
  flag: QuickStart

environments:
  shop-prod:
    alias: shop-prod
    free_quota: basic
    env_alias: 商店 · 生产

  shop-staging:
    alias: shop-staging
";
    let left = "environments/old.yaml";
    project.write(left, manifest(old));
    project.write(MANIFEST, shop);
    project.run(["apply", "-y"]).exits(0);
    fs::remove_file(project.file(left)).unwrap();
    project.edit(MANIFEST, "商店 · 生产", "商店 · 生产 · 华东");
    project.edit(MANIFEST, "alias: shop-staging", "alias: shop-stage");
    let docs = "  docs: {env_source: qcloud, channel: qc_console, alias: docs, extra: {owner: platform, ticket: 7}}\n";
    project.write("environments/docs.yaml", manifest(docs));
    project
}

/// Without what differs from run to run: the ids of a line.
fn without_ids(text: &str) -> String {
    let one = |line: &str| {
        if line.trim_start().starts_with("env_id ") {
            let words = line.split(' ').filter(|word| !word.chars().any(|c| c.is_ascii_digit()));
            words.collect::<Vec<_>>().join(" ")
        } else {
            line.to_owned()
        }
    };
    text.trim_end().lines().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_plan_that_they_show_is_a_real_one() {
    let project = shop();
    for (name, command) in [("README.md", "plan"), ("README.zh-CN.md", "plan --lang zh")] {
        let page = readme(name);
        let shown = fenced(&page, "")[0];
        let (line, shown) = shown.split_once('\n').unwrap();
        assert_eq!(line, format!("$ postpay {command}"), "{name}");
        let made = project.run(command.split(' ')).exits(1);
        assert_eq!(without_ids(shown), without_ids(&made.stdout), "{name}");
    }
}

/// Words of English in a row, outside of what is quoted: names, commands and values are the same in every language.
fn english(line: &str) -> usize {
    let mut quoted = false;
    let plain: String = line
        .chars()
        .filter(|c| {
            quoted ^= matches!(c, '`' | '"');
            !quoted
        })
        .collect();
    let is_word = |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase());
    let (mut most, mut row) = (0, 0);
    for word in plain.split([' ', ',', '.', ':', ';']) {
        row = if is_word(word) { row + 1 } else { 0 };
        most = most.max(row);
    }
    most
}

/// What a page shows, without its style, its script and its tags.
fn prose(page: &str) -> String {
    let mut text = page.to_owned();
    for (from, to) in [("<style", "</style>"), ("<script", "</script>"), ("<", ">")] {
        let parts: Vec<&str> = text.split(from).collect();
        let kept = parts.iter().enumerate().map(|(at, part)| match at {
            0 => part,
            _ => part.split_once(to).map_or("", |(_, rest)| rest),
        });
        text = kept.collect::<Vec<_>>().join("\n");
    }
    text
}

#[test]
fn nothing_that_people_read_is_left_in_english() {
    let project = shop();
    let untouched = Project::of(&["one"]);
    let commands = [
        "validate",
        "whoami",
        "whoami --endpoint https://tcb.tencentcloudapi.com",
        "plan",
        "plan --format markdown",
        "plan --format html",
        "plan --show-calls",
        "plan --refresh",
        "plan --blame",
        "apply -y",
        "drift",
        "drift --format markdown",
        "drift --offline --format html",
        "show",
        "history",
        "state list",
        "state show shop-prod",
        "state rm shop-prod",
        "state rm nobody",
        "resolve",
        "generate",
        "destroy shop-preview",
        "destroy shop-preview -y --allow-destroy",
        "fmt --check",
        "rehearse --runs 2 --seed 1",
        "import shop-prod shop-prod-1",
        "apply -y --target docs",
        "apply no-such-plan.json",
        "drift --config no-such-file.yaml",
    ];
    let mut left = Vec::new();
    for project in [&project, &untouched] {
        for command in commands {
            let ran = project.run(command.split(' ').chain(["--lang", "zh"]));
            let stdout = if command.ends_with("html") { prose(&ran.stdout) } else { ran.stdout.clone() };
            // A manifest is the same in every language.
            let stdout = if command == "generate" { String::new() } else { stdout };
            for line in stdout.lines().chain(ran.stderr.lines()) {
                // The system's own words for what it could not do are what one searches for.
                if english(line) > 2 && !line.contains("(os error ") {
                    left.push(format!("{command}: {line}"));
                }
            }
        }
    }
    assert!(left.is_empty(), "{left:#?}");
    assert_eq!(english("`a b c d` 已完成 one two"), 2);
    assert_eq!(english("nothing was sent"), 3);
}

#[test]
fn both_languages_name_the_same_commands_files_and_exit_codes() {
    let commands = |page: &str| -> Vec<String> {
        fenced(page, "sh")
            .into_iter()
            .flat_map(str::lines)
            .map(|line| line.split('#').next().unwrap().trim().to_owned())
            .collect()
    };
    let links = |page: &str| -> Vec<String> {
        let targets = page.split("](").skip(1);
        let mut links: Vec<String> = targets
            .map(|rest| rest.split(')').next().unwrap().to_owned())
            .filter(|link| !link.starts_with("README"))
            .collect();
        links.sort_unstable();
        links
    };
    // Between backticks, outside of the fences: flags, files and names.
    let named = |page: &str| -> Vec<String> {
        let prose: String = page.split("```").step_by(2).collect();
        let mut named: Vec<String> = prose.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        named.sort_unstable();
        named.dedup();
        named
    };
    let (en, zh) = (readme("README.md"), readme("README.zh-CN.md"));
    assert_eq!(commands(&en), commands(&zh));
    assert_eq!(links(&en), links(&zh));
    assert_eq!(named(&en), named(&zh));
    for link in links(&en) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(link.starts_with("https://") || root.join(&link).exists(), "{link}");
    }
    let codes = |page: &str| page.lines().filter(|line| line.starts_with("| ")).count();
    assert_eq!(codes(&en), codes(&zh));
}
