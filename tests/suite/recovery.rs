//! `postpay state verify` and `state restore`, as a person meets them: the state is gone, and nothing is ordered again.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Project, STATE};

struct Shop(Project);

impl Shop {
    /// What `init` makes, applied to the embedded endpoint.
    fn ordered() -> Self {
        let shop = Self(Project::empty());
        shop.run(0, &["init"]);
        shop.run(0, &["apply", "-y"]);
        shop
    }

    fn state(&self) -> PathBuf {
        self.0.file(STATE)
    }

    fn run(&self, exit: i32, arguments: &[&str]) -> (String, String) {
        let ran = self.0.run(arguments).exits(exit);
        (ran.stdout, ran.stderr)
    }

    fn orders(&self) -> usize {
        self.0.orders().len()
    }
}

#[test]
fn a_deleted_state_is_refused_restored_and_orders_nothing_again() {
    let shop = Shop::ordered();
    let orders = shop.orders();
    let good = fs::read(shop.state()).unwrap();
    fs::remove_file(shop.state()).unwrap();
    for command in [&["plan"][..], &["apply", "-y"], &["show"]] {
        let (_, err) = shop.run(1, command);
        assert!(err.contains("`postpay state restore`"), "{err}");
        assert!(err.contains("nothing was sent to Tencent Cloud"), "{err}");
    }
    let (_, err) = shop.run(1, &["state", "verify"]);
    assert!(err.contains("`postpay state restore`"), "{err}");
    shop.run(0, &["state", "restore", "--dry-run"]);
    let (_, err) = shop.run(1, &["state", "restore"]);
    assert!(err.contains("--auto-approve"), "no terminal, no answer: {err}");
    assert!(!shop.state().exists());

    shop.run(0, &["state", "restore", "-y"]);
    assert_eq!(fs::read(shop.state()).unwrap(), good);
    shop.run(0, &["state", "verify"]);
    shop.run(0, &["plan", "--detailed-exitcode"]);
    shop.run(0, &["apply", "-y"]);
    assert_eq!(shop.orders(), orders);
}

#[test]
fn a_restore_says_what_it_changes_and_where_it_keeps_what_was_there() {
    let shop = Shop::ordered();
    let good = fs::read_to_string(shop.state()).unwrap();
    let edited = good.replace("\"created\"", "\"unknown\"");
    fs::write(shop.state(), &edited).unwrap();
    let (out, _) = shop.run(1, &["state", "verify", "--format", "json"]);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["valid"], false);
    assert_eq!(found["problems"][0]["difference"]["name"], "status");
    assert_eq!(found["problems"][0]["addresses"][0], "shop-prod");

    let (out, _) = shop.run(0, &["state", "restore", "--dry-run"]);
    let change = "shop-prod.status: current \"unknown\", restored \"created\"";
    assert!(out.contains(change), "{out}");
    assert_eq!(fs::read_to_string(shop.state()).unwrap(), edited);
    let (out, err) = shop.run(0, &["state", "restore", "-y", "--format", "json"]);
    let made: Value = serde_json::from_str(&out).unwrap();
    let kept = made["kept"].as_str().unwrap();
    assert!(err.contains(kept), "{err}");
    let kept = fs::read_to_string(shop.0.path().join(kept)).unwrap();
    assert_eq!(kept, edited);
    assert_eq!(fs::read_to_string(shop.state()).unwrap(), good);
    let (_, err) = shop.run(0, &["state", "restore", "-y"]);
    assert!(err.contains("Nothing was written"), "{err}");
}

#[test]
fn a_copy_or_the_backup_will_do_where_receipts_are_missing() {
    let shop = Shop::ordered();
    let copy = shop.0.path().join("copy.json");
    fs::copy(shop.state(), &copy).unwrap();
    let more = "version: 1\nenvironments:\n  more: {alias: more, env_source: qcloud, channel: qc_console}\n";
    fs::write(shop.0.path().join("environments/more.yaml"), more).unwrap();
    shop.run(0, &["apply", "-y"]);
    let good = fs::read(shop.state()).unwrap();
    let receipts = shop.0.path().join("state/receipts");
    let first = fs::read_dir(&receipts).unwrap().map(|entry| entry.unwrap().path()).min().unwrap();
    fs::remove_file(first).unwrap();

    for from in [&["--from", "copy.json"][..], &["--from-backup"]] {
        fs::remove_file(shop.state()).unwrap();
        shop.run(1, &["state", "restore", "-y"]);
        let arguments = [&["state", "restore", "-y"][..], from].concat();
        shop.run(0, &arguments);
        assert_eq!(fs::read(shop.state()).unwrap(), good, "{from:?}");
        shop.run(0, &["plan", "--detailed-exitcode"]);
    }
    let (out, _) = shop.run(0, &["state", "verify"]);
    assert!(out.contains("warning[unverifiable]"), "{out}");
    assert!(out.contains("`shop-prod`"), "{out}");
}
