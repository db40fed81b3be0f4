//! What changes an environment that is there: the vendor's rules for `ModifyEnv` and `DestroyEnv`, and what they do. Values
//! in, values out.
//!
//! The vendor describes `DestroyEnv` for prepaid environments alone: it isolates one that is normal, and `IsForce` deletes one
//! that is isolated, or a normal one at once. Here every environment is treated so, which is the sandbox's choice, and so is
//! that nothing becomes of isolating it once more, that isolation has no end, and that an alias may be changed in it. There
//! are never data or add-on packages to be found, so `BypassCheck` makes no difference.

use serde_json::{Map, Value};

use super::ledger::LedgerEntry;
use super::look::question;
use super::world::{Env, Refusal, World, string, vendors_time};
use crate::cloud::tencent::wire::{DESTROY, DestroyEnv, MODIFY, ModifyEnv};

/// The longest alias by the vendor's newer rule, in characters.
const MAX_ALIAS: usize = 32;

/// A change that the rules allow, before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) env_id: String,
    /// False when everything is as asked for already.
    pub(super) changes: bool,
}

impl World {
    /// Holds a call of `ModifyEnv` against the vendor's rules. Nothing is changed yet.
    pub(super) fn consider_modify(&self, params: Map<String, Value>) -> Result<Change, Refusal> {
        let ModifyEnv { env_id, alias, custom_qps: _ } = question(params)?;
        let env = self.named(env_id)?;
        let alias = alias.filter(|alias| !alias.is_empty());
        if alias.as_deref().is_some_and(|alias| !is_alias(alias)) {
            return Err(Refusal::new(
                "InvalidParameter",
                "`Alias` has at most 32 characters, or starts with a-z and holds a-z, A-Z, 0-9 and - only.",
            ));
        }
        Ok(Change { env_id: env.info.env_id.clone(), changes: alias.is_some() })
    }

    /// Holds a call of `DestroyEnv` against the vendor's rules. Nothing is changed yet.
    pub(super) fn consider_destroy(&self, params: Map<String, Value>) -> Result<Change, Refusal> {
        let DestroyEnv { env_id, is_force, bypass_check: _ } = question(params)?;
        let env = self.named(env_id)?;
        Ok(Change { env_id: env.info.env_id.clone(), changes: is_force || !env.is_isolated() })
    }

    fn named(&self, env_id: Option<String>) -> Result<&Env, Refusal> {
        let env_id = env_id.filter(|id| !id.is_empty());
        let env_id = env_id.ok_or_else(|| Refusal::new("MissingParameter", "`EnvId` is required."))?;
        self.find(&env_id).ok_or_else(|| Refusal::new("ResourceNotFound", "The environment does not exist."))
    }

    /// Makes a change that the ledger says was made.
    pub(super) fn change(&mut self, entry: &LedgerEntry) {
        let Some(env_id) = entry.env_id.as_deref() else {
            return;
        };
        let at = vendors_time(entry.at);
        match entry.action.as_str() {
            MODIFY => {
                if let Some(env) = self.find_mut(env_id)
                    && let Some(alias) = string(&entry.params, "Alias")
                {
                    alias.clone_into(&mut env.info.alias);
                    env.info.update_time = at;
                }
            }
            DESTROY if is_forced(&entry.params) => self.remove(env_id),
            DESTROY => {
                if let Some(env) = self.find_mut(env_id) {
                    env.isolate(&at);
                }
            }
            _ => {}
        }
    }
}

impl Env {
    pub(super) fn is_isolated(&self) -> bool {
        self.info.status == ISOLATE
    }

    fn isolate(&mut self, at: &str) {
        ISOLATE.clone_into(&mut self.info.status);
        at.clone_into(&mut self.info.update_time);
        ISOLATE.clone_into(&mut self.bill.status);
        at.clone_into(&mut self.bill.isolated_time);
        at.clone_into(&mut self.bill.update_time);
    }
}

const ISOLATE: &str = "ISOLATE";

fn is_forced(params: &Map<String, Value>) -> bool {
    params.get("IsForce") == Some(&Value::Bool(true))
}

/// Whether either rule allows it that the vendor's documents have had.
fn is_alias(alias: &str) -> bool {
    let plain = alias.starts_with(|c: char| c.is_ascii_lowercase())
        && alias.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    plain || alias.chars().count() <= MAX_ALIAS
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::sandbox::ledger::Line;

    fn params(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    /// Three environments: a-1, b-1 and c-1.
    fn world() -> World {
        let mut world = World::default();
        for env_id in ["a-1", "b-1", "c-1"] {
            world.apply(&Line::Environment {
                env_id: env_id.to_owned(),
                at: Timestamp::UNIX_EPOCH,
                postpaid: None,
            });
        }
        world
    }

    /// A line that says that a call did what it asked for.
    fn made(action: &str, asked: Value) -> Line {
        let asked = params(asked);
        Line::Request(LedgerEntry {
            call: 1,
            at: Timestamp::from_second(1_591_200_000).unwrap(),
            action: action.to_owned(),
            region: None,
            reached: true,
            acted: false,
            changed: true,
            answer: "ok".to_owned(),
            fault: None,
            tran_id: None,
            env_id: asked["EnvId"].as_str().map(str::to_owned),
            params: asked,
            request_id: String::new(),
        })
    }

    const NOW: &str = "2020-06-04 00:00:00";

    fn ids(world: &World) -> Vec<&str> {
        world.envs.iter().map(|env| &*env.info.env_id).collect()
    }

    #[test]
    fn the_vendors_rules_for_another_alias() {
        let long = "a".repeat(33);
        let table = [
            (json!({"EnvId":"a-1","Alias":"shop-2"}), Ok(true)),
            (json!({"EnvId":"a-1","Alias":"Shop"}), Ok(true)),
            (json!({"EnvId":"a-1","Alias":"我的CloudBase环境"}), Ok(true)),
            (json!({"EnvId":"a-1","Alias":"环".repeat(32)}), Ok(true)),
            (json!({"EnvId":"a-1","Alias":long}), Ok(true)),
            (json!({"EnvId":"a-1","Alias":format!("{long}-Z9")}), Ok(true)),
            (json!({"EnvId":"a-1"}), Ok(false)),
            (json!({"EnvId":"a-1","Alias":""}), Ok(false)),
            (json!({"EnvId":"a-1","CustomQps":500}), Ok(false)),
            (json!({"EnvId":"a-1","Alias":"环".repeat(33)}), Err("InvalidParameter")),
            (json!({"EnvId":"a-1","Alias":long.to_uppercase()}), Err("InvalidParameter")),
            (json!({"EnvId":"a-1","Alias":format!("{long}_")}), Err("InvalidParameter")),
            (json!({"EnvId":"a-1","Alias":1}), Err("InvalidParameter")),
            (json!({"EnvId":["a-1"]}), Err("InvalidParameter")),
            (json!({"EnvId":"a-1","EnvAlias":"x"}), Err("UnknownParameter")),
            (json!({"Alias":"shop"}), Err("MissingParameter")),
            (json!({"EnvId":"","Alias":"shop"}), Err("MissingParameter")),
            (json!({"EnvId":null}), Err("MissingParameter")),
            (json!({"EnvId":"z-1","Alias":"x"}), Err("ResourceNotFound")),
        ];
        for (ask, expected) in table {
            let got = world().consider_modify(params(ask.clone()));
            let got = got.map(|change| change.changes);
            let got = got.as_ref().map_err(|refusal| refusal.code.as_str());
            assert_eq!(got.copied(), expected, "{ask}");
        }
    }

    #[test]
    fn the_vendors_rules_for_giving_up() {
        let mut world = world();
        world.apply(&made(DESTROY, json!({"EnvId":"b-1"})));
        let table = [
            (json!({"EnvId":"a-1"}), Ok(true)),
            (json!({"EnvId":"a-1","IsForce":false,"BypassCheck":true}), Ok(true)),
            (json!({"EnvId":"a-1","IsForce":true}), Ok(true)),
            (json!({"EnvId":"b-1"}), Ok(false)),
            (json!({"EnvId":"b-1","IsForce":false}), Ok(false)),
            (json!({"EnvId":"b-1","IsForce":true}), Ok(true)),
            (json!({"EnvId":"a-1","IsForce":"true"}), Err("InvalidParameter")),
            (json!({"EnvId":"a-1","BypassCheck":1}), Err("InvalidParameter")),
            (json!({"EnvId":"a-1","DeleteDirectly":true}), Err("UnknownParameter")),
            (json!({}), Err("MissingParameter")),
            (json!({"IsForce":true}), Err("MissingParameter")),
            (json!({"EnvId":"z-1"}), Err("ResourceNotFound")),
        ];
        for (ask, expected) in table {
            let got = world.consider_destroy(params(ask.clone()));
            let got = got.map(|change| change.changes);
            let got = got.as_ref().map_err(|refusal| refusal.code.as_str());
            assert_eq!(got.copied(), expected, "{ask}");
        }
    }

    #[test]
    fn another_alias_is_all_that_a_rename_changes() {
        let mut world = world();
        let before = world.find("b-1").unwrap().info.clone();
        world.apply(&made(MODIFY, json!({"EnvId":"b-1","Alias":"博客"})));
        let after = &world.find("b-1").unwrap().info;
        assert_eq!(after.alias, "博客");
        assert_eq!(after.update_time, NOW);
        let mut undone = after.clone();
        undone.alias = before.alias.clone();
        undone.update_time = before.update_time.clone();
        assert_eq!(undone, before);
        assert_eq!(world.find("a-1").unwrap().info.alias, "a");
    }

    #[test]
    fn giving_up_isolates_first_and_then_deletes() {
        let mut world = world();
        let forced = json!({"EnvId":"a-1","IsForce":true});
        world.apply(&made(DESTROY, json!({"EnvId":"a-1"})));
        let env = world.find("a-1").unwrap();
        assert_eq!((&*env.info.status, &*env.bill.status), ("ISOLATE", "ISOLATE"));
        assert_eq!(env.info.update_time, NOW);
        assert_eq!(env.bill.isolated_time, NOW);
        let again = params(json!({"EnvId":"a-1","FreeQuota":"basic"}));
        let refused = world.consider(&again, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(refused.code, "ResourceUnavailable");
        world.apply(&made(DESTROY, forced.clone()));
        assert_eq!(ids(&world), ["b-1", "c-1"]);
        let gone = world.consider_destroy(params(forced)).unwrap_err();
        assert_eq!(gone.code, "ResourceNotFound");
        let gone = world.consider(&again, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(gone.code, "ResourceNotFound");
        // The others are found where they are now.
        world.apply(&made(DESTROY, json!({"EnvId":"c-1"})));
        assert!(world.find("c-1").unwrap().is_isolated());
        assert!(!world.find("b-1").unwrap().is_isolated());
        world.apply(&made(DESTROY, json!({"EnvId":"b-1","IsForce":true})));
        assert_eq!(ids(&world), ["c-1"]);
    }

    #[test]
    fn a_call_that_changed_nothing_is_nothing_and_no_change_is_an_order() {
        let mut world = world();
        let Line::Request(entry) = made(DESTROY, json!({"EnvId":"a-1","IsForce":true})) else {
            panic!("a request");
        };
        world.apply(&Line::Request(LedgerEntry { changed: false, ..entry }));
        assert_eq!(ids(&world).len(), 3);
        world.apply(&made(MODIFY, json!({"EnvId":"a-1","Alias":"x"})));
        let order = params(json!({"EnvId":"a-1"}));
        let order = world.consider(&order, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(order.tran_id, "19700101000001", "still the first");
    }
}
