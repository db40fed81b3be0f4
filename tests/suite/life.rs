//! The law of a whole life: whatever is declared, moved, replaced, forgotten and given up in whatever order, with answers
//! refused and lost in between, every id that Tencent Cloud ever returned is in the state, or a receipt says where it went; and
//! no environment is ordered that no plan showed as an order.

#![allow(clippy::result_large_err, reason = "the answers are those of the trait")]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use postpay::apply::{self, OnError, Operator, Parts, Settings};
use postpay::clock::{Clock as _, SystemClock};
use postpay::cloud::{
    Bill, BillOrder, Bills, CloudError, CloudRead, CloudWrite, Destroy, Done, Grade, Listing, NotSent, Order,
    Ordered, PayMode, Scope, SeenEnvironment, SeenIds, Update,
};
use postpay::i18n::Text;
use postpay::kinds::postpay as fields;
use postpay::model::{Address, Desired, Environment, Lifecycle, Moved, Removed, SourceRef};
use postpay::plan::guard::{self, CallerIdentity, Consent, Facts, Limits};
use postpay::plan::{Mode, Options, Plan, Target};
use postpay::state::file::FileStore;
use postpay::state::journal::{Edit, Event, Journal};
use postpay::state::{Account, Holder, State, StateStore, Writer, read, rebuild};
use proptest::prelude::*;
use tokio::sync::watch;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// What a person does next.
#[derive(Debug, Clone)]
enum Deed {
    Declare(usize),
    TakeOut(usize),
    Alias(usize, u8),
    Change(usize),
    Protect(usize, bool),
    /// Under a new name, with a `moved` block.
    Move(usize, usize),
    /// Out of the manifests, with a `removed` line.
    Remove(usize),
    Apply(Options, Vec<Fate>),
}

/// What becomes of one call.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Fine,
    Throttled,
    Refused,
    /// Refused, and done all the same.
    RefusedAfter,
    LostBefore,
    LostAfter,
    WithoutEnvId,
}

fn deed() -> impl Strategy<Value = Deed> {
    let name = || 0..NAMES.len();
    let fate = prop_oneof![
        6 => Just(Fate::Fine),
        1 => Just(Fate::Throttled),
        1 => Just(Fate::Refused),
        1 => Just(Fate::RefusedAfter),
        1 => Just(Fate::LostBefore),
        2 => Just(Fate::LostAfter),
        1 => Just(Fate::WithoutEnvId),
    ];
    let fates = proptest::collection::vec(fate, 0..4);
    let names = || proptest::collection::btree_set(name(), 0..3);
    let addresses = |names: BTreeSet<usize>| names.into_iter().map(address).collect::<Vec<_>>();
    let mode = prop_oneof![
        6 => Just(Mode::Normal),
        1 => names().prop_map(move |names| Mode::Destroy(addresses(names))),
        2 => names().prop_map(move |names| Mode::DestroyDeposed(addresses(names))),
    ];
    let options = (mode, names(), any::<bool>(), any::<bool>()).prop_map(
        move |(mode, replaces, allow_destroy, purge)| Options {
            mode,
            replaces: addresses(replaces),
            allow_destroy,
            purge,
            ..Options::default()
        },
    );
    prop_oneof![
        3 => name().prop_map(Deed::Declare),
        1 => name().prop_map(Deed::TakeOut),
        1 => (name(), 0_u8..3).prop_map(|(name, alias)| Deed::Alias(name, alias)),
        1 => name().prop_map(Deed::Change),
        1 => (name(), any::<bool>()).prop_map(|(name, protect)| Deed::Protect(name, protect)),
        1 => (name(), name()).prop_map(|(from, to)| Deed::Move(from, to)),
        1 => name().prop_map(Deed::Remove),
        5 => (options, fates).prop_map(|(options, fates)| Deed::Apply(options, fates)),
    ]
}

fn address(name: usize) -> Address {
    Address::new(NAMES[name]).unwrap()
}

fn source() -> SourceRef {
    SourceRef { file: "a.yaml".to_owned(), line: 1 }
}

/// Tencent Cloud: what exists, and what it answered.
#[derive(Default)]
struct Vendor {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    existing: Vec<(SeenEnvironment, String)>,
    fates: Vec<Fate>,
    made: usize,
    /// Every id that an answer held.
    returned: BTreeSet<String>,
}

impl Vendor {
    /// Lets `act` happen unless the call's fate is against it, and answers as its fate is.
    fn call<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> Result<T, CloudError> {
        let inner = &mut *self.inner.lock().unwrap();
        let fate = inner.fates.pop().unwrap_or(Fate::Fine);
        match fate {
            Fate::Fine | Fate::WithoutEnvId => Ok(act(inner)),
            Fate::Throttled => Err(error(Grade::NotSent(NotSent::Throttled))),
            Fate::Refused => Err(error(Grade::Refused(Scope::Step))),
            Fate::RefusedAfter => {
                act(inner);
                Err(error(Grade::Refused(Scope::Step)))
            }
            Fate::LostBefore => Err(error(Grade::Unknown)),
            Fate::LostAfter => {
                act(inner);
                Err(error(Grade::Unknown))
            }
        }
    }

    fn next_is_without_env_id(&self) -> bool {
        matches!(self.inner.lock().unwrap().fates.last(), Some(Fate::WithoutEnvId))
    }
}

fn error(grade: Grade) -> CloudError {
    CloudError {
        grade,
        code: None,
        message: Text::same("as it was told"),
        request_id: None,
        http_status: None,
        seen: SeenIds::default(),
        body: None,
        hint: None,
    }
}

impl CloudWrite for Vendor {
    async fn create(&self, Order { attributes: order, .. }: &Order) -> Result<Ordered, CloudError> {
        let told = !self.next_is_without_env_id();
        let ordered = self.call(|inner| {
            inner.made += 1;
            let (tran_id, env_id) = (format!("T{}", inner.made), format!("e-{}", inner.made));
            let environment = SeenEnvironment {
                env_id: env_id.clone(),
                alias: order.text(fields::ALIAS).map(str::to_owned),
                source: order.text(fields::ENV_SOURCE).map(str::to_owned),
                channel: order.text(fields::CHANNEL).map(str::to_owned),
                created_at: Some(SystemClock.now().strftime("%F %T").to_string()),
                ..SeenEnvironment::default()
            };
            inner.existing.push((environment, tran_id.clone()));
            Ordered { tran_id: Some(tran_id), env_id: Some(env_id).filter(|_| told), request_id: None }
        })?;
        let mut inner = self.inner.lock().unwrap();
        inner.returned.extend(ordered.tran_id.clone());
        inner.returned.extend(ordered.env_id.clone());
        Ok(ordered)
    }

    async fn update(&self, update: &Update) -> Result<Done, CloudError> {
        self.call(|inner| {
            let renamed = inner.existing.iter_mut();
            renamed
                .filter(|(environment, _)| environment.env_id == update.env_id)
                .for_each(|(environment, _)| environment.alias = Some(update.value.to_string()));
            Done::default()
        })
    }

    async fn destroy(&self, destroy: &Destroy) -> Result<Done, CloudError> {
        self.call(|inner| {
            let isolates = !destroy.force;
            for (environment, _) in &mut inner.existing {
                if isolates && environment.env_id == destroy.env_id {
                    environment.status = Some("ISOLATE".to_owned());
                }
            }
            inner.existing.retain(|(environment, _)| isolates || environment.env_id != destroy.env_id);
            Done::default()
        })
    }
}

impl CloudRead for Vendor {
    async fn listing(&self) -> Result<Listing, CloudError> {
        let inner = self.inner.lock().unwrap();
        Ok(Listing {
            environments: inner.existing.iter().map(|(one, _)| one.clone()).collect(),
            gaps: Vec::new(),
        })
    }

    async fn bills(&self, env_ids: &[String]) -> Result<Bills, CloudError> {
        let inner = self.inner.lock().unwrap();
        let asked = |(one, _): &&(SeenEnvironment, _)| env_ids.contains(&one.env_id);
        let bill = |(one, tran_id): &(SeenEnvironment, String)| Bill {
            env_id: one.env_id.clone(),
            pay_mode: Some(PayMode::Postpaid),
            order: Some(BillOrder {
                tran_id: tran_id.clone(),
                created_at: one.created_at.clone(),
                ..BillOrder::default()
            }),
            ..Bill::default()
        };
        Ok(Bills { shown: inner.existing.iter().filter(asked).map(bill).collect(), incomplete: false })
    }
}

struct Life {
    folder: tempfile::TempDir,
    vendor: Arc<Vendor>,
    desired: Desired,
    runtime: tokio::runtime::Runtime,
}

impl Life {
    fn new() -> Self {
        Self {
            folder: crate::support::folder(),
            vendor: Arc::default(),
            desired: Desired::default(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build()
                .unwrap(),
        }
    }

    fn store(&self) -> FileStore {
        FileStore::new(self.folder.path().join("postpay.state.json"))
    }

    fn state(&self) -> Option<State> {
        read(&self.store()).unwrap().current()
    }

    fn environment(&mut self, name: usize) -> Option<&mut Environment> {
        let declared = self.desired.environments.iter_mut();
        declared.into_iter().find(|environment| environment.address == address(name))
    }

    /// The rules for manifests hold: what is declared is not removed, nor moved away.
    fn declare(&mut self, name: usize) {
        if self.environment(name).is_some() {
            return;
        }
        let address = address(name);
        self.desired.removed.retain(|removed| removed.address != address);
        self.desired.moved.retain(|moved| moved.from != address);
        let alias = (fields::ALIAS, NAMES[name].to_owned());
        self.desired.environments.push(Environment {
            address,
            attributes: [alias].into_iter().collect(),
            lifecycle: Lifecycle::default(),
            import: None,
            source: source(),
        });
    }

    fn take_out(&mut self, name: usize) {
        let address = address(name);
        self.desired.environments.retain(|environment| environment.address != address);
        self.desired.moved.retain(|moved| moved.to != address);
    }

    fn do_it(&mut self, deed: &Deed) {
        match deed {
            Deed::Declare(name) => self.declare(*name),
            Deed::TakeOut(name) => self.take_out(*name),
            Deed::Alias(name, alias) => {
                let alias = format!("{}{alias}", NAMES[*name]);
                if let Some(environment) = self.environment(*name) {
                    environment.attributes.set(fields::ALIAS, alias);
                }
            }
            Deed::Change(name) => {
                if let Some(environment) = self.environment(*name) {
                    environment.attributes.set(fields::FREE_QUOTA, "basic");
                }
            }
            Deed::Protect(name, protect) => {
                if let Some(environment) = self.environment(*name) {
                    environment.lifecycle.prevent_destroy = *protect;
                }
            }
            Deed::Move(from, to) => {
                if from != to && self.environment(*to).is_none() {
                    let Some(environment) = self.environment(*from) else {
                        return;
                    };
                    environment.address = address(*to);
                    let (from, to) = (address(*from), address(*to));
                    self.desired.removed.retain(|removed| removed.address != to);
                    self.desired
                        .moved
                        .retain(|moved| moved.from != to && moved.from != from && moved.to != from);
                    self.desired.moved.push(Moved { from, to, source: source() });
                }
            }
            Deed::Remove(name) => {
                self.take_out(*name);
                let address = address(*name);
                let is_moved = |moved: &Moved| moved.from == address || moved.to == address;
                if !self.desired.moved.iter().any(is_moved) {
                    self.desired.removed.retain(|removed| removed.address != address);
                    self.desired.removed.push(Removed { address, source: source() });
                }
            }
            Deed::Apply(options, fates) => self.apply(options.clone(), fates),
        }
    }

    fn apply(&mut self, options: Options, fates: &[Fate]) {
        let store = self.store();
        let holder =
            Holder { who: "ada@loom".to_owned(), pid: 7, since: SystemClock.now(), doing: "test".to_owned() };
        let mut writer = Writer::open(&store, &holder, Duration::ZERO).unwrap();
        let target = Target {
            account: Account { endpoint: "sandbox".to_owned(), uin: None },
            endpoint: "sandbox".to_owned(),
            region: None,
            state_path: "state/postpay.state.json".to_owned(),
        };
        let allow_destroy = options.allow_destroy;
        let now = Timestamp::UNIX_EPOCH;
        let made = Plan::make(&self.desired, writer.state(), options, target.clone(), now);
        let Ok(plan) = made else {
            // Whoever wrote blocks that don't fit takes them out.
            self.desired.moved.clear();
            return;
        };
        let facts = Facts {
            state: writer.state(),
            target: &target,
            allowed_accounts: &[],
            remade: None,
            manifests: &[],
            used_by: None,
            orders_last_day: 0,
            limits: Limits::default(),
            allow_destroy,
        };
        let orders = plan.orders().count();
        let checked =
            guard::check(plan, &facts).and_then(|checked| checked.in_account(CallerIdentity::Waived));
        let Ok(approved) = checked.and_then(|checked| checked.approve(Consent::Auto)) else {
            return;
        };
        let made_before = {
            let mut inner = self.vendor.inner.lock().unwrap();
            inner.fates = fates.to_vec();
            inner.made
        };
        let settings = Settings {
            rate: 2.0,
            in_flight: 2,
            on_error: OnError::Continue,
            retry_for: Duration::from_secs(30),
            deadline: None,
            settle: Duration::from_secs(3),
            settle_refused: Duration::ZERO,
            allow_same_alias: true,
            accept_missing_rows: None,
        };
        let (_sender, stop) = watch::channel(false);
        let parts = Parts {
            cloud: Arc::clone(&self.vendor),
            writer: &mut writer,
            clock: &SystemClock,
            operator: Operator { who: "ada@loom".to_owned(), pid: 7 },
            commit: None,
            imports: BTreeMap::new(),
            known_ids: BTreeSet::new(),
            last_sent: None,
            stop,
            observe: &mut |_| {},
        };
        let run = apply::run(&approved, &settings, parts);
        self.runtime.block_on(run).unwrap();
        let made = self.vendor.inner.lock().unwrap().made - made_before;
        assert!(made <= orders, "{made} made of {orders} that were shown");
    }

    fn journals(&self) -> Vec<Journal> {
        let store = self.store();
        let receipts = store.receipts().unwrap();
        receipts.iter().map(|receipt| store.receipt(receipt).unwrap()).collect()
    }
}

fn ids(state: Option<&State>) -> HashSet<String> {
    let records = state.into_iter().flat_map(State::records);
    records.flat_map(|(_, record)| record.tran_id.iter().chain(&record.env_id)).cloned().collect()
}

/// Whether a run says that it took something off the record.
fn lets_go(journal: &Journal) -> bool {
    journal.entries.iter().any(|entry| match &entry.event {
        Event::Edited(edited) => matches!(edited.edit, Edit::Forget { .. }),
        _ => false,
    })
}

proptest! {
    #[test]
    fn every_id_is_on_record_or_a_receipt_says_where_it_went(
        deeds in proptest::collection::vec(deed(), 1..24),
    ) {
        let mut life = Life::new();
        for deed in &deeds {
            life.do_it(deed);
        }
        let state = life.state();
        let journals = life.journals();
        // Each id that goes off the record does so in a run that says so.
        let mut before = None;
        let mut gone = HashSet::new();
        for journal in &journals {
            let after = postpay::state::replay(before.clone(), journal);
            let lost: Vec<String> = ids(before.as_ref())
                .difference(&ids(Some(&after)))
                .cloned()
                .collect();
            prop_assert!(lost.is_empty() || lets_go(journal), "{lost:?} in {journal:?}");
            gone.extend(lost);
            before = Some(after);
        }
        prop_assert_eq!(&rebuild(None, &journals), &state);
        let kept = ids(state.as_ref());
        let mut holders = BTreeSet::new();
        for (address, env_id) in state.iter().flat_map(State::env_ids) {
            prop_assert!(holders.insert(env_id), "{env_id} is at {address} too");
        }
        for id in &life.vendor.inner.lock().unwrap().returned {
            prop_assert!(kept.contains(id) || gone.contains(id), "{id} of {deeds:#?}");
        }
    }
}
