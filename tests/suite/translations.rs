//! Every English text for people has one Chinese translation, and every translation is used.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};

use crate::layering::sources;

/// An English text, and the names of the values that every place in the code fills it with.
type Texts = BTreeMap<String, BTreeSet<String>>;

/// Returns the value of a string literal.
fn string(token: Option<&TokenTree>) -> Option<String> {
    Some(syn::parse_str::<syn::LitStr>(&token?.to_string()).ok()?.value())
}

/// Finds `text!("…", …)` and `Text::fixed("…")`.
fn collect(code: TokenStream, found: &mut Texts) {
    let mut before: [String; 3] = Default::default();
    for token in code {
        if let TokenTree::Group(group) = &token {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            let is_macro = before[1] == "text" && before[2] == "!";
            if let Some(text) = string(inner.first())
                && (is_macro || (before[0] == "Text" || before[1] == ":") && before[2] == "fixed")
            {
                let given = names(&inner[1..]);
                found
                    .entry(text)
                    .and_modify(|names| names.retain(|name| given.contains(name)))
                    .or_insert(given);
            }
            collect(group.stream(), found);
        }
        before.rotate_left(1);
        before[2] = token.to_string();
    }
}

/// Returns the names in `, a, b = c; d`.
fn names(arguments: &[TokenTree]) -> BTreeSet<String> {
    let follows = |pair: &[TokenTree]| match pair {
        [TokenTree::Punct(before), TokenTree::Ident(name)] if [',', ';'].contains(&before.as_char()) => {
            Some(name.to_string())
        }
        _ => None,
    };
    arguments.windows(2).filter_map(follows).collect()
}

/// Returns the names in the braces of a template.
fn placeholders(template: &str) -> BTreeSet<String> {
    let template = template.replace("{{", "").replace("}}", "");
    let names = template.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned()));
    names.collect()
}

#[test]
fn every_text_is_translated_and_every_translation_is_used() {
    let mut texts = Texts::new();
    for (module, code) in sources() {
        collect(code.parse().unwrap_or_else(|error| panic!("{module}: {error}")), &mut texts);
    }
    texts.retain(|text, _| text.chars().any(char::is_alphanumeric));
    assert!(texts.len() > 1000, "only {} texts were found", texts.len());

    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/locales/zh-CN.yaml")).unwrap();
    let catalogue: BTreeMap<String, String> = serde_yaml::from_str(&file).unwrap();
    let entries = file.lines().filter(|line| line.starts_with('"')).count();
    assert_eq!(catalogue.len(), entries, "one line per text, and no text twice");

    let missing: Vec<&String> = texts.keys().filter(|text| !catalogue.contains_key(*text)).collect();
    assert!(missing.is_empty(), "not in locales/zh-CN.yaml: {missing:#?}");
    let unused: Vec<&String> = catalogue.keys().filter(|text| !texts.contains_key(*text)).collect();
    assert!(unused.is_empty(), "in locales/zh-CN.yaml, but in no source file: {unused:#?}");
    for (english, chinese) in &catalogue {
        let given = &texts[english];
        let not_filled: Vec<String> = placeholders(chinese).difference(given).cloned().collect();
        assert!(given.is_empty() || not_filled.is_empty(), "{english:?} is not given {not_filled:?}");
        let not_shown = given.difference(&placeholders(chinese)).count();
        let for_english = placeholders(english).difference(&placeholders(chinese)).count();
        assert!(not_shown <= for_english, "{english:?} gives values that {chinese:?} does not show");
        // Names and placeholders alone stay as they are.
        let words = english
            .split(' ')
            .filter(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
            .count();
        assert!(!chinese.is_ascii() || words < 2, "{english:?} is not translated: {chinese:?}");
    }
}
