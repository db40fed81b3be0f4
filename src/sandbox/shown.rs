//! How late things show up: what was ordered or changed is not shown at once.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::ledger::Line;
use super::world::World;

/// The world as the questions are shown it: behind the real one by a fixed time.
#[derive(Debug)]
pub(super) struct Shown {
    delay: Duration,
    /// Not shown yet, in the order they happened.
    waiting: VecDeque<(Timestamp, Line)>,
    world: World,
}

impl Shown {
    pub(super) fn new(delay: Duration) -> Self {
        Self { delay, waiting: VecDeque::new(), world: World::default() }
    }

    /// Takes in what has happened. What was there from the start, and what changed nothing, does not wait.
    pub(super) fn apply(&mut self, line: Line) {
        match line {
            Line::Request(entry) if entry.acted || entry.changed => {
                let from = entry.at.saturating_add(self.delay).unwrap_or(Timestamp::MAX);
                self.waiting.push_back((from, Line::Request(entry)));
            }
            Line::Request(_) => {}
            // It waits as long: an environment that is not shown yet could not be changed.
            Line::Elsewhere { at, .. } => {
                let from = at.saturating_add(self.delay).unwrap_or(Timestamp::MAX);
                self.waiting.push_back((from, line));
            }
            Line::Environment { .. } => self.world.apply(&line),
        }
    }

    /// What is shown now.
    pub(super) fn at(&mut self, now: Timestamp) -> &World {
        while let Some((from, line)) = self.waiting.front()
            && *from <= now
        {
            self.world.apply(line);
            self.waiting.pop_front();
        }
        &self.world
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;
    use crate::sandbox::LedgerEntry;

    fn order(env_id: &str, at: Timestamp) -> Line {
        Line::Request(LedgerEntry {
            call: 1,
            at,
            action: "CreatePostpayPackage".to_owned(),
            region: None,
            params: Map::new(),
            reached: true,
            acted: true,
            changed: false,
            answer: "ok".to_owned(),
            fault: None,
            tran_id: Some("20200604000001".to_owned()),
            env_id: Some(env_id.to_owned()),
            request_id: String::new(),
        })
    }

    #[test]
    fn what_was_just_made_is_not_shown_yet() {
        let mut shown = Shown::new(Duration::from_secs(60));
        shown.apply(Line::Environment {
            env_id: "old-1".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            postpaid: None,
        });
        let second = |second| Timestamp::from_second(second).unwrap();
        shown.apply(order("shop-1", second(0)));
        shown.apply(order("old-1", second(30)));
        let mut at = |now| {
            let world = shown.at(second(now));
            let modes: Vec<&str> = world.envs.iter().map(|env| &*env.bill.pay_mode).collect();
            modes.join(" ")
        };
        assert_eq!(at(59), "PREPAYMENT");
        assert_eq!(at(60), "PREPAYMENT POSTPAID");
        assert_eq!(at(89), "PREPAYMENT POSTPAID");
        assert_eq!(at(90), "POSTPAID POSTPAID");
    }

    #[test]
    fn what_was_just_changed_is_shown_as_it_was() {
        let mut shown = Shown::new(Duration::from_secs(60));
        shown.apply(Line::Environment {
            env_id: "old-1".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            postpaid: None,
        });
        let second = |second| Timestamp::from_second(second).unwrap();
        let change = |action: &str, members: &[(&str, Value)], at| {
            let Line::Request(entry) = order("old-1", at) else {
                panic!("a request");
            };
            let members = members.iter().cloned();
            Line::Request(LedgerEntry {
                action: action.to_owned(),
                params: members.map(|(name, it)| (name.to_owned(), it)).collect(),
                acted: false,
                changed: true,
                tran_id: None,
                ..entry
            })
        };
        let alias = [("Alias", Value::from("new"))];
        shown.apply(change("ModifyEnv", &alias, second(0)));
        shown.apply(change("DestroyEnv", &[], second(10)));
        let force = [("IsForce", Value::from(true))];
        shown.apply(change("DestroyEnv", &force, second(20)));
        let mut at = |now| {
            let world = shown.at(second(now));
            let infos = world.envs.iter().map(|env| &env.info);
            let told: Vec<String> = infos.map(|info| format!("{} {}", info.alias, info.status)).collect();
            told.join(", ")
        };
        assert_eq!(at(59), "old NORMAL");
        assert_eq!(at(60), "new NORMAL");
        assert_eq!(at(70), "new ISOLATE");
        assert_eq!(at(79), "new ISOLATE");
        assert_eq!(at(80), "");
    }
}
