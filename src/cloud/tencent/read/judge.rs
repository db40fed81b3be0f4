//! Tells an answer from a failure. For a question the grades mean: asked in vain, refused, or no telling; only a refusal
//! is not asked again.

use crate::cloud::tencent::codes::{self, Repair, Verdict};
use crate::cloud::tencent::evidence::{Reply, no_reply, not_ok};
use crate::cloud::tencent::redact::Redactor;
use crate::cloud::tencent::wire::{ApiError, Page, Unreadable};
use crate::cloud::{CloudError, Grade, NotSent, Scope};
use crate::lang::{Text, text};

/// The page, when the reply is one: whole, with status 200, and without an error in it.
pub(super) fn judge<T>(
    reply: &Reply<'_>,
    decode: fn(&[u8]) -> Result<Page<T>, Unreadable>,
    redactor: &Redactor,
    repair: impl FnOnce(Repair) -> bool,
) -> Result<Page<T>, CloudError> {
    // An endpoint that echoes what it was sent may put a token here.
    let id = |id: Option<String>| id.and_then(|id| redactor.id(&id));
    let failed = |message: &Text| CloudError {
        http_status: Some(reply.status),
        body: redactor.body(reply.body),
        ..no_reply(true, message, redactor)
    };
    // What is wrong with it as an answer comes first, and what the vendor says in it after that.
    let no_good = |why: Text, ids: Option<String>, error: Option<ApiError>| {
        let (code, said) = error.map_or((None, String::new()), |error| (error.code, error.message));
        let message = match said.trim() {
            "" => why,
            said => text!("{why}: {said}", "{why:#}：{said}"),
        };
        CloudError {
            request_id: id(ids),
            hint: code.as_deref().and_then(hint),
            code: code.map(|code| redactor.text(&code)),
            ..failed(&message)
        }
    };
    let page = match decode(reply.body) {
        Ok(page) => page,
        Err(unreadable) => {
            let why = match (&reply.broken, reply.status) {
                (Some(broken), _) => broken.clone(),
                (None, 200) => unreadable.why,
                (None, status) => not_ok(status),
            };
            return Err(no_good(why, unreadable.ids.request_id, unreadable.error));
        }
    };
    let why = match (&reply.broken, reply.status) {
        (Some(broken), _) => Some(broken.clone()),
        (None, 200) => None,
        (None, status) => Some(not_ok(status)),
    };
    if let Some(why) = why {
        return Err(no_good(why, page.request_id, page.error));
    }
    let request_id = id(page.request_id.clone());
    let Some(ApiError { code, message }) = page.error else {
        return Ok(Page { request_id, ..page });
    };
    let grade = match code.as_deref().map(verdict) {
        Some(Verdict::Throttled) => Grade::NotSent(NotSent::Throttled),
        Some(Verdict::Repair(what)) if repair(what) => Grade::NotSent(NotSent::Repaired),
        Some(Verdict::Repair(_)) => Grade::Refused(Scope::Run),
        Some(Verdict::Refused(scope)) => Grade::Refused(scope),
        Some(Verdict::Unknown) | None => Grade::Unknown,
    };
    Err(CloudError {
        grade,
        hint: code.as_deref().and_then(hint),
        code: code.map(|code| redactor.text(&code)),
        request_id,
        body: None,
        ..failed(&Text::same(message))
    })
}

/// A list that is not read any further.
pub(super) fn too_much(message: &Text, redactor: &Redactor) -> CloudError {
    no_reply(true, message, redactor)
}

/// As for an order, but that what is not found is not asked for again: `ResourceNotFound.UserNotExists` is listed for
/// `DescribeEnvs`, and nothing is concluded from any other.
fn verdict(code: &str) -> Verdict {
    if code.starts_with("ResourceNotFound.") { Verdict::Refused(Scope::Step) } else { codes::verdict(code) }
}

/// Advice, where the one for an order holds for a question too: it is about keys, access or the endpoint.
fn hint(code: &str) -> Option<Text> {
    const COMMON: [&str; 11] = [
        "ActionOffline",
        "AuthFailure",
        "InvalidAction",
        "IpInBlacklist",
        "IpNotInWhitelist",
        "NoSuchProduct",
        "NoSuchVersion",
        "RequestLimitExceeded",
        "UnauthorizedOperation",
        "UnsupportedProtocol",
        "UnsupportedRegion",
    ];
    let family = code.split('.').next().unwrap_or_default();
    codes::explain(code).filter(|_| COMMON.contains(&family)).map(|row| row.hint.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tencent::Credentials;
    use crate::cloud::tencent::wire::decode_envs;

    fn of(status: u16, body: &str, broken: Option<&str>) -> Result<usize, CloudError> {
        let redactor = Redactor::new(&Credentials {
            secret_id: "AKIDEXAMPLE".to_owned(),
            secret_key: "keykeykeykey".into(),
            token: None,
        });
        let reply =
            Reply { status, body: body.as_bytes(), broken: broken.map(|why| Text::same(why.to_owned())) };
        judge(&reply, decode_envs, &redactor, |what| what == Repair::Clock).map(|page| page.rows.len())
    }

    fn error(code: &str) -> String {
        format!(
            r#"{{"Response":{{"Error":{{"Code":"{code}","Message":"m keykeykeykey"}},"RequestId":"r"}}}}"#
        )
    }

    #[test]
    fn only_a_refusal_is_final() {
        use Grade::{NotSent as N, Refused, Unknown};
        let page = r#"{"Response":{"EnvList":[{"EnvId":"a"}],"RequestId":"r"}}"#;
        assert_eq!(of(200, page, None), Ok(1));
        let table = [
            (200, error("RequestLimitExceeded"), N(NotSent::Throttled)),
            (200, error("LimitExceeded.Request"), Unknown),
            (200, error("AuthFailure.SignatureExpire"), N(NotSent::Repaired)),
            (200, error("InvalidParameter"), Refused(Scope::Step)),
            (200, error("ResourceNotFound.UserNotExists"), Refused(Scope::Step)),
            (200, error("UnsupportedRegion"), Refused(Scope::Run)),
            (200, error("InternalError"), Unknown),
            (200, error("Oops"), Unknown),
            (200, r#"{"Response":{"Error":{}}}"#.to_owned(), Unknown),
            (200, r#"{"Response":{"RequestId":"r"}}"#.to_owned(), Unknown),
            (200, "<html>".to_owned(), Unknown),
            (500, page.to_owned(), Unknown),
            (503, error("InvalidParameter"), Unknown),
            (302, String::new(), Unknown),
            (200, r#"{"Response":{"RequestId":"keykeykeykey"}}"#.to_owned(), Unknown),
            (500, r#"{"Response":{"EnvList":[],"RequestId":"keykeykeykey"}}"#.to_owned(), Unknown),
        ];
        for (status, body, grade) in table {
            let error = of(status, &body, None).unwrap_err();
            assert_eq!(error.grade, grade, "{status} {body}");
            assert_eq!(error.http_status, Some(status));
            assert!(!format!("{error:?}").contains("keykey"), "{error:?}");
        }
        // A whole page that came over a connection that then broke may lack what would have come after it.
        let cut = of(200, page, Some("the answer was cut off")).unwrap_err();
        assert_eq!((cut.grade, cut.message.en()), (Unknown, "the answer was cut off"));
        assert_eq!(cut.request_id.as_deref(), Some("r"));
    }

    #[test]
    fn what_the_vendor_says_is_told_whatever_the_status() {
        let refused = of(403, &error("AuthFailure.UnauthorizedOperation"), None).unwrap_err();
        assert_eq!(refused.code.as_deref(), Some("AuthFailure.UnauthorizedOperation"));
        let message = refused.message.en();
        assert!(message.contains("403") && message.contains("m [secret key]"), "{message}");
        assert_eq!(refused.request_id.as_deref(), Some("r"));
        assert!(refused.hint.is_some() && refused.message.is_in_both());
        // The older form of answer too.
        let older = r#"{"code":4100,"message":"no","codeDesc":"AuthFailure"}"#;
        let older = of(500, older, None).unwrap_err();
        assert_eq!(older.code.as_deref(), Some("AuthFailure"));
        assert!(older.message.en().ends_with(": no"), "{}", older.message);
    }

    #[test]
    fn advice_about_orders_is_not_given_for_a_question() {
        assert!(of(200, &error("InternalError"), None).unwrap_err().hint.is_none());
        assert!(of(200, &error("InvalidParameter"), None).unwrap_err().hint.is_none());
        let keys = of(200, &error("AuthFailure.SecretIdNotFound"), None).unwrap_err();
        assert!(keys.hint.unwrap().en().contains("Check the key"));
    }
}
