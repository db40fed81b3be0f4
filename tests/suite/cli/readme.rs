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
    let project = Project::of(&[]);
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

/// Without what differs from run to run: the last word of a line that tells an id.
fn without_ids(text: &str) -> String {
    let one = |line: &str| {
        let is_id = ["env_id ", "tran_id ", "request_id "]
            .iter()
            .any(|name| line.trim_start().starts_with(name));
        match line.rsplit_once(' ') {
            Some((rest, id)) if is_id && id.chars().any(|c| c.is_ascii_digit()) => rest.to_owned(),
            _ => line.to_owned(),
        }
    };
    text.trim_end()
        .lines()
        .map(one)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_plan_that_they_show_is_a_real_one() {
    let project = shop();
    for (name, command) in [("README.md", "plan"), ("README.zh-CN.md", "plan --lang zh")] {
        let page = readme(name);
        let shown = fenced(&page, "")[0];
        let (line, shown) = shown.split_once('\n').unwrap();
        assert_eq!(line, format!("$ postpay {command}"), "{name}");
        let made = project.run(command.split(' ')).exits(0);
        assert_eq!(without_ids(shown), without_ids(&made.stdout), "{name}");
    }
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
        let mut named: Vec<String> = prose
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect();
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
        assert!(
            link.starts_with("https://") || root.join(&link).exists(),
            "{link}"
        );
    }
    let codes = |page: &str| page.lines().filter(|line| line.starts_with("| ")).count();
    assert_eq!(codes(&en), codes(&zh));
}
