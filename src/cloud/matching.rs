//! Decides whether an environment in the account may be the result of a create. Pure.
//!
//! The API returns no mark that ties an environment to the request that created it, and does not document whether an
//! environment shows Alias or EnvAlias. What is left is its EnvId, which is the alias, `-` and a suffix, and the alias that it
//! shows. Times and bills say whether a match is adopted, and never whether it blocks a create: they are not looked at here.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::SeenEnvironment;
use crate::model::{Address, Attributes};
use crate::sanitize;

/// The length of the shortest suffix of an EnvId.
const SUFFIX: usize = 6;

/// Matches environments in the account with declared ones.
#[derive(Debug, Clone, Default)]
pub struct Matcher<'a> {
    declared: Vec<(&'a Address, Names)>,
    by_alias: HashMap<String, usize>,
    /// None where several declared environments have it.
    by_env_alias: HashMap<String, Option<usize>>,
    known: HashSet<&'a str>,
}

/// The names that an environment can be recognised by, normalised by [`key`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Names {
    alias: Option<String>,
    env_alias: Option<String>,
}

impl Names {
    fn new(attributes: &Attributes) -> Self {
        Self { alias: attributes.alias().and_then(key), env_alias: attributes.env_alias().and_then(key) }
    }

    fn length(&self) -> usize {
        self.alias.as_ref().map_or(0, String::len)
    }
}

/// Returns an alias as it is compared: in lower case, and with invisible characters written out as in a listing. None when it
/// is empty.
pub fn key(alias: &str) -> Option<String> {
    let alias = alias.trim();
    (!alias.is_empty()).then(|| sanitize::escape_invisible(alias).to_lowercase())
}

impl<'a> Matcher<'a> {
    /// Builds a matcher from all declared environments, whether or not they are created now: where several match, the longest
    /// alias wins. An id that is `known`, from the state, receipts or other stages, never matches.
    pub fn new(
        declared: impl IntoIterator<Item = (&'a Address, &'a Attributes)>,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut matcher = Self { known: known.into_iter().collect(), ..Self::default() };
        for (address, attributes) in declared {
            let names = Names::new(attributes);
            // A create with an EnvId switches that environment and creates no other.
            let place = attributes.creates_environment().then_some(matcher.declared.len());
            if let Some(alias) = &names.env_alias {
                let entry = matcher.by_env_alias.entry(alias.clone());
                entry.and_modify(|place| *place = None).or_insert(place);
            }
            if let (Some(alias), Some(place)) = (&names.alias, place) {
                matcher.by_alias.entry(alias.clone()).or_insert(place);
            }
            if place.is_some() {
                matcher.declared.push((address, names));
            }
        }
        matcher
    }

    /// Returns the declared environment whose create may have made this one.
    pub fn owner(&self, environment: &SeenEnvironment) -> Option<&'a Address> {
        self.find(environment).map(|(address, _)| *address)
    }

    /// Whether a create with these attributes, rather than another declared one, may have made this environment.
    pub fn fits(&self, attributes: &Attributes, environment: &SeenEnvironment) -> bool {
        let names = Names::new(attributes);
        self.find(environment).is_some_and(|(_, it)| *it == names)
    }

    fn find(&self, environment: &SeenEnvironment) -> Option<&(&'a Address, Names)> {
        let SeenEnvironment { env_id, alias, .. } = environment;
        if self.known.contains(env_id.as_str()) {
            return None;
        }
        let shown = alias.as_deref().and_then(key);
        // The suffix has no hyphen, so an EnvId contains exactly one alias.
        if let Some(place) = alias_of(env_id).and_then(|alias| self.by_alias.get(alias)) {
            let one @ (_, names) = &self.declared[*place];
            if shown.is_none() || shown == names.alias || shown == names.env_alias {
                return Some(one);
            }
        }
        let shown = shown?;
        let by_alias = self.by_alias.get(&shown).copied();
        let by_env_alias = self.by_env_alias.get(&shown).copied().flatten();
        let both = by_env_alias.into_iter().chain(by_alias);
        both.map(|place| &self.declared[place]).max_by_key(|(_, names)| names.length())
    }
}

/// Returns the alias in an EnvId, if it ends in a suffix.
fn alias_of(env_id: &str) -> Option<&str> {
    let (alias, suffix) = env_id.rsplit_once('-')?;
    let is_suffix = suffix.len() >= SUFFIX
        && suffix.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    is_suffix.then_some(alias)
}

/// An environment that only another run can have created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duplicate<'a> {
    /// The declared environment that it matches.
    pub address: &'a Address,
    pub env_id: &'a str,
    /// The EnvId that this run's create of the address returned.
    pub ours: Option<&'a str>,
}

/// Returns the first environment of a complete listing that proves that somebody else is creating from the same manifests.
///
/// `matcher` knows every id from before the run. `announced` holds each address whose create was announced, by this run or by an
/// earlier one whose outcome is unknown, with the EnvId that it returned: one environment without a known EnvId may be its own.
pub fn find_duplicate<'a>(
    matcher: &Matcher<'a>,
    announced: &'a BTreeMap<Address, Option<String>>,
    seen: &'a [SeenEnvironment],
) -> Option<Duplicate<'a>> {
    let ours: HashSet<&str> = announced.values().flatten().map(String::as_str).collect();
    let mut taken: BTreeSet<&Address> = BTreeSet::new();
    seen.iter().filter(|environment| !ours.contains(environment.env_id.as_str())).find_map(|environment| {
        let address = matcher.owner(environment)?;
        let own = announced.get(address);
        let may_be_its_own = own.is_some_and(Option::is_none) && taken.insert(address);
        (!may_be_its_own).then_some(Duplicate {
            address,
            env_id: &environment.env_id,
            ours: own.and_then(Option::as_deref),
        })
    })
}

/// Whether a listing shows the new environment of this address and the matcher recognises it. Only for creates with an alias:
/// no other can be recognised for certain.
pub fn recognises(matcher: &Matcher<'_>, address: &Address, env_id: &str, seen: &[SeenEnvironment]) -> bool {
    let shown = seen.iter().find(|environment| environment.env_id == env_id);
    shown.is_some_and(|environment| matcher.owner(environment) == Some(address))
}

#[cfg(test)]
mod tests {
    use crate::kinds::postpay;
    use proptest::prelude::*;

    use super::*;

    type Declared = Vec<(Address, Attributes)>;

    /// Declared environments, as `address=alias` or `address=alias/EnvAlias`.
    fn declared(texts: &[&str]) -> Declared {
        let one = |text: &&str| {
            let (address, names) = text.split_once('=').unwrap();
            let (alias, env_alias) = names.split_once('/').unwrap_or((names, ""));
            let names = [(postpay::ALIAS, alias), (postpay::ENV_ALIAS, env_alias)];
            let names = names.into_iter().filter(|(_, name)| !name.is_empty());
            let attributes = names.map(|(field, name)| (field, name.to_owned()));
            (Address::new(address).unwrap(), attributes.collect())
        };
        texts.iter().map(one).collect()
    }

    fn matcher<'a>(declared: &'a Declared, known: &[&'a str]) -> Matcher<'a> {
        let all = declared.iter().map(|(address, it)| (address, it));
        Matcher::new(all, known.iter().copied())
    }

    fn shown(env_id: &str, alias: &str) -> SeenEnvironment {
        SeenEnvironment {
            env_id: env_id.to_owned(),
            alias: (!alias.is_empty()).then(|| alias.to_owned()),
            ..SeenEnvironment::default()
        }
    }

    #[test]
    fn environment_is_matched_by_its_alias_or_by_its_id() {
        let two = ["a=shop", "b=shop-prod"];
        let named = ["a=shop/商店", "b=blog/Blog · 博客"];
        let table: &[(&[&str], &str, &str, &str)] = &[
            // The alias, without regard to case.
            (&two, "x-123456", "shop", "a"),
            (&two, "x-123456", "SHOP", "a"),
            (&two, "x-123456", "Shop-Prod", "b"),
            (&two, "x-123456", "shops", ""),
            (&two, "x-123456", "", ""),
            // The EnvId, where no other alias is shown.
            (&two, "shop-1234abcd", "", "a"),
            (&two, "shop-prod-1234abcd", "", "b"),
            (&["a=shop"], "shop-prod-1234abcd", "", ""),
            (&two, "shop-12345", "", ""),
            (&two, "shop-123456", "", "a"),
            (&two, "shop-12345G", "", ""),
            (&two, "shop-12345_", "", ""),
            (&two, "shop1234abcd", "", ""),
            (&two, "shop", "", ""),
            (&two, "shop-1234abcd", "other", ""),
            // EnvAlias.
            (&named, "shop-1234abcd", "商店", "a"),
            (&named, "shop-1234abcd", "Blog · 博客", "b"),
            (&named, "x-123456", "商店", "a"),
            (&named, "x-123456", "商店二", ""),
            // Of one that only has an EnvAlias.
            (&["a=/商店"], "x-123456", "商店", "a"),
            (&["a=/商店"], "x-123456", "", ""),
            // An EnvAlias that two have does not match, unless the EnvId does.
            (&["a=shop/x", "b=blog/x"], "y-123456", "x", ""),
            (&["a=shop/x", "b=blog/x"], "blog-123456", "x", "b"),
            // Several match: the longest alias wins, and the EnvId before that.
            (&["a=shop/blog-two", "b=blog-two"], "x-123456", "blog-two", "b"),
            (&["a=long-shop/blog", "b=blog"], "x-123456", "blog", "a"),
            (&["a=shop/blog", "b=blog"], "x-123456", "blog", "b"),
            (&["a=shop/blog-two", "b=blog-two"], "shop-123456", "blog-two", "a"),
            (&two, "shop-123456", "shop-prod", "b"),
        ];
        for (names, env_id, alias, expected) in table {
            let declared = declared(names);
            let owner = matcher(&declared, &[]).owner(&shown(env_id, alias));
            let owner = owner.map(Address::as_str).unwrap_or_default();
            assert_eq!(owner, *expected, "{names:?}: {env_id}, {alias:?}");
        }
    }

    #[test]
    fn known_id_never_matches() {
        let declared = declared(&["a=shop"]);
        let twin = shown("shop-123456", "shop");
        assert!(matcher(&declared, &[]).owner(&twin).is_some());
        assert_eq!(matcher(&declared, &["shop-123456"]).owner(&twin), None);
    }

    #[test]
    fn switched_environment_matches_nothing_but_its_env_alias_is_not_unique() {
        let mut both = declared(&["a=shop/x", "b=blog/x"]);
        let b = matcher(&both, &[]).owner(&shown("y-123456", "blog"));
        assert_eq!(b.map(Address::as_str), Some("b"));
        both[1].1.set(postpay::ENV_ID, "old-1");
        let matcher = matcher(&both, &[]);
        assert_eq!(matcher.owner(&shown("y-123456", "blog")), None);
        assert_eq!(matcher.owner(&shown("blog-123456", "")), None);
        assert_eq!(matcher.owner(&shown("y-123456", "x")), None);
    }

    #[test]
    fn env_alias_is_recognised_as_a_listing_shows_it() {
        let declared = declared(&["a=shop/ the\u{200b}shop\n"]);
        let shown_as = sanitize::escape_invisible("the\u{200b}shop").into_owned();
        let owner = matcher(&declared, &[]).owner(&shown("x-123456", &shown_as));
        assert!(owner.is_some(), "{shown_as}");
    }

    #[test]
    fn attributes_fit_only_what_they_would_create() {
        let declared = declared(&["a=shop", "b=shop-prod"]);
        let matcher = matcher(&declared, &[]);
        let env = shown("shop-prod-1234abcd", "");
        assert!(!matcher.fits(&declared[0].1, &env));
        assert!(matcher.fits(&declared[1].1, &env));
    }

    proptest! {
        /// Whatever is declared, and however a listing shows aliases, the result of each create is recognised.
        #[test]
        fn result_of_each_create_matches_it_and_no_other(
            names in prop::collection::btree_map(
                "[a-c](-?[a-c0]){0,4}",
                prop::option::of(prop_oneof!["[a-c](-?[a-c0]){0,4}", "[ABC商店 ]{1,3}"]),
                1..8,
            ),
            made in prop::collection::vec((any::<prop::sample::Index>(), "[0-9a-z]{6,8}", 0..4_u8), 1..16),
        ) {
            let declared: Declared = names
                .iter()
                .enumerate()
                .map(|(at, (alias, env_alias))| {
                    let mut attributes = Attributes::default();
                    attributes.set(postpay::ALIAS, alias.as_str());
                    if let Some(env_alias) = env_alias {
                        attributes.set(postpay::ENV_ALIAS, env_alias.as_str());
                    }
                    (Address::new(&format!("env-{at}")).unwrap(), attributes)
                })
                .collect();
            let matcher = matcher(&declared, &[]);
            for (index, suffix, how) in made {
                let (address, attributes) = index.get(&declared);
                let alias = attributes.text(postpay::ALIAS).unwrap();
                let env_alias = attributes.text(postpay::ENV_ALIAS).unwrap_or_default();
                let upper = alias.to_uppercase();
                let shown_alias = [alias, &upper, env_alias, ""][usize::from(how)];
                let environment = shown(&format!("{alias}-{suffix}"), shown_alias);
                prop_assert_eq!(matcher.owner(&environment), Some(address));
                for (other, attributes) in &declared {
                    prop_assert_eq!(matcher.fits(attributes, &environment), other == address);
                }
            }
        }
    }

    /// What is listed, and the duplicate in it.
    type Case<'a> = (&'a [(&'a str, &'a str)], Option<(&'a str, &'a str)>);

    #[test]
    fn create_of_another_run_is_a_duplicate() {
        let declared = declared(&["a=one", "b=two", "c=three"]);
        let matcher = matcher(&declared, &["old-123456", "three-000000"]);
        let address = |name: &str| Address::new(name).unwrap();
        let announced = BTreeMap::from([(address("a"), Some("one-aaaaaa".to_owned())), (address("b"), None)]);
        let table: &[Case<'_>] = &[
            (&[], None),
            (&[("one-aaaaaa", "one"), ("other-123456", "other")], None),
            // It may be what an unanswered create made; a second one is not.
            (&[("two-aaaaaa", "two")], None),
            (&[("two-aaaaaa", "two"), ("two-bbbbbb", "TWO")], Some(("b", "two-bbbbbb"))),
            // Nothing was announced for it.
            (&[("three-aaaaaa", "")], Some(("c", "three-aaaaaa"))),
            // It was there before.
            (&[("three-000000", "three")], None),
            // A second id for what was created, wherever it stands in the list.
            (&[("one-bbbbbb", "ONE"), ("one-aaaaaa", "ONE")], Some(("a", "one-bbbbbb"))),
            // The first of several.
            (&[("three-aaaaaa", ""), ("one-bbbbbb", "")], Some(("c", "three-aaaaaa"))),
        ];
        for (listed, expected) in table {
            let seen: Vec<_> = listed.iter().map(|(id, alias)| shown(id, alias)).collect();
            let found = find_duplicate(&matcher, &announced, &seen);
            let found_ids = found.map(|it| (it.address.as_str(), it.env_id));
            assert_eq!(found_ids, *expected, "{listed:?}");
            let ours = expected.filter(|(address, _)| *address == "a");
            assert_eq!(found.and_then(|it| it.ours), ours.map(|_| "one-aaaaaa"));
        }
    }

    #[test]
    fn new_environment_is_recognised_by_its_shown_alias() {
        let declared = declared(&["a=one", "b=two"]);
        let matcher = matcher(&declared, &[]);
        let table = [
            ("one-aaaaaa", "one", true),
            ("one-aaaaaa", "ONE", true),
            ("one-aaaaaa", "", true),
            // Shown as something else, or not at all.
            ("one-aaaaaa", "renamed", false),
            ("one-aaaaaa", "two", false),
            ("one-bbbbbb", "one", false),
        ];
        for (env_id, alias, expected) in table {
            let seen = [shown("x-123456", "x"), shown(env_id, alias)];
            let a = &declared[0].0;
            let found = recognises(&matcher, a, "one-aaaaaa", &seen);
            assert_eq!(found, expected, "{env_id} {alias}");
        }
    }
}
