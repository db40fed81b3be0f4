//! The key in the environment.

use super::{Credentials, CredentialsError, checked};

/// One spelling of the names. A spelling is taken whole or not at all.
struct Spelling {
    id: &'static str,
    key: &'static str,
    tokens: &'static [&'static str],
}

/// The first spelling that has any of its names set is the one that counts. The second is what the vendor's function
/// runtime and CloudBase's tools set by themselves, so a key that a person chose goes before it.
const SPELLINGS: [Spelling; 2] = [
    Spelling {
        id: "TENCENTCLOUD_SECRET_ID",
        key: "TENCENTCLOUD_SECRET_KEY",
        tokens: &["TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN", "TENCENTCLOUD_SESSION_TOKEN"],
    },
    Spelling {
        id: "TENCENTCLOUD_SECRETID",
        key: "TENCENTCLOUD_SECRETKEY",
        tokens: &["TENCENTCLOUD_SESSIONTOKEN"],
    },
];

/// Takes the key from named values, which the caller looks up, with the name of its id; None when none of the names is set.
///
/// # Errors
/// When what is set is no usable key. The text names what is missing or wrong and never shows a value.
pub(super) fn key(
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<(&'static str, Credentials)>, CredentialsError> {
    let [_, runtime] = &SPELLINGS;
    // The runtime's token is of the runtime's key, where there is one.
    let is_of_runtime = lookup(runtime.id).is_some() || lookup(runtime.key).is_some();
    for spelling in &SPELLINGS {
        let id = read(lookup, spelling.id)?;
        let key = read(lookup, spelling.key)?;
        let mut tokens = spelling.tokens.to_vec();
        if id.is_some() && !is_of_runtime {
            tokens.extend(runtime.tokens);
        }
        let token = agreed(lookup, &tokens)?;
        let (secret_id, secret_key) = match (id, key, &token) {
            (Some(id), Some(key), _) => (id, key),
            (Some(_), None, _) => return Err(incomplete(spelling.id, spelling.key)),
            (None, Some(_), _) => return Err(incomplete(spelling.key, spelling.id)),
            (None, None, Some((name, _))) => return Err(incomplete(name, spelling.id)),
            (None, None, None) => continue,
        };
        let key = Credentials {
            secret_id,
            secret_key: secret_key.into(),
            token: token.map(|(_, token)| token.into()),
        };
        return Ok(Some((spelling.id, key)));
    }
    Ok(None)
}

pub(super) fn incomplete(found: &'static str, missing: &'static str) -> CredentialsError {
    CredentialsError::Incomplete { found: found.to_owned(), missing: missing.to_owned() }
}

pub(super) fn agreed(
    lookup: &dyn Fn(&str) -> Option<String>,
    names: &[&'static str],
) -> Result<Option<(&'static str, String)>, CredentialsError> {
    let mut token: Option<(&'static str, String)> = None;
    for name in names {
        match (read(lookup, name)?, &token) {
            (None, _) => {}
            (Some(value), None) => token = Some((name, value)),
            (Some(value), Some((_, first))) if value == *first => {}
            (Some(_), Some((one, _))) => {
                return Err(CredentialsError::Conflict { one, other: name });
            }
        }
    }
    Ok(token)
}

/// A value that may stand in a signature.
pub(super) fn read(
    lookup: &dyn Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<Option<String>, CredentialsError> {
    checked(lookup(name), name)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    const ID: &str = "TENCENTCLOUD_SECRET_ID";
    const KEY: &str = "TENCENTCLOUD_SECRET_KEY";
    const RUNTIME_ID: &str = "TENCENTCLOUD_SECRETID";
    const RUNTIME_KEY: &str = "TENCENTCLOUD_SECRETKEY";
    const RUNTIME_TOKEN: &str = "TENCENTCLOUD_SESSIONTOKEN";

    fn from(pairs: &[(&str, &str)]) -> Result<Credentials, CredentialsError> {
        let found =
            key(&|name| pairs.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned()));
        found.map(|found| found.unwrap().1)
    }

    #[test]
    fn every_spelling_is_read() {
        for token in ["TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN", "TENCENTCLOUD_SESSION_TOKEN"] {
            let key = from(&[(ID, "i"), (KEY, "k"), (token, "t")]).unwrap();
            assert_eq!(key.secret_id, "i");
            assert_eq!(key.secret_key.expose_secret(), "k");
            assert_eq!(key.token.unwrap().expose_secret(), "t");
        }
        let key = from(&[(RUNTIME_ID, "i"), (RUNTIME_KEY, "k"), (RUNTIME_TOKEN, "t")]).unwrap();
        assert_eq!(key.secret_id, "i");
        assert_eq!(key.token.unwrap().expose_secret(), "t");
    }

    #[test]
    fn a_chosen_key_goes_before_the_runtimes_and_takes_nothing_from_it() {
        let key = from(&[
            (ID, "chosen"),
            (KEY, "k"),
            (RUNTIME_ID, "runtime"),
            (RUNTIME_KEY, "rk"),
            (RUNTIME_TOKEN, "rt"),
        ])
        .unwrap();
        assert_eq!(key.secret_id, "chosen");
        assert!(key.token.is_none());
    }

    #[test]
    fn a_token_may_have_the_runtimes_name_where_there_is_no_key_of_the_runtimes() {
        let key = from(&[(ID, "i"), (KEY, "k"), (RUNTIME_TOKEN, "t")]).unwrap();
        assert_eq!(key.token.unwrap().expose_secret(), "t");
    }

    #[test]
    fn what_is_wrong_is_named_and_never_shown() {
        let secret = "hunter2";
        let joined = format!("{secret} {secret}");
        let newline = format!("{secret}\n");
        let table = [
            (from(&[(ID, secret)]), "TENCENTCLOUD_SECRET_KEY is not"),
            (from(&[(KEY, secret)]), "TENCENTCLOUD_SECRET_ID is not"),
            (from(&[("TENCENTCLOUD_TOKEN", secret)]), "TENCENTCLOUD_SECRET_ID is not"),
            (from(&[(ID, secret), (RUNTIME_KEY, secret)]), "TENCENTCLOUD_SECRET_KEY is not"),
            (from(&[(ID, secret), (KEY, &joined)]), "TENCENTCLOUD_SECRET_KEY holds white space"),
            (from(&[(ID, secret), (KEY, &newline)]), "TENCENTCLOUD_SECRET_KEY holds white space"),
            (from(&[(ID, "hunter2密"), (KEY, secret)]), "TENCENTCLOUD_SECRET_ID holds characters"),
            (
                from(&[
                    (ID, secret),
                    (KEY, secret),
                    ("TENCENTCLOUD_TOKEN", secret),
                    ("TENCENTCLOUD_SESSION_TOKEN", "other"),
                ]),
                "TENCENTCLOUD_TOKEN and TENCENTCLOUD_SESSION_TOKEN are both set",
            ),
        ];
        for (result, expected) in table {
            let error = result.unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(expected), "{text}");
            assert!(!text.contains(secret), "{text}");
        }
    }

    #[test]
    fn equal_tokens_are_one() {
        let key =
            from(&[(ID, "i"), (KEY, "k"), ("TENCENTCLOUD_TOKEN", "t"), ("TENCENTCLOUD_SECURITY_TOKEN", "t")]);
        assert!(key.unwrap().token.is_some());
    }
}
