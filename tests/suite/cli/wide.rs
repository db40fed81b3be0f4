//! Chinese names on a terminal, where each character takes two columns: what stands in columns stays in them.

use unicode_width::UnicodeWidthStr as _;

use crate::support::{MANIFEST, Project};

const SHOP: &str = "\
version: 1
defaults: {env_source: qcloud, channel: qc_console}
environments:
  shop:
    alias: shop
    env_alias: 我的商店测试环境
    extra: {名称: 商店, 很长的一个字段名: 甲, b: c}
  books:
    alias: books
    env_alias: 书店
";

/// The column at which a text begins in the only line that has it.
fn column(screen: &str, text: &str) -> usize {
    let mut lines = screen.lines().filter(|line| line.contains(text));
    let line = lines.next().unwrap_or_else(|| panic!("`{text}`:\n{screen}"));
    assert_eq!(lines.next(), None, "`{text}` is there twice:\n{screen}");
    line.split(text).next().unwrap().width()
}

#[track_caller]
fn aligned(screen: &str, texts: &[&str]) {
    let columns: Vec<usize> = texts.iter().map(|text| column(screen, text)).collect();
    let first = columns[0];
    assert!(columns.iter().all(|column| *column == first), "{texts:?} stand at {columns:?}:\n{screen}");
}

#[test]
fn columns_stay_columns_with_chinese_in_them() {
    let project = Project::of(&[]);
    project.write(MANIFEST, SHOP);
    let plan = project.run(["plan", "--verbose"]).exits(0).stdout;
    let shop = ["\"shop\"", "\"我的商店测试环境\"", "\"商店\"", "\"甲\"", "\"c\""];
    aligned(&plan, &shop);
    aligned(&plan, &["\"books\"", "\"书店\""]);
    // The paths of the manifests end the rows of both tables.
    project.write(
        "环境/更多.yaml",
        "version: 1\nenvironments:\n  third: {alias: third, env_source: qcloud, channel: qc_console}\n",
    );
    let files = ["-f", MANIFEST, "-f", "环境/更多.yaml"];
    let run = |args: &[&str]| project.run(args.iter().chain(&files));
    let applied = run(&["apply", "-y"]).exits(0).stdout;
    let table = &applied[applied.find(" ADDRESS").unwrap()..];
    let table = table.split("\n\n").next().unwrap();
    aligned_table(table, &["RESULT", "TRAN_ID", "ENV_ID"], 3);
    let state = run(&["show"]).exits(0).stdout;
    let table = state.split("\n\n").nth(1).unwrap();
    aligned_table(table, &["STATUS", "TRAN_ID", "ENV_ID", "SOURCE"], 3);
    aligned(table, &["SOURCE", "环境/更多.yaml"]);
    // Each member of `extra` has a row of its own.
    project.edit(
        MANIFEST,
        "名称: 商店, 很长的一个字段名: 甲, b: c",
        "名称: 书店, 很长的一个字段名: 乙, b: d",
    );
    project.edit(MANIFEST, "书店\n", "大书店\n");
    let changed = run(&["plan"]).exits(1).stdout;
    aligned(&changed, &["\"商店\"", "\"甲\"", "\"c\""]);
    let drift = run(&["drift"]).exits(2).stdout;
    aligned(&drift, &["env_alias: 大书店", "env_alias: 书店"]);
}

/// Under each of these headers something begins in every row, after a gap.
#[track_caller]
fn aligned_table(table: &str, headers: &[&str], rows: usize) {
    let mut lines = table.lines();
    let head = lines.next().unwrap();
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), rows, "{table}");
    for header in headers {
        let at = column(head, header);
        for line in &lines {
            let mut before = String::new();
            let mut rest = line.chars();
            while before.width() < at {
                before.extend(rest.next());
            }
            assert_eq!(before.width(), at, "{header} in `{line}`:\n{table}");
            assert!(before.ends_with(' '), "{header} in `{line}`:\n{table}");
            assert!(!rest.as_str().starts_with(' '), "{header} in `{line}`:\n{table}");
        }
    }
}
