use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::*;
use crate::cloud::tencent::issuer::{Role, WebIdentity};

const ROLE: &str = "qcs::cam::uin/1:roleName/deploy";
const SECRET: &str = "hunter2hunter2";

/// A home, and the variables around it.
struct Around {
    home: tempfile::TempDir,
    variables: HashMap<&'static str, String>,
}

impl Around {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), variables: HashMap::new() }
    }

    fn set(mut self, name: &'static str, value: &str) -> Self {
        self.variables.insert(name, value.to_owned());
        self
    }

    fn file(self, name: &str, content: &str) -> Self {
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

    fn find(&self, wishes: &Wishes) -> Result<Chain, CredentialsError> {
        let around = CredentialContext {
            variable: &|name| self.variables.get(name).cloned(),
            home: Some(self.home.path().to_owned()),
            now: Timestamp::from_second(1_600_000_000).unwrap(),
        };
        Chain::find(wishes, &around)
    }

    fn found(&self) -> Chain {
        self.find(&Wishes::default()).unwrap()
    }

    /// What is wrong, in words; none of them a secret.
    fn wrong(&self, wishes: &Wishes) -> String {
        let error = self.find(wishes).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hunter2"), "{text}");
        assert!(error.text().is_in_both());
        text
    }
}

fn with_keys(around: Around) -> Around {
    around.set("TENCENTCLOUD_SECRET_ID", "env-id").set("TENCENTCLOUD_SECRET_KEY", SECRET)
}

fn ini(name: &str) -> String {
    format!("[{name}]\nsecret_id = {name}-id\nsecret_key = {SECRET}\n")
}

fn json(more: &str) -> String {
    format!(r#"{{"secretId":"tccli-id","secretKey":"{SECRET}"{more}}}"#)
}

/// The source's name and the key's id.
fn told(chain: &Chain) -> (&'static str, Option<&str>) {
    let id = match &chain.source {
        Source::Environment { key, .. } | Source::Profile { key, .. } | Source::Tccli { key, .. } => {
            assert_eq!(key.secret_key.expose_secret(), SECRET);
            Some(key.secret_id.as_str())
        }
        Source::WebIdentity(_) | Source::Machine { .. } => None,
    };
    assert!(chain.source.text().is_in_both() || chain.source.name() == "cvm-role");
    (chain.source.name(), id)
}

const SDK: &str = ".tencentcloud/credentials";
const TCCLI: &str = ".tccli/default.credential";

#[test]
fn the_first_place_that_has_a_key_wins() {
    let all = || {
        with_keys(Around::new())
            .file(SDK, &ini("default"))
            .file(TCCLI, &json(""))
            .set("TKE_ROLE_ARN", ROLE)
            .set("TKE_PROVIDER_ID", "p")
            .set("TKE_WEB_IDENTITY_TOKEN_FILE", "/token")
    };
    assert_eq!(told(&all().found()), ("environment", Some("env-id")));
    let mut next = all();
    next.variables.remove("TENCENTCLOUD_SECRET_ID");
    next.variables.remove("TENCENTCLOUD_SECRET_KEY");
    assert_eq!(told(&next.found()), ("profile", Some("default-id")));
    fs::remove_file(next.path(SDK)).unwrap();
    assert_eq!(told(&next.found()), ("tccli", Some("tccli-id")));
    fs::remove_file(next.path(TCCLI)).unwrap();
    assert_eq!(told(&next.found()), ("web-identity", None));
    next.variables.clear();
    let nothing = next.found();
    assert_eq!(told(&nothing), ("cvm-role", None));
    // Each place that was looked at is named for whoever finds nothing.
    assert_eq!(nothing.looked.len(), 4, "{:?}", nothing.looked);
}

#[test]
fn what_is_asked_for_by_name_goes_before_everything() {
    let around = with_keys(Around::new())
        .file(SDK, &(ini("default") + &ini("prod")))
        .file(".tccli/staging.credential", &json(""));
    let of = |name: &str| Wishes { profile: Some(name.to_owned()), ..Wishes::default() };
    let prod = around.find(&of("prod")).unwrap();
    assert_eq!(told(&prod), ("profile", Some("prod-id")));
    let staging = around.find(&of("staging")).unwrap();
    assert_eq!(told(&staging), ("tccli", Some("tccli-id")));
    let wrong = around.wrong(&of("nobody"));
    assert!(wrong.contains("no profile `nobody`"), "{wrong}");
    assert!(wrong.contains("nobody.credential"), "{wrong}");
    let machine = Wishes { machine: Some(Some("web".to_owned())), ..Wishes::default() };
    let found = around.find(&machine).unwrap().source;
    assert!(
        matches!(&found, Source::Machine { role: Some(role), is_asked_for: true } if role == "web"),
        "{found:?}"
    );
}

#[test]
fn variables_choose_a_profile_where_the_environment_has_no_key() {
    let around =
        Around::new().file(SDK, &(ini("default") + &ini("prod"))).set("TENCENTCLOUD_PROFILE", "prod");
    assert_eq!(told(&around.found()), ("profile", Some("prod-id")));
    let around = with_keys(around);
    assert_eq!(told(&around.found()), ("environment", Some("env-id")));
    // Either name is for either place, and no other profile is taken for the one that was chosen.
    for name in ["TCCLI_PROFILE", "TENCENTCLOUD_PROFILE"] {
        let around = Around::new()
            .file(SDK, &ini("default"))
            .file(TCCLI, &json(""))
            .file(".tccli/ci.credential", &json(""));
        let found = around.set(name, "ci").found();
        assert!(matches!(&found.source, Source::Tccli { name, .. } if name == "ci"), "{found:?}");
        let around = Around::new().file(SDK, &ini("default")).file(TCCLI, &json(""));
        let wrong = around.set(name, "gone").wrong(&Wishes::default());
        assert!(wrong.contains("no profile `gone`"), "{wrong}");
    }
    let both = Around::new().set("TCCLI_PROFILE", "a").set("TENCENTCLOUD_PROFILE", "b");
    let wrong = both.wrong(&Wishes::default());
    assert!(wrong.contains("both set and differ"), "{wrong}");
    let outside = Around::new().file("x.credential", &json(""));
    let wrong = outside.set("TCCLI_PROFILE", "../x").wrong(&Wishes::default());
    assert!(wrong.contains("a name, not a path"), "{wrong}");
    let file = Around::new().file("elsewhere", &ini("default"));
    let path = file.path("elsewhere").display().to_string();
    let file = file.set("TENCENTCLOUD_CREDENTIALS_FILE", &path);
    assert_eq!(told(&file.found()), ("profile", Some("default-id")));
    let gone = Around::new().set("TENCENTCLOUD_CREDENTIALS_FILE", "/not/there");
    let wrong = gone.wrong(&Wishes::default());
    assert!(wrong.contains("/not/there"), "{wrong}");
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let mut others = Around::new().file(SDK, &ini("default"));
    for name in [
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
        "TENCENTCLOUD_SECRET_ID",
        "TENCENTCLOUD_SECRET_KEY",
        "TENCENTCLOUD_SECRETID",
        "TENCENTCLOUD_SECRETKEY",
        "TENCENTCLOUD_TOKEN",
        "TENCENTCLOUD_SECURITY_TOKEN",
        "TENCENTCLOUD_SESSION_TOKEN",
        "TENCENTCLOUD_SESSIONTOKEN",
        "TKE_ROLE_ARN",
        "TKE_PROVIDER_ID",
        "TKE_WEB_IDENTITY_TOKEN_FILE",
    ] {
        others = others.set(name, "");
    }
    let found = others.found();
    assert_eq!(told(&found), ("profile", Some("default-id")));
    assert!(found.role.is_none());
    let found = with_keys(others).found();
    assert_eq!(told(&found), ("environment", Some("env-id")));
    assert!(found.role.is_none());
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
        (SDK, utf16(&ini("default")), "it is not UTF-8 text"),
        (SDK, utf16(&ini("default"))[2..].to_vec(), "it is not UTF-8 text"),
        (SDK, b"[default]\nsecret_id = \xff\n".to_vec(), "it is not UTF-8 text"),
        (SDK, no_section.into_bytes(), "it is not in INI form"),
        (SDK, json("").into_bytes(), "it is not in INI form"),
        (
            SDK,
            format!("{{\n  \"default\": {{\n    \"secretKey\": \"{SECRET}\"\n  }}\n}}\n").into(),
            "it is not in INI form",
        ),
        (SDK, ini("Default").into_bytes(), "no profile `default`"),
        (SDK, Vec::new(), "no profile `default`"),
        (SDK, b"[default]\n".to_vec(), "has no secret_id"),
        (TCCLI, utf16(&json("")), "default.credential:1:1"),
        (TCCLI, ini("default").into_bytes(), "default.credential:1:"),
        (TCCLI, Vec::new(), "default.credential:1:"),
        (TCCLI, b"null".to_vec(), "default.credential:1:"),
        (TCCLI, b"[]".to_vec(), "default.credential:1:"),
        (TCCLI, b"{}".to_vec(), "has no secretId"),
        (TCCLI, format!("{{\"SecretId\":\"i\",\"SecretKey\":\"{SECRET}\"}}").into(), "has no secretId"),
        (TCCLI, json(r#","token":" t""#).into_bytes(), "holds white space"),
    ];
    for (name, bytes, expected) in table {
        let around = Around::new()
            .set("TKE_ROLE_ARN", ROLE)
            .set("TKE_PROVIDER_ID", "p")
            .set("TKE_WEB_IDENTITY_TOKEN_FILE", "/token");
        let around = if name == SDK { around.file(TCCLI, &json("")) } else { around };
        let around = around.file(name, "");
        fs::write(around.path(name), &bytes).unwrap();
        let wrong = around.wrong(&Wishes::default());
        assert!(wrong.contains(expected), "{expected}: {wrong}");
        assert!(wrong.contains(name), "{wrong}");
    }
    for name in [SDK, TCCLI] {
        let around = Around::new().file(TCCLI, &json(""));
        let _ = fs::remove_file(around.path(name));
        fs::create_dir_all(around.path(name)).unwrap();
        let wrong = around.find(&Wishes::default()).unwrap_err().to_string();
        assert!(wrong.contains(name), "{wrong}");
        #[cfg(unix)]
        {
            fs::remove_dir(around.path(name)).unwrap();
            std::os::unix::fs::symlink("nowhere", around.path(name)).unwrap();
            let wrong = around.find(&Wishes::default()).unwrap_err().to_string();
            assert!(wrong.contains(name), "{wrong}");
        }
    }
}

#[test]
fn a_profile_is_a_name_and_no_path() {
    let around = Around::new()
        .file("x.credential", &json(""))
        .file(".tccli/sub/x.credential", &json(""))
        .file(SDK, &ini("../x"));
    for name in ["../x", "../../x", "sub/x", "sub\\x", "..", "/x"] {
        let wishes = Wishes { profile: Some(name.to_owned()), ..Wishes::default() };
        let wrong = around.wrong(&wishes);
        assert!(wrong.contains("a name, not a path"), "{name}: {wrong}");
    }
}

#[test]
fn half_a_key_is_an_error_that_names_the_other_half() {
    let half_ini = format!("[default]\nsecret_key = {SECRET}\n");
    let half_json = format!(r#"{{"secretKey":"{SECRET}"}}"#);
    let table = [
        (
            Around::new().set("TENCENTCLOUD_SECRET_ID", SECRET).file(SDK, &ini("default")),
            "TENCENTCLOUD_SECRET_KEY is not",
        ),
        (Around::new().file(SDK, &half_ini), "credentials has no secret_id"),
        (Around::new().file(TCCLI, &half_json), "default.credential has no secretId"),
        (Around::new().set("TKE_ROLE_ARN", ROLE), "TKE_PROVIDER_ID is not"),
        (Around::new().file(SDK, &format!("[default\nsecret_key = {SECRET}\n")), "credentials:1:1"),
        (Around::new().file(TCCLI, &format!("{{\"secretKey\": {SECRET}")), "default.credential:1:"),
        (
            Around::new().file(SDK, &format!("[default]\nsecret_id = i\nsecret_key = {SECRET} x\n")),
            "holds white space",
        ),
        (
            Around::new().file(SDK, &(ini("default") + "SECRET_ID = another\n")),
            "[default] or a member of it stands here a second time",
        ),
    ];
    for (around, expected) in table {
        let wrong = around.wrong(&Wishes::default());
        assert!(wrong.contains(expected), "{wrong}");
    }
}

#[test]
fn files_are_read_as_the_vendors_tools_read_them() {
    let quoted = format!(
        "\u{feff}; mine\n[default]\r\nSecret_Id: \"quoted-id\"\r\nsecret_key='{SECRET}'\r\ntoken = tok\n\n[other]\nsecret_id=x\n"
    );
    let found = Around::new().file(SDK, &quoted).found();
    assert_eq!(told(&found), ("profile", Some("quoted-id")));
    let Source::Profile { key, .. } = found.source else {
        panic!("{:?}", found.source);
    };
    assert_eq!(key.token.unwrap().expose_secret(), "tok");
}

#[test]
fn a_log_in_of_tccli_lasts_until_its_end() {
    let at = |seconds: i64| {
        let more = format!(r#","token":"t","type":"oauth","expiresAt":{seconds}"#);
        Around::new().file(TCCLI, &json(&more))
    };
    let found = at(1_600_000_001).found();
    assert!(matches!(found.source, Source::Tccli { is_login: true, .. }));
    let wrong = at(1_600_000_000).wrong(&Wishes::default());
    assert!(wrong.contains("log in again with tccli"), "{wrong}");
    let machine = Around::new().file(TCCLI, r#"{"type":"cvm-role"}"#).found();
    assert_eq!(told(&machine), ("cvm-role", None));
    // A key that has no end is none that ends.
    let more = r#","type":"default","expiresAt":1"#;
    assert_eq!(told(&Around::new().file(TCCLI, &json(more)).found()), ("tccli", Some("tccli-id")));
}

#[test]
fn a_role_may_stand_on_top_of_any() {
    let arn = |chain: Chain| chain.role.map(|role| (role.arn, role.session_name));
    let expected = |session: &str| Some((ROLE.to_owned(), session.to_owned()));
    let around = with_keys(Around::new()).set("TENCENTCLOUD_ROLE_ARN", ROLE);
    assert_eq!(arn(around.found()), expected("postpay"));
    let around = around.set("TENCENTCLOUD_ROLE_SESSION_NAME", "ci");
    assert_eq!(arn(around.found()), expected("ci"));
    // tccli's name is for the environment's key alone, Terraform's for any.
    let around = Around::new().file(SDK, &ini("default"));
    let around = around.set("TENCENTCLOUD_ROLE_ARN", ROLE);
    assert_eq!(arn(around.found()), None);
    let around = around.set("TENCENTCLOUD_ASSUME_ROLE_ARN", ROLE);
    let around = around.set("TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION", "900");
    let role = around.found().role.unwrap();
    assert_eq!(role.duration, Some(Duration::from_secs(900)));
    let own = format!("{}role_arn = {ROLE}\n", ini("default"));
    assert_eq!(arn(Around::new().file(SDK, &own).found()), expected("postpay"));
    let own = json(&format!(r#","role-arn":"{ROLE}","role-session-name":"x1""#));
    assert_eq!(arn(Around::new().file(TCCLI, &own).found()), expected("x1"));
    let flag = Wishes {
        role: Some(AssumeRoleConfig {
            arn: "qcs::cam::uin/2:roleName/other".to_owned(),
            external_id: Some("e".to_owned()),
            ..AssumeRoleConfig::default()
        }),
        ..Wishes::default()
    };
    let found = Around::new().file(TCCLI, &own).find(&flag).unwrap();
    assert_eq!(found.role.unwrap().arn, "qcs::cam::uin/2:roleName/other");
    let conflict = with_keys(Around::new())
        .set("TENCENTCLOUD_ROLE_ARN", ROLE)
        .set("TENCENTCLOUD_ASSUME_ROLE_ARN", "qcs::cam::uin/2:roleName/x");
    let wrong = conflict.wrong(&Wishes::default());
    assert!(wrong.contains("both set and differ"), "{wrong}");
}

#[test]
fn what_can_be_no_role_is_refused_before_anything_is_sent() {
    let wish = |arn: &str, session: Option<&str>, duration| Wishes {
        role: Some(AssumeRoleConfig {
            arn: arn.to_owned(),
            session_name: session.map(str::to_owned),
            duration,
            external_id: None,
        }),
        ..Wishes::default()
    };
    let around = with_keys(Around::new());
    let table = [
        (wish("deploy", None, None), "--assume-role: `deploy` is not a role ARN"),
        (wish("qcs::cam::uin/1:rolename/x", None, None), "is not a role ARN"),
        (wish("qcs::cam::uin/x:roleName/x", None, None), "is not a role ARN"),
        (wish("qcs::cam::uin/1:roleName/", None, None), "is not a role ARN"),
        (wish(ROLE, Some("x"), None), "2 to 128"),
        (wish(ROLE, Some("a b"), None), "2 to 128"),
        (wish(ROLE, None, Some(Duration::from_secs(43_201))), "up to 12h"),
        (wish(ROLE, None, Some(Duration::ZERO)), "up to 12h"),
    ];
    for (wishes, expected) in table {
        let wrong = around.wrong(&wishes);
        assert!(wrong.contains(expected), "{wrong}");
    }
    // By its number too, and told where it stands.
    let by_number = wish("qcs::cam::uin/1:role/4611686018427397919", None, None);
    assert!(around.find(&by_number).is_ok());
    let in_file = ini("default") + "role_arn = deploy\n";
    let wrong = Around::new().file(SDK, &in_file).wrong(&Wishes::default());
    assert!(wrong.contains("role_arn of [default] in "), "{wrong}");
}

#[test]
fn another_system_may_vouch_for_a_role() {
    let wishes = Wishes {
        web_identity: Some(("github".to_owned(), "/token".into())),
        role: Some(AssumeRoleConfig { arn: ROLE.to_owned(), ..AssumeRoleConfig::default() }),
        ..Wishes::default()
    };
    let found = with_keys(Around::new()).find(&wishes).unwrap();
    assert!(found.role.is_none(), "it is taken with the token, once");
    let Source::WebIdentity(WebIdentity { provider_id, token_file, role: Role { arn, .. } }) = found.source
    else {
        panic!("{:?}", found.source);
    };
    assert_eq!(
        (provider_id.as_str(), token_file.as_path(), arn.as_str()),
        ("github", Path::new("/token"), ROLE)
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let around = Around::new().file(SDK, &ini("default"));
    assert_eq!(around.found().open_to_others, None);
    let path = around.path(SDK);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(around.found().open_to_others, Some(path));
}

#[test]
fn debug_shows_a_shortened_id_and_no_secret() {
    let key = |id: &str| Credentials {
        secret_id: id.to_owned(),
        secret_key: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE".into(),
        token: Some("tokentoken".into()),
    };
    assert_eq!(
        format!("{:?}", key("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE")),
        r#"Credentials { secret_id: "AKID…MPLE", secret_key: "…", token: Some("…") }"#
    );
    assert_eq!(key("short").short_id(), "…");
}

#[test]
fn every_error_is_told_in_both_languages() {
    let name = || "TENCENTCLOUD_SECRET_ID".to_owned();
    let file = || PathBuf::from("/home/u/.tencentcloud/credentials");
    for error in [
        CredentialsError::Absent { looked: vec![text!("environment", "环境变量")] },
        CredentialsError::Incomplete { found: name(), missing: name() },
        CredentialsError::Missing { place: name(), name: name() },
        CredentialsError::WhiteSpace { name: name() },
        CredentialsError::Characters { name: name() },
        CredentialsError::Conflict { one: "A", other: "B" },
        CredentialsError::File { file: file(), why: text!("no", "否") },
        CredentialsError::Malformed { file: file(), line: 1, column: 2 },
        CredentialsError::NoProfile { name: name(), looked: vec![file()], known: Vec::new() },
        CredentialsError::Unfit { name: name(), why: text!("no", "否") },
        CredentialsError::Ended { file: file(), profile: name() },
    ] {
        assert!(error.text().is_in_both(), "{error}");
    }
}

#[test]
fn a_file_that_was_named_is_the_only_place() {
    let around = Around::new().file("named", &ini("work")).file(TCCLI, &json("tccli-id"));
    let path = around.path("named").display().to_string();
    let around = around.set("TENCENTCLOUD_CREDENTIALS_FILE", &path);
    let error = around.find(&Wishes::default()).unwrap_err();
    let CredentialsError::NoProfile { name, known, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!((name.as_str(), known), ("default", vec!["work".to_owned()]));
}

#[test]
fn two_keys_in_one_section_are_not_mixed() {
    for twice in [
        ini("default") + "secret_id = another\n",
        ini("default") + &ini("other") + "[default]\nsecret_id = another\n",
        ini("default") + "Secret_Key: another\n",
    ] {
        let wrong = Around::new().file(SDK, &twice).wrong(&Wishes::default());
        assert!(wrong.contains("a second time"), "{wrong}");
    }
    let fine = ini("default") + "; secret_id = old\n[other]\nsecret_id = x\n[other]\n";
    assert_eq!(told(&Around::new().file(SDK, &fine).found()).0, "profile");
}

#[test]
fn what_is_no_small_file_is_read_no_further() {
    let around = Around::new().file(SDK, &"x".repeat(2 << 20));
    let error = around.find(&Wishes::default()).unwrap_err();
    assert!(error.to_string().contains("it is larger than 1 MiB"), "{error}");
}

#[test]
fn a_log_in_may_count_in_milliseconds_and_begin_with_a_mark() {
    let text = format!(
        "\u{feff}{{\"type\":\"sso\",\"secretId\":\"i\",\"secretKey\":\"{SECRET}\",\"expiresAt\":1600000000000,\"sso\":{{\"uin\":1}}}}"
    );
    let wrong = Around::new().file(TCCLI, &text).wrong(&Wishes::default());
    assert!(wrong.contains("has ended"), "{wrong}");
}

#[test]
fn a_profile_may_have_any_name() {
    for name in ["生产", "my prof"] {
        let around = Around::new()
            .file(SDK, &ini("x").replace("[x]", &format!("[{name}]")))
            .set("TCCLI_PROFILE", name);
        assert_eq!(told(&around.found()).0, "profile", "{name}");
        let other = around.set("TENCENTCLOUD_PROFILE", "other");
        let wrong = other.wrong(&Wishes::default());
        assert!(wrong.contains("both set and differ"), "{wrong}");
    }
}
