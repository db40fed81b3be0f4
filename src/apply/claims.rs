//! Which order has an id already. Pure.
//!
//! Each order has a number of its own, and each environment that is created an id of its own. An answer with one that
//! another order has contradicts that order's answer; which of the two is right, only the account or a person can say.

use crate::cloud::{CloudError, Grade, LOOK_FIRST, Ordered, SeenIds};
use crate::lang::text;
use crate::model::Address;

/// The ids that are known of one order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) address: &'a Address,
    pub(super) tran_id: Option<&'a str>,
    pub(super) env_id: Option<&'a str>,
}

/// What an answer proves that has an id of another order; None when it has not. `asked` is the EnvId that was ordered, if
/// one was: that one is there before its order, and is on record where it was ordered for another address before.
pub(super) fn contradiction<'a>(
    answer: &Ordered,
    asked: Option<&str>,
    mut others: impl Iterator<Item = Claim<'a>>,
) -> Option<CloudError> {
    let (name, id, other) = others.find_map(|other| {
        let env_id = answer.env_id.as_deref().filter(|id| asked != Some(*id));
        if other.tran_id == Some(answer.tran_id.as_str()) {
            Some(("TranId", answer.tran_id.as_str(), other.address))
        } else if env_id.is_some() && other.env_id == env_id {
            Some(("EnvId", env_id?, other.address))
        } else {
            None
        }
    })?;
    let message = text!(
        "the answer has the {name} {id}, which the order of `{other}` has already",
        "应答中的 {name} {id} 已属于 `{other}` 的订单"
    );
    Some(CloudError {
        request_id: answer.request_id.clone(),
        http_status: Some(200),
        seen: SeenIds { tran_id: Some(answer.tran_id.clone()), env_id: answer.env_id.clone() },
        hint: Some(LOOK_FIRST),
        ..CloudError::new(Grade::Unknown, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_order() {
        let address = Address::new("a").unwrap();
        let other = Claim { address: &address, tran_id: Some("1"), env_id: Some("e-1") };
        let none = Claim { tran_id: None, env_id: None, ..other };
        let contradicts = |tran_id: &str, env_id: Option<&str>, asked| {
            let answer =
                Ordered { tran_id: tran_id.to_owned(), env_id: env_id.map(str::to_owned), request_id: None };
            contradiction(&answer, asked, [none, other].into_iter()).is_some()
        };
        assert!(!contradicts("2", Some("e-2"), None));
        assert!(!contradicts("2", None, None));
        assert!(contradicts("1", None, None));
        assert!(contradicts("1", Some("e-2"), Some("e-2")));
        assert!(contradicts("2", Some("e-1"), None));
        assert!(!contradicts("2", Some("e-1"), Some("e-1")));
    }
}
