//! Whose a key is, and temporary keys for roles: the sandbox's side of the vendor's STS, and of a machine's metadata service.
//!
//! A temporary key holds its own end, and its secret and token follow from its id, so that a server that starts anew knows it
//! still. None of them is a secret: they open this sandbox and nothing else. Which roles there are, and whom they trust, is
//! not looked at; what the vendor says of a caller's type is the sandbox's choice.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::world::Refusal;
use super::{SECRET_ID, SECRET_KEY};
use crate::cloud::tencent::wire::{ASSUME_ROLE, ASSUME_ROLE_WITH_WEB_IDENTITY, CALLER};

/// What the id of a temporary key begins with.
const TEMPORARY: &str = "AKIDtmp";
/// How long one lasts when nothing is said, in seconds.
const DEFAULT: i64 = 7200;
const LONGEST: i64 = 43_200;
/// The user that the sandbox's own key is of.
const USER: &str = "100000000002";
/// A machine's keys are renewed by the metadata service when they have gone half their way.
pub(super) const METADATA: &str = "/latest/meta-data/cam/security-credentials/";

/// What is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Caller,
    AssumeRole,
    WithWebIdentity,
}

impl Question {
    pub(super) fn of(action: &str) -> Option<Self> {
        match action {
            CALLER => Some(Self::Caller),
            ASSUME_ROLE => Some(Self::AssumeRole),
            ASSUME_ROLE_WITH_WEB_IDENTITY => Some(Self::WithWebIdentity),
            _ => None,
        }
    }

    /// Whether it comes without a signature: the token in it speaks for whoever asks.
    pub(super) const fn is_unsigned(self) -> bool {
        match self {
            Self::Caller | Self::AssumeRole => false,
            Self::WithWebIdentity => true,
        }
    }
}

/// What the secret of a key is, and what else a call with it has to bring.
pub(super) struct Known {
    pub(super) secret: String,
    /// The token of a temporary key, and its end.
    pub(super) temporary: Option<(String, Timestamp)>,
}

/// The key with this id, however old.
pub(super) fn known(id: &str) -> Option<Known> {
    if id == SECRET_ID {
        return Some(Known { secret: SECRET_KEY.to_owned(), temporary: None });
    }
    let ends = id.strip_prefix(TEMPORARY)?.split('x').next()?;
    let ends = i64::from_str_radix(ends, 16).ok()?;
    Some(Known {
        secret: derived("key", id),
        temporary: Some((derived("token", id), Timestamp::from_second(ends).ok()?)),
    })
}

/// The account, and how long keys of it last.
#[derive(Debug, Clone)]
pub(super) struct Issuing {
    pub(super) account: String,
    pub(super) most: Option<Duration>,
}

impl Issuing {
    /// The members of an answer.
    pub(super) fn answer(
        &self,
        question: Question,
        caller: &str,
        params: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Map<String, Value>, Refusal> {
        let needs: &[&str] = match question {
            Question::Caller => return Ok(self.caller(caller)),
            Question::AssumeRole => &["RoleArn", "RoleSessionName"],
            Question::WithWebIdentity => &["ProviderId", "WebIdentityToken", "RoleArn", "RoleSessionName"],
        };
        for name in needs {
            let value = params.get(*name).and_then(Value::as_str);
            if value.is_none_or(str::is_empty) {
                return Err(Refusal::new("MissingParameter", format!("The parameter `{name}` is missing.")));
            }
        }
        let arn = params.get("RoleArn").and_then(Value::as_str);
        if !arn.is_some_and(|arn| arn.starts_with("qcs::cam::")) {
            return Err(Refusal::new("InvalidParameter.ResourceError", "`RoleArn` is no role."));
        }
        let seconds = params.get("DurationSeconds");
        let seconds =
            seconds.map_or(Some(DEFAULT), |value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
        let seconds = seconds.filter(|seconds| (1..=LONGEST).contains(seconds)).ok_or_else(|| {
            Refusal::new("InvalidParameter.OverTimeError", "`DurationSeconds` is not between 1 and 43200.")
        })?;
        let (credentials, ends) = self.issue(now, SignedDuration::from_secs(seconds));
        Ok(Map::from_iter([
            ("Credentials".to_owned(), credentials),
            ("ExpiredTime".to_owned(), ends.as_second().into()),
            ("Expiration".to_owned(), ends.to_string().into()),
        ]))
    }

    /// What a machine's metadata service answers at a path below [`METADATA`]; None where there is nothing.
    pub(super) fn metadata(&self, role: &str, asked: &str, now: Timestamp) -> Option<String> {
        if asked.is_empty() {
            return Some(role.to_owned());
        }
        if asked != role {
            return None;
        }
        let (credentials, ends) = self.issue(now, SignedDuration::from_secs(DEFAULT));
        let mut answer = credentials;
        answer["ExpiredTime"] = ends.as_second().into();
        answer["Expiration"] = ends.to_string().into();
        answer["Code"] = "Success".into();
        Some(answer.to_string())
    }

    fn caller(&self, id: &str) -> Map<String, Value> {
        let account = &self.account;
        let (arn, kind, user) = if id == SECRET_ID {
            (format!("qcs::cam::uin/{account}:uin/{USER}"), "CAMUser", USER.to_owned())
        } else {
            (format!("qcs::sts:{account}:assumed-role/sandbox"), "CAMRole", format!("{account}:sandbox"))
        };
        let members = json!({
            "Arn": arn, "AccountId": account, "UserId": user, "PrincipalId": user, "Type": kind,
        });
        match members {
            Value::Object(members) => members,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Map::new()
            }
        }
    }

    fn issue(&self, now: Timestamp, asked: SignedDuration) -> (Value, Timestamp) {
        let most = self.most.and_then(|most| most.try_into().ok());
        let lasts = most.map_or(asked, |most| asked.min(most));
        let ends = now.saturating_add(lasts).unwrap_or(Timestamp::MAX);
        let nonce = uuid::Uuid::now_v7().simple();
        let id = format!("{TEMPORARY}{:x}x{nonce}", ends.as_second());
        let key = json!({
            "TmpSecretId": id,
            "TmpSecretKey": derived("key", &id),
            "Token": derived("token", &id),
        });
        (key, ends)
    }
}

/// What follows from an id.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn derived(what: &str, id: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET_KEY.as_bytes()).expect("a key of any length");
    mac.update(what.as_bytes());
    mac.update(id.as_bytes());
    let bytes = mac.finalize().into_bytes();
    format!("{}{what}", hex::encode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuing(most: Option<Duration>) -> Issuing {
        Issuing { account: "42".to_owned(), most }
    }

    fn params(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    const NOW: Timestamp = Timestamp::constant(1_700_000_000, 0);

    #[test]
    fn a_temporary_key_is_known_by_its_id_alone() {
        let ask = params(
            &json!({"RoleArn": "qcs::cam::uin/1:roleName/x", "RoleSessionName": "s", "DurationSeconds": 900}),
        );
        let answer = issuing(None).answer(Question::AssumeRole, SECRET_ID, &ask, NOW);
        let answer = answer.unwrap_or_else(|refusal| panic!("{}", refusal.code));
        assert_eq!(answer["ExpiredTime"], 1_700_000_900);
        let key = &answer["Credentials"];
        let id = key["TmpSecretId"].as_str().unwrap();
        let known = known(id).unwrap();
        assert_eq!(key["TmpSecretKey"], known.secret.as_str());
        let (token, ends) = known.temporary.unwrap();
        assert_eq!(key["Token"], token.as_str());
        assert_eq!(ends.as_second(), 1_700_000_900);
        let other = issuing(Some(Duration::from_secs(3)));
        let shorter = other.answer(Question::AssumeRole, SECRET_ID, &ask, NOW);
        assert_eq!(shorter.ok().unwrap()["ExpiredTime"], 1_700_000_003);
        assert!(super::known("AKIDtmpnothing").is_none());
        assert!(super::known("AKIDother").is_none());
    }

    #[test]
    fn what_is_missing_or_too_much_is_refused() {
        let whole = json!({"ProviderId": "p", "WebIdentityToken": "t", "RoleArn": "qcs::cam::uin/1:roleName/x", "RoleSessionName": "s"});
        let ask = |change: &dyn Fn(&mut Value)| {
            let mut asked = whole.clone();
            change(&mut asked);
            let answer = issuing(None).answer(Question::WithWebIdentity, "", &params(&asked), NOW);
            answer.err().map(|refusal| refusal.code)
        };
        assert_eq!(ask(&|_| {}), None);
        for name in ["ProviderId", "WebIdentityToken", "RoleArn", "RoleSessionName"] {
            let code = ask(&|asked| asked[name] = "".into());
            assert_eq!(code.as_deref(), Some("MissingParameter"), "{name}");
        }
        for seconds in [json!(0), json!(43_201), json!("x")] {
            let code = ask(&|asked| asked["DurationSeconds"] = seconds.clone());
            assert_eq!(code.as_deref(), Some("InvalidParameter.OverTimeError"));
        }
        let code = ask(&|asked| asked["RoleArn"] = "x".into());
        assert_eq!(code.as_deref(), Some("InvalidParameter.ResourceError"));
    }

    #[test]
    fn a_machine_knows_its_role_alone() {
        let issuing = issuing(None);
        assert_eq!(issuing.metadata("web", "", NOW).as_deref(), Some("web"));
        assert!(issuing.metadata("web", "other", NOW).is_none());
        let key: Value = serde_json::from_str(&issuing.metadata("web", "web", NOW).unwrap()).unwrap();
        assert_eq!(key["Code"], "Success");
        assert!(known(key["TmpSecretId"].as_str().unwrap()).is_some());
    }

    #[test]
    fn a_key_and_a_role_are_told_apart() {
        let of = |id| issuing(None).caller(id);
        assert_eq!(of(SECRET_ID)["AccountId"], "42");
        assert_eq!(of(SECRET_ID)["Type"], "CAMUser");
        assert_eq!(of("AKIDtmp1x")["Type"], "CAMRole");
    }
}
