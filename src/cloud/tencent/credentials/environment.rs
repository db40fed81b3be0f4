//! Credentials in environment variables.

use super::types::{CredentialContext, Credentials, CredentialsError};

/// One spelling of the names. A spelling is used as a whole or not at all.
struct Spelling {
    id: &'static str,
    key: &'static str,
    tokens: &'static [&'static str],
}

/// The first spelling of which any name is set counts. The second is set by Tencent Cloud's function runtime and CloudBase's
/// tools on their own, so credentials that a person chose come first.
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

/// Reads the credentials, with the name of the variable of their id; None when none of the variables is set.
///
/// # Errors
/// When what is set is not complete or not valid.
pub(super) fn read(
    context: &CredentialContext<'_>,
) -> Result<Option<(&'static str, Credentials)>, CredentialsError> {
    let [_, runtime] = &SPELLINGS;
    // The runtime's token belongs to the runtime's key, where there is one.
    let is_of_runtime = context.get(runtime.id).is_some() || context.get(runtime.key).is_some();
    for spelling in &SPELLINGS {
        let id = context.read(spelling.id)?;
        let key = context.read(spelling.key)?;
        let mut tokens = spelling.tokens.to_vec();
        if id.is_some() && !is_of_runtime {
            tokens.extend(runtime.tokens);
        }
        let token = context.read_any(&tokens)?;
        let incomplete = |found, missing| Err(CredentialsError::incomplete(found, missing));
        return match (id, key, token) {
            (Some(secret_id), Some(key), token) => {
                let token = token.map(|(_, token)| token.into());
                Ok(Some((spelling.id, Credentials { secret_id, secret_key: key.into(), token })))
            }
            (Some(_), None, _) => incomplete(spelling.id, spelling.key),
            (None, Some(_), _) => incomplete(spelling.key, spelling.id),
            (None, None, Some((token, _))) => incomplete(token, spelling.id),
            (None, None, None) => continue,
        };
    }
    Ok(None)
}
