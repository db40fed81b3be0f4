//! Property tests of the layout on generated manifests.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::tests::{canonical, laid_out};

/// The content of a manifest, without its layout.
#[derive(Debug, Clone)]
enum Tree {
    /// One line, or several lines in brackets.
    Word(&'static str),
    /// A scalar over several lines.
    Lines(&'static [&'static str]),
    /// A block scalar.
    Block(&'static str, &'static [&'static str]),
    Map(Vec<(Note, Tree)>),
    List(Vec<(Note, Tree)>),
}

/// Comments on an entry.
#[derive(Debug, Clone)]
struct Note {
    above: Option<&'static str>,
    behind: Option<&'static str>,
    apart: bool,
}

fn tree() -> impl Strategy<Value = Tree> {
    let note = (
        proptest::option::weighted(0.3, Just("# 注 above")),
        proptest::option::weighted(0.2, Just("# behind: it")),
        proptest::bool::weighted(0.2),
    )
        .prop_map(|(above, behind, apart)| Note { above, behind, apart });
    let leaf = prop_oneof![
        6 => prop::sample::select(vec![
            "x", "1", "''", "\"a # b\"", "'环境'", "http://a:1", "{a: 1, b: [x, y]}", "[]", "!!str 5", "&n x", "~",
        ]).prop_map(Tree::Word),
        1 => prop::sample::select(vec![
            &["x", "y", "z"][..], &["\"x", "", "y\""], &["'x", "y'"], &["{a: 1,", "b: 2}"], &["[ # why", "# what", "x, [", "'y'", "]", "]"],
        ]).prop_map(Tree::Lines),
        1 => (
            prop::sample::select(vec!["|", ">", "|-", ">-"]),
            prop::sample::select(vec![&["x", "  y", "", "# z"][..], &["  x", "y"], &["", "x  "], &["环"]]),
        ).prop_map(|(header, lines)| Tree::Block(header, lines)),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let entries = proptest::collection::vec((note.clone(), inner), 1..5);
        prop_oneof![
            3 => entries.clone().prop_map(Tree::Map),
            2 => entries.prop_map(Tree::List),
        ]
    })
}

/// Chooses a layout from bytes that are used in a cycle.
struct Noise<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Noise<'_> {
    fn below(&mut self, n: u8) -> usize {
        self.at += 1;
        usize::from(self.bytes[self.at % self.bytes.len()] % n)
    }

    fn spaces(&mut self) -> String {
        " ".repeat(1 + self.below(3))
    }
}

/// Writes the entries of a map or a list at `column`. With `inline`, the first follows a dash.
fn write(
    entries: &[(Note, Tree)],
    list: bool,
    column: usize,
    inline: bool,
    noise: &mut Noise<'_>,
    out: &mut String,
) {
    for (at, (note, tree)) in entries.iter().enumerate() {
        if at > 0 || !inline {
            if note.apart {
                out.push_str(&"\n".repeat(1 + noise.below(3)));
            }
            if let Some(above) = note.above {
                let _ = writeln!(out, "{:column$}{above}", "");
            }
            out.push_str(&" ".repeat(column));
        }
        if list {
            out.push('-');
        } else {
            let _ = write!(out, "k{at}:");
        }
        let end = |noise: &mut Noise<'_>, out: &mut String| {
            if let Some(behind) = note.behind {
                out.push_str(&noise.spaces());
                out.push_str(behind);
            }
            out.push_str(&" ".repeat(noise.below(2)));
            out.push('\n');
        };
        let step = 1 + noise.below(5);
        match tree {
            Tree::Word(text) => {
                out.push_str(&noise.spaces());
                out.push_str(text);
                end(noise, out);
            }
            Tree::Lines(lines) => {
                out.push_str(&noise.spaces());
                out.push_str(&lines.join(&format!("\n{:1$}", "", column + step)));
                end(noise, out);
            }
            Tree::Block(header, lines) => {
                out.push_str(&noise.spaces());
                let first = lines.iter().find(|line| !line.is_empty()).unwrap();
                let digit = first.starts_with(' ').then(|| step.to_string());
                out.push_str(&header.replacen(
                    ['|', '>'],
                    &format!("{}{}", &header[..1], digit.unwrap_or_default()),
                    1,
                ));
                end(noise, out);
                for line in *lines {
                    if !line.is_empty() {
                        out.push_str(&" ".repeat(column + step));
                    }
                    let _ = writeln!(out, "{line}");
                }
            }
            Tree::Map(inner) | Tree::List(inner) => {
                let is_list = matches!(tree, Tree::List(_));
                if list && note.behind.is_none() && inner[0].0.above.is_none() && !inner[0].0.apart {
                    let gap = noise.spaces();
                    out.push_str(&gap);
                    write(inner, is_list, column + 1 + gap.len(), true, noise, out);
                } else {
                    end(noise, out);
                    let step = if is_list && !list { noise.below(4) } else { step };
                    write(inner, is_list, column + step, false, noise, out);
                }
            }
        }
    }
}

/// Renders the tree. With `environments`, the members of its first key are environments.
fn render(tree: &Tree, environments: bool, noise: &[u8], crlf: bool) -> String {
    let mut out = String::new();
    let entries = match tree {
        Tree::Map(entries) => entries,
        other => &vec![(Note { above: None, behind: None, apart: false }, other.clone())],
    };
    let mut noise = Noise { bytes: noise, at: 0 };
    let column = noise.below(3);
    write(entries, false, column, false, &mut noise, &mut out);
    if environments {
        out = out.replacen("k0:", "environments:", 1);
    }
    if crlf { out.replace('\n', "\r\n") } else { out }
}

proptest! {

    /// Indentation, spacing and line endings of the source do not affect the result.
    #[test]
    fn layout_does_not_depend_on_the_source_layout(
        tree in tree(),
        one in proptest::collection::vec(any::<u8>(), 1..40),
        two in proptest::collection::vec(any::<u8>(), 1..40),
        environments: bool,
        crlf: bool,
    ) {
        let one = render(&tree, environments, &one, false);
        let two = render(&tree, environments, &two, crlf);
        prop_assert_eq!(canonical(&one), canonical(&two), "{}\n===\n{}", one, two);
    }

    /// Any YAML can be laid out, and a second pass changes nothing.
    #[test]
    fn near_yaml_is_laid_out_or_rejected(
        text in "([-?:,\\[\\]{}#&*!|>'\"%@`~ \r\n]|<<|a|环|\u{85}|\u{3000}|&a |\\*a|---|\\.\\.\\.|!!str |: |- |\\? |\n  |\n    |\n  # c|\n# d\n| # e\n|a: |\n- |\\|\n   x\n|>2\n    y\n|\\\\x|\\\\ |1){0,40}",
        prefix in prop::sample::select(vec!["", "version: 1\nenvironments:\n  a:\n    b: ", "a:\n- ", "a: [x, "]),
    ) {
        // tests.rs covers block scalars that end in white space without a line break.
        let text = format!("{prefix}{}", text.trim_end_matches([' ', '\t']));
        match laid_out(&text) {
            Ok(new) => prop_assert_eq!(laid_out(&new), Ok(new)),
            Err(problems) => prop_assert!(problems.iter().all(|it| it.code != "fmt-unsafe"), "{:?}", text),
        }
    }
}
