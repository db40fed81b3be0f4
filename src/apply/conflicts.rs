//! Creates whose environment or ids exist already: in the account before a run, or with another order. Pure.

use std::collections::{BTreeSet, HashMap};

use crate::cloud::matching::{self, Matcher};
use crate::cloud::{CloudError, Grade, LOOK_FIRST, Ordered, PayMode, SeenEnvironment, SeenIds};
use crate::i18n::text;
use crate::model::{Address, Attributes};
use crate::plan::Plan;
use crate::state::{State, Status};

/// A declared environment, and one in the account that may be the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasConflict {
    pub address: Address,
    pub env_id: String,
}

/// The creates that an environment of the account may be the result of.
///
/// That is one that matches and is in neither state nor receipts; one that receipts have and the state does not, and that shows
/// the alias; and one that is managed at another address and shows the alias. For a create that switches an environment it is
/// that one, if it is paid for as the kind is already.
pub(super) fn alias_conflicts(
    plan: &Plan,
    state: Option<&State>,
    known_ids: &BTreeSet<String>,
    seen: &[SeenEnvironment],
) -> Vec<AliasConflict> {
    // What was destroyed may be back: only the account knows.
    let isolated: BTreeSet<&str> = seen
        .iter()
        .filter(|environment| environment.is_isolated())
        .map(|environment| environment.env_id.as_str())
        .collect();
    let recorded = state.into_iter().flat_map(State::records);
    let recorded = recorded.filter_map(|(address, record)| {
        let env_id = record.env_id.as_deref()?;
        let holds = record.status != Status::Isolated || isolated.contains(env_id);
        holds.then_some((address, env_id))
    });
    let named = plan.steps.iter().filter_map(|step| step.ids.env_id.as_deref());
    let managed: BTreeSet<&str> = recorded.map(|(_, env_id)| env_id).chain(named).collect();
    let in_state = state.into_iter().flat_map(State::env_ids);
    let in_state = in_state.map(|(_, env_id)| env_id);
    let elsewhere = known_ids.iter().map(String::as_str);
    let known = in_state.chain(elsewhere).chain(managed.iter().copied());
    // An address that the plan leaves out could only claim an environment for itself, and so hide the conflict.
    let matcher = Matcher::new(declared(plan), known);
    let owned: HashMap<&Address, &str> = seen
        .iter()
        .rev()
        .filter_map(|environment| Some((matcher.owner(environment)?, environment.env_id.as_str())))
        .collect();
    let strangers: HashMap<String, &str> = seen
        .iter()
        .filter(|environment| !managed.contains(environment.env_id.as_str()))
        .filter_map(|environment| Some((alias_key(environment)?, environment.env_id.as_str())))
        .collect();
    let by_id: HashMap<&str, &SeenEnvironment> =
        seen.iter().map(|environment| (environment.env_id.as_str(), environment)).collect();
    // Not the aliases in the state: an environment may have been renamed, by us or by somebody else.
    let shown: HashMap<&str, String> = seen
        .iter()
        .filter(|environment| !environment.is_isolated())
        .filter_map(|environment| Some((environment.env_id.as_str(), alias_key(environment)?)))
        .collect();
    // What lives inside an environment is not another one.
    let current = state.into_iter().flat_map(State::current);
    let current = current.filter(|(_, record)| !record.attributes.kind().shares_env_id);
    let others: HashMap<&String, (&Address, &str)> = current
        .filter_map(|(address, record)| {
            let env_id = record.env_id.as_deref()?;
            Some((shown.get(env_id)?, (address, env_id)))
        })
        .collect();
    plan.orders()
        .filter_map(|step| {
            let order = step.after.as_ref()?;
            if order.kind().shares_env_id {
                return None;
            }
            // Switching an environment that is switched already would be paid again.
            let env_id = if let Some(env_id) = order.env_id() {
                let environment = by_id.get(env_id)?;
                let shown = PayMode::from_word(environment.pay_mode.as_deref()?);
                &order.kind().pay_mode.filter(|mode| PayMode::from_word(mode) == shown).map(|_| env_id)?
            } else if let Some(env_id) = owned.get(&step.address) {
                env_id
            } else {
                let alias = matching::key(order.alias()?)?;
                let other = others.get(&alias).filter(|(address, _)| *address != step.recorded_address());
                strangers.get(&alias).or(other.map(|(_, env_id)| env_id))?
            };
            Some(AliasConflict { address: step.address.clone(), env_id: (*env_id).to_owned() })
        })
        .collect()
}

/// What the plan declares at each address.
pub(super) fn declared(plan: &Plan) -> impl Iterator<Item = (&Address, &Attributes)> {
    let steps = plan.steps.iter();
    steps.filter_map(|step| Some((&step.address, step.after.as_ref()?)))
}

fn alias_key(environment: &SeenEnvironment) -> Option<String> {
    environment.alias.as_deref().and_then(matching::key)
}

/// The ids that are known of one order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) address: &'a Address,
    pub(super) tran_id: Option<&'a str>,
    pub(super) env_id: Option<&'a str>,
}

/// Returns what an answer proves that has an id of another order: nothing, so its outcome is unknown. `asked` is the EnvId in
/// the request: that environment existed before.
///
/// Each order has its own TranId, and each environment that is created its own EnvId. Which of two answers with the same one is
/// right, only the account or a user can say.
pub(super) fn contradiction<'a>(
    answer: &Ordered,
    asked: Option<&str>,
    mut others: impl Iterator<Item = Claim<'a>>,
) -> Option<CloudError> {
    let (name, id, other) = others.find_map(|other| {
        let env_id = answer.env_id.as_deref().filter(|id| asked != Some(*id));
        let tran_id = answer.tran_id.as_deref();
        if tran_id.is_some() && other.tran_id == tran_id {
            Some(("TranId", tran_id?, other.address))
        } else if env_id.is_some() && other.env_id == env_id {
            Some(("EnvId", env_id?, other.address))
        } else {
            None
        }
    })?;
    let message =
        text!("the response contains the {name} {id}, which already belongs to `{other}`", name, id, other);
    Some(CloudError {
        request_id: answer.request_id.clone(),
        http_status: Some(200),
        seen: SeenIds { tran_id: answer.tran_id.clone(), env_id: answer.env_id.clone() },
        hint: Some(LOOK_FIRST),
        ..CloudError::new(Grade::Unknown, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_the_id_of_another_order_is_unknown() {
        let address = Address::new("a").unwrap();
        let other = Claim { address: &address, tran_id: Some("1"), env_id: Some("e-1") };
        let none = Claim { tran_id: None, env_id: None, ..other };
        let contradicts = |tran_id: &str, env_id: Option<&str>, asked| {
            let answer = Ordered {
                tran_id: Some(tran_id.to_owned()),
                env_id: env_id.map(str::to_owned),
                request_id: None,
            };
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
