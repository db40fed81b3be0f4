//! "Did you mean": the known name that a word was probably meant to be.

use crate::i18n::{Text, text};

/// The candidate that `word` is nearest to, if one is near.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    // Longer than any name here, and the comparison is not linear.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let plain = plain(word);
    candidates
        .iter()
        .copied()
        // `EnvId` and `env-id`: the request's member, or another style.
        .find(|candidate| self::plain(candidate) == plain)
        .or_else(|| similar::get_close_matches(word, candidates, 1, 0.65).first().copied())
}

fn plain(word: &str) -> String {
    word.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// `a, b and c`, each as code.
pub(crate) fn list(names: &[&str]) -> Text {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => Text::default(),
        Some((only, [])) => Text::same(only.clone()),
        Some((last, before)) => {
            Text::new(format!("{} and {last}", before.join(", ")), format!("{} 和 {last}", before.join("、")))
        }
    }
}

/// The label of a name that is near a known one.
pub(crate) fn meant(near: &str) -> Text {
    text!("did you mean `{near}`?", near)
}

/// The label of a name that is near none.
pub(crate) fn unknown() -> Text {
    text!("unknown")
}

/// The names that may stand where an unknown one stands.
pub(crate) fn known_here(names: &[&str]) -> Text {
    let names = list(names);
    text!("allowed here: {names}", names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["env_id", "env_source", "channel", "alias", "env_alias"];
        assert_eq!(nearest("chanel", &names), Some("channel"));
        assert_eq!(nearest("EnvSource", &names), Some("env_source"));
        assert_eq!(nearest("env-id", &names), Some("env_id"));
        assert_eq!(nearest("ailas", &names), Some("alias"));
        assert_eq!(nearest("region", &names), None);
        assert_eq!(nearest(&"x".repeat(1_000_000), &names), None);
    }

    #[test]
    fn lists_read_like_a_sentence() {
        assert_eq!(list(&["a"]), Text::same("`a`"));
        assert_eq!(list(&["a", "b", "c"]), Text::new("`a`, `b` and `c`", "`a`、`b` 和 `c`"));
    }
}
