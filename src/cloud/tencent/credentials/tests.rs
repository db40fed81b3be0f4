//! Which credentials are found, and what stops the search.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::assume_role::AssumeRoleConfig;
use super::chain::{Chain, CredentialOptions, Source};
use super::types::{CredentialContext, Credentials, CredentialsError};
use super::web_identity::WebIdentity;

const ROLE: &str = "qcs::cam::uin/1:roleName/deploy";
const OTHER_ROLE: &str = "qcs::cam::uin/2:roleName/other";
const SECRET: &str = "hunter2hunter2";
const SDK: &str = ".tencentcloud/credentials";
const TCCLI: &str = ".tccli/default.credential";

const ID: &str = "TENCENTCLOUD_SECRET_ID";
const KEY: &str = "TENCENTCLOUD_SECRET_KEY";
const TOKEN: &str = "TENCENTCLOUD_TOKEN";
const RUNTIME_ID: &str = "TENCENTCLOUD_SECRETID";
const RUNTIME_KEY: &str = "TENCENTCLOUD_SECRETKEY";
const RUNTIME_TOKEN: &str = "TENCENTCLOUD_SESSIONTOKEN";
const IN_ENVIRONMENT: [(&str, &str); 2] = [(ID, "env-id"), (KEY, SECRET)];
const IN_POD: [(&str, &str); 3] =
    [("TKE_ROLE_ARN", ROLE), ("TKE_PROVIDER_ID", "p"), ("TKE_WEB_IDENTITY_TOKEN_FILE", "/token")];

/// A home folder and variables.
struct Setup {
    home: tempfile::TempDir,
    variables: HashMap<&'static str, String>,
}

impl Setup {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), variables: HashMap::new() }
    }

    fn set(mut self, variables: &[(&'static str, &str)]) -> Self {
        self.variables.extend(variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self
    }

    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn find(&self, options: &CredentialOptions) -> Result<Chain, CredentialsError> {
        let context = CredentialContext {
            variable: &|name| self.variables.get(name).cloned(),
            home: Some(self.home.path().to_owned()),
            now: Timestamp::from_second(1_600_000_000).unwrap(),
        };
        Chain::find(options, &context)
    }

    fn found(&self) -> Chain {
        self.find(&CredentialOptions::default()).unwrap()
    }

    /// Returns why the search stops, and checks that no secret is in it.
    fn error(&self, options: &CredentialOptions) -> String {
        let error = self.find(options).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hunter2"), "{text}");
        assert!(error.text().is_in_both());
        text
    }
}

fn set(variables: &[(&'static str, &str)]) -> Setup {
    Setup::new().set(variables)
}

fn file(name: &str, content: impl AsRef<[u8]>) -> Setup {
    Setup::new().file(name, content)
}

fn profile(name: &str) -> CredentialOptions {
    CredentialOptions { profile: Some(name.to_owned()), ..CredentialOptions::default() }
}

fn ini(name: &str) -> String {
    format!("[{name}]\nsecret_id = {name}-id\nsecret_key = {SECRET}\n")
}

fn json(more: &str) -> String {
    format!(r#"{{"secretId":"tccli-id","secretKey":"{SECRET}"{more}}}"#)
}

fn credentials(chain: &Chain) -> Option<&Credentials> {
    match &chain.source {
        Source::Environment { credentials, .. }
        | Source::Profile { credentials, .. }
        | Source::Tccli { credentials, .. } => Some(credentials),
        Source::WebIdentity(_) | Source::Machine { .. } => None,
    }
}

/// Returns the name of the source and the secret id.
fn source(chain: &Chain) -> (&'static str, Option<&str>) {
    assert!(chain.source.text().is_in_both());
    (chain.source.name(), credentials(chain).map(|credentials| credentials.secret_id.as_str()))
}

#[test]
fn the_first_place_that_has_a_key_wins() {
    let mut all = set(&IN_ENVIRONMENT).set(&IN_POD).file(SDK, ini("default")).file(TCCLI, json(""));
    assert_eq!(source(&all.found()), ("environment", Some("env-id")));
    for (name, _) in IN_ENVIRONMENT {
        all.variables.remove(name);
    }
    assert_eq!(source(&all.found()), ("profile", Some("default-id")));
    fs::remove_file(all.path(SDK)).unwrap();
    assert_eq!(source(&all.found()), ("tccli", Some("tccli-id")));
    fs::remove_file(all.path(TCCLI)).unwrap();
    assert_eq!(source(&all.found()), ("web-identity", None));
    all.variables.clear();
    let nothing = all.found();
    assert_eq!(source(&nothing), ("cvm-role", None));
    assert_eq!(nothing.looked.len(), 4, "each place is named: {:?}", nothing.looked);
}

#[test]
fn what_is_asked_for_by_name_goes_before_everything() {
    let setup = set(&IN_ENVIRONMENT)
        .file(SDK, ini("default") + &ini("prod"))
        .file(".tccli/staging.credential", json(""));
    assert_eq!(source(&setup.find(&profile("prod")).unwrap()), ("profile", Some("prod-id")));
    assert_eq!(source(&setup.find(&profile("staging")).unwrap()), ("tccli", Some("tccli-id")));
    let error = setup.error(&profile("nobody"));
    assert!(error.contains("no profile `nobody`") && error.contains("nobody.credential"), "{error}");
    let machine = CredentialOptions { machine: Some(Some("web".to_owned())), ..CredentialOptions::default() };
    let found = setup.find(&machine).unwrap().source;
    assert!(
        matches!(&found, Source::Machine { role: Some(role), is_asked_for: true } if role == "web"),
        "{found:?}"
    );
}

const FILE: &str = "TENCENTCLOUD_CREDENTIALS_FILE";

#[test]
fn a_variable_that_names_a_profile_or_file_leaves_no_other_choice() {
    let both = || file(SDK, ini("default") + &ini("prod")).file(".tccli/ci.credential", json(""));
    for name in ["TENCENTCLOUD_PROFILE", "TCCLI_PROFILE"] {
        let chosen = |profile| both().set(&[(name, profile)]);
        assert_eq!(source(&chosen("prod").found()), ("profile", Some("prod-id")));
        assert_eq!(source(&chosen("ci").found()), ("tccli", Some("tccli-id")));
        assert_eq!(source(&chosen("ci").set(&IN_ENVIRONMENT).found()), ("environment", Some("env-id")));
        let error = chosen("gone").error(&CredentialOptions::default());
        assert!(error.contains("no profile `gone`"), "{error}");
    }
    for name in ["生产", "my prof"] {
        let setup = file(SDK, ini("x").replace("[x]", &format!("[{name}]"))).set(&[("TCCLI_PROFILE", name)]);
        assert_eq!(source(&setup.found()).0, "profile", "{name}");
    }
    let differ = set(&[("TCCLI_PROFILE", "a"), ("TENCENTCLOUD_PROFILE", "b")]);
    assert!(differ.error(&CredentialOptions::default()).contains("both set and differ"));

    let named = |profile: &str| {
        let setup = file("named", ini(profile)).file(TCCLI, json(""));
        let path = setup.path("named").display().to_string();
        setup.set(&[(FILE, &path)])
    };
    assert_eq!(source(&named("default").found()), ("profile", Some("default-id")));
    let error = named("work").find(&CredentialOptions::default()).unwrap_err();
    assert!(
        matches!(&error, CredentialsError::NoProfile { name, known, .. } if name == "default" && known == &["work"]),
        "{error:?}"
    );
    assert!(set(&[(FILE, "/not/there")]).error(&CredentialOptions::default()).contains("/not/there"));
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let empty = [
        "TENCENTCLOUD_PROFILE",
        "TCCLI_PROFILE",
        "TENCENTCLOUD_ASSUME_ROLE_ARN",
        "TENCENTCLOUD_ASSUME_ROLE_SESSION_NAME",
        "TENCENTCLOUD_ROLE_ARN",
        "TENCENTCLOUD_CAM_ROLE_NAME",
        "TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION",
        "TENCENTCLOUD_ASSUME_ROLE_EXTERNAL_ID",
        "TENCENTCLOUD_ROLE_SESSION_NAME",
        "TENCENTCLOUD_CREDENTIALS_FILE",
        ID,
        KEY,
        RUNTIME_ID,
        RUNTIME_KEY,
        TOKEN,
        "TENCENTCLOUD_SECURITY_TOKEN",
        "TENCENTCLOUD_SESSION_TOKEN",
        RUNTIME_TOKEN,
        "TKE_ROLE_ARN",
        "TKE_PROVIDER_ID",
        "TKE_WEB_IDENTITY_TOKEN_FILE",
    ];
    let setup = set(&empty.map(|name| (name, ""))).file(SDK, ini("default"));
    let found = setup.found();
    assert_eq!((source(&found), found.role.is_none()), (("profile", Some("default-id")), true));
    let found = setup.set(&IN_ENVIRONMENT).found();
    assert_eq!((source(&found), found.role.is_none()), (("environment", Some("env-id")), true));
}

#[test]
fn the_environment_is_read_in_every_spelling() {
    const CHOSEN: [(&str, &str); 2] = [(ID, "i"), (KEY, SECRET)];
    const RUNTIME: [(&str, &str); 3] = [(RUNTIME_ID, "r"), (RUNTIME_KEY, SECRET), (RUNTIME_TOKEN, "rt")];
    type Variables<'a> = &'a [(&'static str, &'a str)];
    let table: [(Variables<'_>, Variables<'_>, _, _); 8] = [
        (&CHOSEN, &[], "i", None),
        (&CHOSEN, &[(TOKEN, "t")], "i", Some("t")),
        (&CHOSEN, &[("TENCENTCLOUD_SECURITY_TOKEN", "t")], "i", Some("t")),
        (&CHOSEN, &[("TENCENTCLOUD_SESSION_TOKEN", "t")], "i", Some("t")),
        (&CHOSEN, &[(TOKEN, "t"), ("TENCENTCLOUD_SECURITY_TOKEN", "t")], "i", Some("t")),
        (&RUNTIME, &[], "r", Some("rt")),
        // Chosen credentials get nothing from the runtime's, unless there is only a token.
        (&CHOSEN, &RUNTIME, "i", None),
        (&CHOSEN, &[(RUNTIME_TOKEN, "rt")], "i", Some("rt")),
    ];
    for (variables, more, id, token) in table {
        let found = set(variables).set(more).found();
        let found = credentials(&found).unwrap();
        assert_eq!((found.secret_id.as_str(), found.secret_key.expose_secret()), (id, SECRET));
        assert_eq!(found.token.as_ref().map(ExposeSecret::expose_secret), token, "{more:?}");
    }
}

/// Each has another place with a key after it, which may be another account's.
#[test]
fn a_credentials_file_that_is_not_recognised_never_gives_way_to_the_next_place() {
    let utf16 = |text: &str| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    };
    let no_section = format!("secret_id = i\nsecret_key = {SECRET}\n");
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        (SDK, utf16(&ini("default")), "not UTF-8 text"),
        (SDK, utf16(&ini("default"))[2..].to_vec(), "not UTF-8 text"),
        (SDK, b"[default]\nsecret_id = \xff\n".to_vec(), "not UTF-8 text"),
        (SDK, no_section.into_bytes(), "not in INI format"),
        (SDK, json("").into_bytes(), "not in INI format"),
        (
            SDK,
            format!("{{\n  \"default\": {{\n    \"secretKey\": \"{SECRET}\"\n  }}\n}}\n").into(),
            "not in INI format",
        ),
        (SDK, ini("Default").into_bytes(), "no profile `default`"),
        (SDK, Vec::new(), "no profile `default`"),
        (SDK, b"[default]\n".to_vec(), "has no secret_id"),
        (SDK, vec![b'x'; 2 << 20], "it is larger than 1 MiB"),
        (TCCLI, utf16(&json("")), "default.credential:1:1"),
        (TCCLI, ini("default").into_bytes(), "default.credential:1:"),
        (TCCLI, Vec::new(), "default.credential:1:"),
        (TCCLI, b"null".to_vec(), "default.credential:1:"),
        (TCCLI, b"[]".to_vec(), "default.credential:1:"),
        (TCCLI, b"{}".to_vec(), "has no secretId"),
        (TCCLI, format!("{{\"SecretId\":\"i\",\"SecretKey\":\"{SECRET}\"}}").into(), "has no secretId"),
        (TCCLI, json(r#","token":" t""#).into_bytes(), "contains whitespace"),
    ];
    for (name, bytes, expected) in table {
        let setup = set(&IN_POD);
        let setup = if name == SDK { setup.file(TCCLI, json("")) } else { setup };
        let error = setup.file(name, bytes).error(&CredentialOptions::default());
        assert!(error.contains(expected) && error.contains(name), "{expected}: {error}");
    }
    for name in [SDK, TCCLI] {
        let setup = set(&IN_POD);
        fs::create_dir_all(setup.path(name)).unwrap();
        let error = || setup.find(&CredentialOptions::default()).unwrap_err().to_string();
        assert!(error().contains(name));
        #[cfg(unix)]
        {
            fs::remove_dir(setup.path(name)).unwrap();
            std::os::unix::fs::symlink("nowhere", setup.path(name)).unwrap();
            assert!(error().contains(name));
        }
    }
}

#[test]
fn a_profile_is_a_name_and_no_path() {
    let setup =
        file("x.credential", json("")).file(".tccli/sub/x.credential", json("")).file(SDK, ini("../x"));
    for name in ["../x", "../../x", "sub/x", "sub\\x", "..", "/x"] {
        let error = setup.error(&profile(name));
        assert!(error.contains("a name, not a path"), "{name}: {error}");
    }
    let setup = setup.set(&[("TCCLI_PROFILE", "../x")]);
    assert!(setup.error(&CredentialOptions::default()).contains("a name, not a path"));
}

#[test]
fn half_a_key_is_an_error_that_names_the_other_half() {
    let (joined, newline) = (format!("{SECRET} {SECRET}"), format!("{SECRET}\n"));
    let repeats = "[default] or one of its keys is repeated here";
    let table = [
        (set(&[(ID, SECRET)]).file(SDK, ini("default")), "TENCENTCLOUD_SECRET_KEY is not"),
        (set(&[(KEY, SECRET)]), "TENCENTCLOUD_SECRET_ID is not"),
        (set(&[(TOKEN, SECRET)]), "TENCENTCLOUD_SECRET_ID is not"),
        (set(&[(ID, SECRET), (RUNTIME_KEY, SECRET)]), "TENCENTCLOUD_SECRET_KEY is not"),
        (set(&[(ID, SECRET), (KEY, &joined)]), "TENCENTCLOUD_SECRET_KEY contains whitespace"),
        (set(&[(ID, SECRET), (KEY, &newline)]), "TENCENTCLOUD_SECRET_KEY contains whitespace"),
        (set(&[(ID, "hunter2密"), (KEY, SECRET)]), "TENCENTCLOUD_SECRET_ID contains invalid characters"),
        (
            set(&IN_ENVIRONMENT).set(&[(TOKEN, SECRET), ("TENCENTCLOUD_SESSION_TOKEN", "other")]),
            "TENCENTCLOUD_TOKEN and TENCENTCLOUD_SESSION_TOKEN are both set",
        ),
        (set(&[("TKE_ROLE_ARN", ROLE)]), "TKE_PROVIDER_ID is not"),
        (file(SDK, format!("[default]\nsecret_key = {SECRET}\n")), "credentials has no secret_id"),
        (file(SDK, format!("[default\nsecret_key = {SECRET}\n")), "credentials:1:1"),
        (file(SDK, format!("[default]\nsecret_id = i\nsecret_key = {SECRET} x\n")), "contains whitespace"),
        (file(SDK, ini("default") + "SECRET_ID = another\n"), repeats),
        (file(SDK, ini("default") + "Secret_Key: another\n"), repeats),
        (file(SDK, ini("default") + &ini("other") + "[default]\nsecret_id = another\n"), repeats),
        (file(TCCLI, format!(r#"{{"secretKey":"{SECRET}"}}"#)), "default.credential has no secretId"),
        (file(TCCLI, format!("{{\"secretKey\": {SECRET}")), "default.credential:1:"),
    ];
    for (setup, expected) in table {
        let error = setup.error(&CredentialOptions::default());
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn files_are_read_as_tencent_clouds_tools_read_them() {
    let quoted = format!(
        "\u{feff}; mine\n[default]\r\nSecret_Id: \"quoted-id\"\r\nsecret_key='{SECRET}'\r\ntoken = tok\n; secret_id = old\n\n[other]\nsecret_id=x\n[other]\n"
    );
    let found = file(SDK, &quoted).found();
    assert_eq!(source(&found), ("profile", Some("quoted-id")));
    assert_eq!(credentials(&found).unwrap().token.as_ref().unwrap().expose_secret(), "tok");

    let login = |ends: i64| json(&format!(r#","token":"t","type":"oauth","expiresAt":{ends}"#));
    let found = file(TCCLI, login(1_600_000_001)).found();
    assert!(matches!(found.source, Source::Tccli { is_login: true, .. }));
    let with_mark = format!("\u{feff}{}", login(1_600_000_000_000));
    for ended in [login(1_600_000_000), with_mark] {
        let error = file(TCCLI, ended).error(&CredentialOptions::default());
        assert!(error.contains("log in again with tccli"), "{error}");
    }
    assert_eq!(source(&file(TCCLI, r#"{"type":"cvm-role"}"#).found()), ("cvm-role", None));
    // Only a log-in ends.
    let found = file(TCCLI, json(r#","type":"default","expiresAt":1"#)).found();
    assert_eq!(source(&found), ("tccli", Some("tccli-id")));
}

#[test]
fn a_role_may_be_assumed_with_any_credentials() {
    let terraform =
        [("TENCENTCLOUD_ASSUME_ROLE_ARN", ROLE), ("TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION", "900")];
    let tccli = [("TENCENTCLOUD_ROLE_ARN", ROLE)];
    let in_ini = format!("{}role_arn = {ROLE}\n", ini("default"));
    let in_json = json(&format!(r#","role-arn":"{ROLE}","role-session-name":"x1""#));
    for (setup, session) in [
        (set(&IN_ENVIRONMENT).set(&tccli), Some("postpay")),
        (set(&IN_ENVIRONMENT).set(&tccli).set(&[("TENCENTCLOUD_ROLE_SESSION_NAME", "ci")]), Some("ci")),
        // tccli's variable is for the environment's credentials alone, Terraform's for any.
        (file(SDK, ini("default")).set(&tccli), None),
        (file(SDK, ini("default")).set(&terraform), Some("postpay")),
        (file(SDK, &in_ini), Some("postpay")),
        (file(TCCLI, &in_json), Some("x1")),
    ] {
        let role = setup.found().role;
        let found = role.as_ref().map(|role| (role.arn.as_str(), role.session_name()));
        assert_eq!(found, session.map(|session| (ROLE, session)));
    }
    let role = file(SDK, ini("default")).set(&terraform).found().role.unwrap();
    assert_eq!(role.duration, Some(Duration::from_secs(900)));
    let other = AssumeRoleConfig { arn: OTHER_ROLE.to_owned(), ..AssumeRoleConfig::default() };
    let flag = CredentialOptions { role: Some(other.clone()), ..CredentialOptions::default() };
    assert_eq!(file(TCCLI, &in_json).find(&flag).unwrap().role, Some(other));
    let differ = set(&IN_ENVIRONMENT).set(&tccli).set(&[("TENCENTCLOUD_ASSUME_ROLE_ARN", OTHER_ROLE)]);
    assert!(differ.error(&CredentialOptions::default()).contains("both set and differ"));
}

#[test]
fn a_role_that_can_not_be_assumed_is_refused_before_anything_is_sent() {
    let options = |arn: &str, session: Option<&str>, seconds: u64| CredentialOptions {
        role: Some(AssumeRoleConfig {
            arn: arn.to_owned(),
            session_name: session.map(str::to_owned),
            duration: Some(Duration::from_secs(seconds)),
            external_id: None,
        }),
        ..CredentialOptions::default()
    };
    let setup = set(&IN_ENVIRONMENT);
    for (options, expected) in [
        (options("deploy", None, 1), "--assume-role: `deploy` is not a role ARN"),
        (options("qcs::cam::uin/1:rolename/x", None, 1), "is not a role ARN"),
        (options("qcs::cam::uin/x:roleName/x", None, 1), "is not a role ARN"),
        (options("qcs::cam::uin/1:roleName/", None, 1), "is not a role ARN"),
        (options(ROLE, Some("x"), 1), "--role-session-name: a session name must have 2 to 128"),
        (options(ROLE, Some("a b"), 1), "2 to 128"),
        (
            options(ROLE, None, 43_201),
            "--role-duration: the duration of a role session must be from 1s to 12h",
        ),
        (options(ROLE, None, 0), "to 12h"),
    ] {
        let error = setup.error(&options);
        assert!(error.contains(expected), "{error}");
    }
    assert!(setup.find(&options("qcs::cam::uin/1:role/4611686018427397919", None, 43_200)).is_ok());
    let error = file(SDK, ini("default") + "role_arn = deploy\n").error(&CredentialOptions::default());
    assert!(error.contains("role_arn of [default] in "), "{error}");
}

#[test]
fn a_web_identity_assumes_its_role_once() {
    let role = AssumeRoleConfig { arn: ROLE.to_owned(), ..AssumeRoleConfig::default() };
    let mut options = CredentialOptions {
        web_identity: Some(("github".to_owned(), "/token".into())),
        role: Some(role.clone()),
        ..CredentialOptions::default()
    };
    let found = set(&IN_ENVIRONMENT).find(&options).unwrap();
    assert_eq!(found.role, None);
    let expected = WebIdentity { provider_id: "github".to_owned(), token_file: "/token".into(), role };
    assert!(matches!(&found.source, Source::WebIdentity(found) if *found == expected), "{found:?}");
    options.role = None;
    assert!(set(&IN_ENVIRONMENT).error(&options).contains("--assume-role is not"));
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_reported() {
    use std::os::unix::fs::PermissionsExt as _;
    let setup = file(SDK, ini("default"));
    assert_eq!(setup.found().open_to_others, None);
    let path = setup.path(SDK);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(setup.found().open_to_others, Some(path));
}

#[test]
fn debug_shows_a_shortened_id_and_no_secret() {
    let credentials = |id: &str| Credentials {
        secret_id: id.to_owned(),
        secret_key: SECRET.into(),
        token: Some("tokentoken".into()),
    };
    let shown = format!("{:?}", credentials("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"));
    assert_eq!(shown, r#"Credentials { secret_id: "AKID…MPLE", .. }"#);
    assert_eq!(credentials("short").short_id(), "…");
}
