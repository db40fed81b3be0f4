//! Which key is used, whose it is, and that nothing is ordered from another account. With the real binary, against the real
//! endpoint by its address, which speaks STS on the same port.

use std::fs;

use postpay::sandbox::{ACCOUNT, SECRET_ID, SECRET_KEY};
use serde_json::Value;

use super::secrets::serve;
use crate::support::{Project, Ran, Running, STATE, assert_shown};

const ROLE: &str = "qcs::cam::uin/100000000001:roleName/deploy";

/// A server, and a project whose endpoint it is. No key is anywhere yet.
struct Scene {
    server: Project,
    _running: Running,
    project: Project,
    url: String,
}

impl Scene {
    fn new(aliases: &[&str], flags: &[&str]) -> Self {
        let server = Project::empty();
        let (running, url) = serve(&server, flags);
        let project = Project::of(aliases).at_real_pace();
        let scene = Self { server, _running: running, project, url };
        scene.settings("");
        scene
    }

    /// postpay.yaml, with more in it.
    fn settings(&self, more: &str) {
        let url = &self.url;
        let text = format!("version: 1\napi: {{endpoint: '{url}'}}\n{more}");
        self.project.write("postpay.yaml", text);
    }

    fn run(&self, line: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = self.project.command(line.split(' '));
        command.envs(variables.iter().copied());
        Ran::from(command.output().unwrap())
    }

    /// With the sandbox's own key in the environment.
    fn with_keys(&self, line: &str) -> Ran {
        self.run(line, &KEYS)
    }

    fn profile(&self, content: &str) {
        self.project.write(".tencentcloud/credentials", content);
        private(&self.project, ".tencentcloud/credentials");
    }

    fn whoami(&self, line: &str, variables: &[(&str, &str)]) -> Value {
        let line = format!("whoami --format json {line}");
        self.run(line.trim(), variables).exits(0).json()
    }

    /// The questions to STS, by what they ask.
    fn asked(&self) -> Vec<String> {
        let ledger = self.server.read(crate::support::LEDGER);
        let entries = ledger.lines().map(|line| serde_json::from_str(line).unwrap());
        let actions = entries.filter_map(|line: Value| Some(line["action"].as_str()?.to_owned()));
        actions.filter(|action| action.contains("Role") || action.contains("Caller")).collect()
    }
}

const KEYS: [(&str, &str); 2] =
    [("TENCENTCLOUD_SECRET_ID", SECRET_ID), ("TENCENTCLOUD_SECRET_KEY", SECRET_KEY)];

fn private(project: &Project, name: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(project.file(name), fs::Permissions::from_mode(0o600)).unwrap();
}

fn ini(profile: &str) -> String {
    format!("[{profile}]\nsecret_id = {SECRET_ID}\nsecret_key = {SECRET_KEY}\n")
}

#[test]
fn whoever_asks_is_told_the_key_from_every_place() {
    let scene = Scene::new(&["one"], &["--machine-role", "web"]);
    let of = |who: &Value| {
        assert_eq!(who["caller"]["account"], ACCOUNT, "{who}");
        assert!(!who.to_string().contains(SECRET_KEY));
        who["source"].as_str().unwrap().to_owned()
    };
    assert_eq!(of(&scene.whoami("", &KEYS)), "environment");
    let metadata = [("POSTPAY_METADATA_ENDPOINT", scene.url.as_str())];
    let machine = scene.whoami("", &metadata);
    assert_eq!(of(&machine), "cvm-role");
    assert_eq!(machine["caller"]["kind"], "CAMRole");
    assert!(machine["expires_at"].is_string(), "{machine}");
    scene.project.write("token", "a.web.token\n");
    let oidc = format!("--oidc-provider p --oidc-token-file token --assume-role {ROLE}");
    let sts = [("POSTPAY_STS_ENDPOINT", scene.url.as_str())];
    assert_eq!(of(&scene.whoami(&oidc, &sts)), "web-identity");
    // The settings alone don't say where the token goes.
    let asked = scene.asked();
    let refused = scene.run(&format!("whoami {oidc}"), &[]).exits(1);
    refused.says(&["sts-endpoint", "web identity token", "nothing was sent"]);
    assert_eq!(scene.asked(), asked);
    let json = format!(r#"{{"secretId":"{SECRET_ID}","secretKey":"{SECRET_KEY}"}}"#);
    scene.project.write(".tccli/default.credential", json);
    private(&scene.project, ".tccli/default.credential");
    assert_eq!(of(&scene.whoami("", &metadata)), "tccli");
    scene.profile(&(ini("default") + &ini("prod")));
    assert_eq!(of(&scene.whoami("", &[])), "profile");
    let prod = scene.whoami("--profile prod", &KEYS);
    assert_eq!(of(&prod), "profile");
    assert!(prod["source_text"].as_str().unwrap().contains("`prod`"));
    let role = scene.whoami(&format!("--assume-role {ROLE}"), &[]);
    assert_eq!((of(&role).as_str(), role["role"].as_str()), ("profile", Some(ROLE)));
    // Nothing is asked of anybody who works offline.
    let before = scene.asked();
    let offline = scene.whoami("--offline", &[]);
    assert_eq!((offline["source"].as_str(), &offline["caller"]), (Some("profile"), &Value::Null));
    assert_eq!(scene.asked(), before);
    // The token is as good as a key.
    assert!(!scene.server.read(crate::support::LEDGER).contains("a.web.token"));
}

#[test]
fn who_it_is_is_told_in_both_languages() {
    let scene = Scene::new(&["one"], &[]);
    let hide = |ran: &Ran| ran.stdout.replace(&scene.url, "[URL]");
    assert_shown!("whoami", hide(&scene.with_keys("whoami").exits(0)));
    assert_shown!("whoami-zh", hide(&scene.with_keys("whoami --lang zh").exits(0)));
    let wrong = [KEYS[0], ("TENCENTCLOUD_SECRET_KEY", "notTheRightKeyAtAll")];
    let refused = scene.run("whoami", &wrong).exits(1);
    refused
        .says(&["AuthFailure.SignatureFailure", "RequestId", "source", "unknown"])
        .does_not_say(&["notTheRightKeyAtAll"]);
}

#[test]
fn the_account_is_proven_before_the_first_order_and_kept() {
    let scene = Scene::new(&["one"], &[]);
    scene.with_keys("apply -y").exits(0);
    assert_eq!(scene.project.json(STATE)["account"]["uin"], ACCOUNT);
    let actions: Vec<String> = scene
        .server
        .read(crate::support::LEDGER)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|line| Some(line["action"].as_str()?.to_owned()))
        .collect();
    let asked = actions.iter().position(|it| it == "GetCallerIdentity");
    let ordered = actions.iter().position(|it| it == "CreatePostpayPackage");
    assert!(asked.unwrap() < ordered.unwrap(), "{actions:?}");
}

#[test]
fn another_account_gets_no_order_and_is_not_compared_with() {
    let scene = Scene::new(&["one"], &[]);
    scene.with_keys("apply -y").exits(0);
    // The same endpoint, and somebody else's keys.
    let other = Scene::new(&["one"], &["--account", "200000000002"]);
    let state = scene.project.read(STATE);
    other.project.write(STATE, state);
    other.project.declare(&["one", "two"]);
    for line in ["apply -y", "drift", "plan --refresh", "whoami", "generate"] {
        let refused = other.with_keys(line).exits(1);
        refused.says(&["state-account", ACCOUNT, "200000000002", "postpay whoami"]);
    }
    assert!(other.server.orders().is_empty());
    assert_shown!(
        "account-of-another-state",
        other.with_keys("apply -y").stderr.replace(&other.url, "[URL]")
    );
}

#[test]
fn only_an_allowed_account_is_worked_in() {
    let scene = Scene::new(&["one"], &[]);
    scene.settings("guard: {allowed_accounts: ['300000000003']}\n");
    for line in ["apply -y", "drift", "plan --refresh", "whoami"] {
        let refused = scene.with_keys(line).exits(1);
        refused.says(&["account-not-allowed", ACCOUNT, "300000000003"]);
    }
    assert!(scene.server.orders().is_empty());
    scene.with_keys("plan").exits(0);
    scene.settings(&format!("guard: {{allowed_accounts: ['{ACCOUNT}', '300000000003']}}\n"));
    scene.with_keys("apply -y").exits(0);
}

#[test]
fn an_account_that_can_not_be_proven_gets_no_order_unless_that_is_said() {
    let scene = Scene::new(&["one"], &["--fault", "sts:error:UnauthorizedOperation@*"]);
    let refused = scene.with_keys("apply -y").exits(1);
    refused.says(&[
        "account-unknown",
        "UnauthorizedOperation",
        "RequestId",
        "--allow-unknown-account",
        "nothing was created",
    ]);
    assert!(scene.server.orders().is_empty());
    // Where one is expected it has to be proven.
    scene.settings(&format!("guard: {{allowed_accounts: ['{ACCOUNT}']}}\n"));
    let refused = scene.with_keys("apply -y --allow-unknown-account").exits(1);
    refused.says(&["account-unknown", ACCOUNT]);
    scene.settings("");
    let done = scene.with_keys("apply -y --allow-unknown-account").exits(0);
    done.says(&["warning[account-unknown]"]);
    assert_eq!(scene.server.ordered_once(), ["one"]);
    assert_eq!(scene.project.json(STATE)["account"]["uin"], Value::Null);
}

#[test]
fn a_faltering_question_for_the_account_is_asked_again() {
    let scene = Scene::new(&["one"], &["--fault", "sts:reset-before@1", "--fault", "sts:500-before@2"]);
    scene.with_keys("apply -y").exits(0);
    assert_eq!(scene.server.ordered_once(), ["one"]);
}

#[test]
fn a_plan_is_for_the_account_of_its_state() {
    let scene = Scene::new(&["one"], &[]);
    scene.with_keys("apply -y").exits(0);
    scene.project.declare(&["one", "two"]);
    scene.run("plan -o plan.json", &[]).exits(0);
    assert_eq!(scene.project.json("plan.json")["account"]["uin"], ACCOUNT);
    scene.with_keys("apply plan.json").exits(0);
    assert_eq!(scene.server.ordered_once(), ["one", "two"]);
}

#[test]
fn keys_of_a_role_are_renewed_in_the_middle_of_a_run() {
    // Six orders at two a second take two and a half seconds; no key lasts longer than two, and each is renewed at half its time.
    let names = ["a1", "a2", "a3", "a4", "a5", "a6"];
    let scene = Scene::new(&names, &["--max-session", "2s", "--sandbox-rate", "1000"]);
    let role = format!("apply -y --in-flight 1 --assume-role {ROLE}");
    scene.with_keys(&role).exits(0);
    assert_eq!(scene.server.ordered_once(), names);
    let issued = scene.asked().iter().filter(|it| *it == "AssumeRole").count();
    assert!(issued > 1, "{issued} keys");
    // Whose it is is asked once.
    let asked = scene.asked();
    assert_eq!(asked.iter().filter(|it| *it == "GetCallerIdentity").count(), 1);
}

#[test]
fn a_key_that_is_turned_away_is_renewed_once_and_nothing_is_ordered_twice() {
    let faults = ["--fault", "error:AuthFailure.TokenFailure@1"];
    let scene = Scene::new(&["a1", "a2"], &faults);
    let role = format!("apply -y --in-flight 1 --assume-role {ROLE}");
    scene.with_keys(&role).exits(0);
    assert_eq!(scene.server.ordered_once(), ["a1", "a2"]);
    let issued = |scene: &Scene| scene.asked().iter().filter(|it| *it == "AssumeRole").count();
    assert_eq!(issued(&scene), 2);
    let faults = ["--fault", "error:AuthFailure.TokenFailure@*"];
    let scene = Scene::new(&["a1", "a2"], &faults);
    scene.with_keys(&role).exits(1).says(&["AuthFailure.TokenFailure"]);
    assert!(scene.server.orders().is_empty());
    assert_eq!(issued(&scene), 2, "another key is asked for once");
}

#[test]
fn an_order_that_no_key_could_be_had_for_was_not_sent() {
    // The first key and the question for the account are answered; no key after that is: refused, cut off, or unreadable.
    let names = ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"];
    let mut rounds = 0;
    for fault in
        ["sts:error:InvalidParameter.ResourceError@3-999", "sts:reset-before@3-999", "sts:html@3-999"]
    {
        let scene = Scene::new(&names, &["--max-session", "3s", "--sandbox-rate", "1000", "--fault", fault]);
        let apply = format!("apply -y --in-flight 1 --retry-for 0s --assume-role {ROLE}");
        let ran = scene.with_keys(&apply);
        let ordered = scene.server.ordered_once();
        assert!(ordered.len() < names.len(), "{fault}: {ordered:?}");
        if ordered.is_empty() {
            // A computer that is busy enough takes longer to the first order than the first key lasts.
            ran.exits(1);
            continue;
        }
        rounds += 1;
        ran.exits(3).says(&["credentials for the role", ROLE]);
        let state = scene.project.json(STATE);
        let recorded: Vec<&String> = state["environments"].as_object().unwrap().keys().collect();
        let expected: Vec<&String> = ordered.iter().collect();
        assert_eq!(recorded, expected, "{fault}: none is unknown");
    }
    assert!(rounds > 0, "no run came to its first order");
}

#[test]
fn a_role_that_is_refused_orders_nothing() {
    let scene = Scene::new(&["one"], &["--fault", "sts:error:UnauthorizedOperation@*"]);
    let ran = scene.with_keys(&format!("apply -y --assume-role {ROLE}")).exits(1);
    ran.says(&["credentials for the role", ROLE, "UnauthorizedOperation", "nothing was created"]);
    assert!(scene.server.orders().is_empty());
    assert!(!scene.project.exists(STATE));
}

#[test]
fn a_key_file_that_others_can_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new(&["one"], &[]);
    scene.profile(&ini("default"));
    let file = scene.project.file(".tencentcloud/credentials");
    scene.run("whoami", &[]).exits(0).does_not_say(&["warning"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let told = scene.run("whoami", &[]).exits(0);
    told.says(&["warning[credentials-open]", "chmod 600"]);
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let scene = Scene::new(&["one"], &[]);
    for (line, why) in [
        ("whoami --profile a --cvm-role", "cannot be used with"),
        ("whoami --role-session-name x", "required"),
        ("whoami --oidc-provider p --oidc-token-file f", "required"),
        ("whoami --oidc-token-file f", "required"),
    ] {
        scene.with_keys(line).exits(1).says(&[why]);
    }
    let no_token = format!(
        "whoami --oidc-provider p --oidc-token-file nowhere --assume-role {ROLE} --sts-endpoint {}",
        scene.url
    );
    scene.run(&no_token, &[]).exits(1).says(&["web identity token file", "nowhere"]);
    let elsewhere = [("POSTPAY_METADATA_ENDPOINT", "http://example.com")];
    scene.run("whoami", &elsewhere).exits(1).says(&["example.com"]);
}

/// The lines of a log that tell of this action, in order.
fn logged<'a>(log: &'a str, action: &str) -> Vec<&'a str> {
    let named = format!("action=\"{action}\"");
    log.lines().filter(|line| line.contains(&named)).collect()
}

/// The value that a line of the log has for this field.
fn field<'a>(line: &'a str, name: &str) -> &'a str {
    let (_, rest) = line.split_once(&format!(" {name}=")).unwrap_or_else(|| panic!("no {name}: {line}"));
    rest.split(' ').next().unwrap_or_default().trim_matches('"')
}

#[test]
fn each_call_is_logged_and_recorded_with_what_it_asked_and_got() {
    let scene = Scene::new(&["one"], &["--fault", "error:LimitExceeded@1"]);
    let ran = scene.with_keys("apply -y --log debug --record calls.jsonl --region ap-shanghai").exits(1);
    let [sent, answer] = logged(&ran.stderr, "CreatePostpayPackage")[..] else {
        panic!("{ran}");
    };
    assert!(sent.contains("\\\"Alias\\\":\\\"one\\\"") || sent.contains("\"Alias\":\"one\""), "{sent}");
    assert_eq!(field(sent, "region"), "ap-shanghai");
    assert_eq!(field(sent, "trace_id"), field(answer, "trace_id"));
    for (name, value) in [
        ("grade", "refused"),
        ("code", "LimitExceeded"),
        ("status", "200"),
        ("region", "ap-shanghai"),
        ("host", scene.url.strip_prefix("http://").unwrap()),
    ] {
        assert_eq!(field(answer, name), value, "{answer}");
    }
    assert!(!field(answer, "request_id").is_empty() && !field(answer, "took").is_empty());
    let [_, asked] = logged(&ran.stderr, "GetCallerIdentity")[..] else {
        panic!("{ran}");
    };
    assert_eq!(field(asked, "grade"), "answered");
    let calls: Vec<Value> =
        scene.project.read("calls.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_order: Vec<&Value> =
        calls.iter().filter(|call| call["action"] == "CreatePostpayPackage").collect();
    let [request, reply] = of_order[..] else {
        panic!("{of_order:?}");
    };
    assert_eq!((&request["type"], &reply["type"]), (&"sent".into(), &"answer".into()));
    assert_eq!(request["method"], "POST");
    let body = request["request_body"].as_str().unwrap();
    assert!(body.contains("\"Alias\":\"one\""), "{request}");
    assert_eq!(request["trace_id"], reply["trace_id"]);
    assert_eq!(request["trace_id"], field(sent, "trace_id"));
    assert_eq!((reply["status"].as_u64(), reply["grade"].as_str()), (Some(200), Some("refused")));
    assert!(reply["response_headers"].to_string().contains("content-type"), "{reply}");
    let answer = reply["response_body"].as_str().unwrap();
    assert!(answer.contains("LimitExceeded") && answer.contains("RequestId"), "{reply}");
    // A file that is there is kept.
    let again = scene.with_keys("apply -y --record calls.jsonl").exits(1);
    again.says(&["choose a file that does not exist yet"]);
    assert!(scene.server.orders().is_empty());
}

#[test]
fn the_log_speaks_the_words_of_a_receipt() {
    let scene = Scene::new(&["one"], &["--fault", "throttle@1"]);
    let ran = scene.with_keys("apply -y --log debug").exits(0);
    let grades = |ran: &Ran, action: &str| {
        let lines = logged(&ran.stderr, action);
        let answers = lines.iter().filter(|line| line.contains(" grade="));
        let grades: Vec<String> = answers.map(|line| field(line, "grade").to_owned()).collect();
        grades
    };
    assert_eq!(grades(&ran, "CreatePostpayPackage"), ["not_sent", "ordered"]);
    assert!(ran.stderr.contains("cause=\"throttled\""), "{ran}");
    scene.project.edit(crate::support::MANIFEST, "alias: one", "alias: uno");
    let ran = scene.with_keys("apply -y --log debug").exits(0);
    assert_eq!(grades(&ran, "ModifyEnv"), ["done"]);
    assert!(ran.stderr.contains("consent=\"auto-approve\""), "{ran}");
    // Rust's own names are nobody's.
    ran.does_not_say(&["Some(", "NotSent", "Account {", "git gave no answer"]);
}

#[test]
fn an_order_that_is_left_under_way_is_in_the_record_and_in_the_log() {
    let scene = Scene::new(&["one"], &["--fault", "hang-after@1"]);
    let mut command = scene.project.command(["apply", "-y", "--log", "debug", "--record", "calls.jsonl"]);
    command.envs(KEYS);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut running = Running::new(command);
    let told = running.told("action=\"CreatePostpayPackage\"");
    let line = logged(&told, "CreatePostpayPackage")[0].to_owned();
    running.signal("INT");
    let _ = running.told("Waiting for 1 call");
    running.signal("INT");
    assert_ne!(running.wait().code, Some(0));
    let text = scene.project.read("calls.jsonl");
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((&last["type"], &last["action"]), (&"sent".into(), &"CreatePostpayPackage".into()));
    assert_eq!(last["trace_id"], field(&line, "trace_id"));
}

#[test]
fn an_unknown_order_without_a_request_id_is_told_with_its_trace_id() {
    let scene = Scene::new(&["one"], &["--fault", "reset-before@1"]);
    let ran = scene.with_keys("apply -y --log debug --settle 0s").exits(4);
    let line = logged(&ran.stderr, "CreatePostpayPackage")[0];
    let trace = format!("(X-TC-TraceId {})", field(line, "trace_id"));
    assert!(ran.stdout.contains(&trace), "{ran}");
    assert!(scene.project.read(&scene.project.receipt()).contains(&trace));
}

#[test]
fn a_record_that_can_not_be_is_refused_and_a_failed_start_leaves_none() {
    let scene = Scene::new(&["one"], &[]);
    // No key is there yet.
    scene.run("apply -y --record calls.jsonl", &[]).exits(1).says(&["error[credentials]"]);
    assert!(!scene.project.exists("calls.jsonl"));
    for (path, why) in [
        ("postpay.yaml", "already used for something else"),
        ("nowhere/calls.jsonl", "an existing, writable folder"),
    ] {
        let line = format!("apply -y --record {path}");
        scene.with_keys(&line).exits(1).says(&["--record", why, "nothing was sent"]);
    }
    scene.project.write("state/keep", "");
    fs::create_dir(scene.project.file("state/receipts")).unwrap();
    for name in ["state.json", "state.json.backup", "journal.jsonl", "state.lock"] {
        let line = format!("apply -y --record state/postpay.{name}");
        scene.with_keys(&line).exits(1).says(&["one of the state's own files"]);
    }
    for line in ["apply -y --record state/receipts/a.jsonl", "apply -y --record state/postpay.sandbox.jsonl"]
    {
        scene.with_keys(line).exits(1).says(&["one of the state's own files"]);
    }
    for line in ["plan --out p.json --record p.json", "plan --report r.json --record ./r.json"] {
        scene.with_keys(line).exits(1).says(&["already used for something else", "nothing was sent"]);
    }
    assert!(!scene.project.exists("p.json") && !scene.project.exists("r.json"));
    assert!(scene.server.orders().is_empty() && !scene.project.exists(STATE));
    // A dangling link leads nowhere that anything is written to.
    std::os::unix::fs::symlink("elsewhere", scene.project.file("link.jsonl")).unwrap();
    scene.with_keys("apply -y --record link.jsonl").exits(1);
    assert!(!scene.project.exists("elsewhere"));
    scene.with_keys("apply -y --record calls.jsonl").exits(0);
    assert!(scene.project.exists("calls.jsonl"));
}

#[test]
fn a_record_that_is_not_whole_is_told() {
    let scene = Scene::new(&["one"], &[]);
    // A limit on the size of files, which stands for a full disk; `ulimit` counts in halves of a kilobyte.
    let program = env!("CARGO_BIN_EXE_postpay");
    let line = format!("trap '' XFSZ; ulimit -f 1; exec {program} whoami --record calls.jsonl");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &line]);
    scene.project.settle(&mut command);
    command.envs(KEYS);
    let ran = Ran::from(command.output().unwrap()).exits(0);
    ran.says(&["warning[record-incomplete]", "missing or cut: 1"]);
    let line = "whoami --record whole.jsonl";
    scene.with_keys(line).exits(0).does_not_say(&["record-incomplete"]);
}

#[test]
fn a_local_endpoint_without_sts_is_ordered_from_where_no_account_is_expected() {
    let scene = Scene::new(&["one"], &["--fault", "sts:error:InvalidAction@*"]);
    scene.settings(&format!("guard: {{allowed_accounts: ['{ACCOUNT}']}}\n"));
    scene.with_keys("apply -y").exits(1).says(&["account-unknown", ACCOUNT]);
    scene.settings("");
    // No flag was given that could be left out.
    let refused = scene.with_keys("whoami").exits(1);
    refused.says(&["InvalidAction", "--sts-endpoint"]).does_not_say(&["no longer offers"]);
    let done = scene.with_keys("apply -y").exits(0);
    done.says(&["warning[account-unknown]", "has no STS"]);
    assert_eq!(scene.server.ordered_once(), ["one"]);
}

#[test]
fn a_plan_that_looked_at_an_account_is_carried_out_in_no_other() {
    let scene = Scene::new(&["one"], &[]);
    scene.with_keys("plan --refresh -o plan.json").exits(0);
    assert_eq!(scene.project.json("plan.json")["account"]["uin"], ACCOUNT);
    let other = Scene::new(&["one"], &["--account", "200000000002"]);
    let url = scene.project.read("postpay.yaml");
    scene.project.write("postpay.yaml", other.project.read("postpay.yaml"));
    let refused = scene.with_keys("apply plan.json").exits(1);
    refused.says(&["plan-endpoint", &scene.url, &other.url]);
    scene.project.write("postpay.yaml", url);
    // The same endpoint, with the key of another account.
    let line = format!("apply plan.json --sts-endpoint {}", other.url);
    let refused = scene.with_keys(&line).exits(1);
    refused.says(&["plan-account", ACCOUNT, "200000000002"]);
    assert!(other.server.orders().is_empty());
    let done = scene.with_keys("apply plan.json").exits(0);
    done.says(&[&format!("Account {ACCOUNT}"), "environment ("]);
    assert_eq!(scene.server.ordered_once(), ["one"]);
}

#[test]
fn a_state_that_contradicts_its_receipts_orders_nothing() {
    let scene = Scene::new(&["one"], &[]);
    scene.with_keys("apply -y").exits(0);
    let other = Scene::new(&["one"], &["--account", "200000000002"]);
    for name in scene.project.files().keys().filter(|name| name.starts_with("state")) {
        let name = name.to_str().unwrap();
        let text = scene.project.read(name);
        let edited = text.replace(&format!("\"uin\": \"{ACCOUNT}\""), "\"uin\": \"200000000002\"");
        other.project.write(name, if name == STATE { edited } else { text });
    }
    other.project.declare(&["one", "two"]);
    let refused = other.with_keys("apply -y").exits(1);
    refused.says(&["error[state-differs]", ACCOUNT, "200000000002", "postpay state verify"]);
    assert!(other.server.orders().is_empty());
}

#[test]
fn whoever_sends_nothing_needs_no_key() {
    let scene = Scene::new(&["one"], &[]);
    scene.with_keys("apply -y").exits(0);
    let before = scene.asked();
    scene.run("apply -y", &[]).exits(0);
    let manifest = scene.project.read("environments/shop.yaml");
    let renamed = manifest.replace("  one:", "  other:") + "moved: [{from: one, to: other}]\n";
    scene.project.write("environments/shop.yaml", renamed);
    scene.run("apply -y", &[]).exits(0);
    assert!(scene.project.json(STATE)["environments"]["other"].is_object());
    assert_eq!(scene.asked(), before);
    scene.project.declare(&["two"]);
    scene.run("apply -y", &[]).exits(1).says(&["no credentials found"]);
}

#[test]
fn nobody_is_asked_by_whoever_works_offline() {
    let scene = Scene::new(&["one"], &[]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let metadata = [("POSTPAY_METADATA_ENDPOINT", url.as_str())];
    let told = scene.run("whoami --offline", &metadata).exits(0);
    told.says(&["this machine's role, if it has one"]);
    assert!(listener.accept().is_err(), "somebody was asked");
}

#[test]
fn an_sts_on_this_computer_vouches_for_no_endpoint_elsewhere() {
    let scene = Scene::new(&["one"], &[]);
    let elsewhere = format!("whoami --endpoint https://example.com --sts-endpoint {}", scene.url);
    scene.with_keys(&elsewhere).exits(1).says(&["sts-endpoint", "example.com", "nothing was sent"]);
    assert!(scene.asked().is_empty());
}

#[test]
fn a_state_without_an_account_is_only_taken_over_where_its_environments_are() {
    let scene = Scene::new(&["one"], &["--fault", "sts:error:UnauthorizedOperation@1"]);
    scene.with_keys("apply -y --allow-unknown-account").exits(0);
    let other = Scene::new(&["one"], &["--account", "200000000002"]);
    for name in scene.project.files().keys() {
        let name = name.to_str().unwrap();
        if name.starts_with("state") {
            other.project.write(name, scene.project.read(name));
        }
    }
    other.project.declare(&["one", "two"]);
    let refused = other.with_keys("apply -y").exits(1);
    refused.says(&["error[state-account]", "200000000002", "nothing was created"]);
    assert!(other.server.orders().is_empty());
    // Whatever it would do: what is to be given up would seem to be gone.
    other.project.declare(&[]);
    other.with_keys("destroy one -y --allow-destroy").exits(1).says(&["error[state-account]"]);
    scene.project.declare(&["one", "two"]);
    let done = scene.with_keys("apply -y").exits(0);
    done.says(&["warning[account-first-known]"]);
    assert_eq!(scene.project.json(STATE)["account"]["uin"], ACCOUNT);
}
