//! `CreatePostpayPackage` of tcb 2018-06-08 (page 876/45287): a pay-as-you-go environment.

use crate::i18n::Text;
use crate::model::kind::{Api, Code, Equality, Field, FieldSpec, Kind, Null, Role, Rule, Shape, Update};

pub static KIND: Kind = Kind {
    name: "postpay",
    api: Api { service: "tcb", version: "2018-06-08" },
    action: "CreatePostpayPackage",
    fields: FIELDS,
    rules: RULES,
    codes: CODES,
    reads_offers: false,
    returns_tran_id: true,
    request_key: None,
    shares_env_id: false,
    look: None,
    pay_mode: Some("postpaid"),
};

/// In the order of the API's page.
const FIELDS: &[FieldSpec] = &[
    FieldSpec {
        role: Some(Role::EnvId),
        null: Null::IsError,
        examples: &["cdnheader-v2a"],
        ..FieldSpec::new(
            "env_id",
            "EnvId",
            Shape::Id,
            "EnvId: the environment to switch to pay-as-you-go. Leave it out to have one created.",
        )
    },
    FieldSpec {
        examples: &["wxxjklfjdkld"],
        ..FieldSpec::new(
            "wx_app_id",
            "WxAppId",
            Shape::Id,
            "WxAppId: the WeChat AppId. Required when `source` or `env_source` is `miniapp`.",
        )
    },
    FieldSpec {
        role: Some(Role::PaymentChannel),
        values: SOURCES,
        open: true,
        code: "unknown-source",
        examples: &["qcloud", "miniapp"],
        ..FieldSpec::new(
            "source",
            "Source",
            Shape::Id,
            "Source: where the payment comes from: `miniapp` or `qcloud`.",
        )
    },
    FieldSpec {
        role: Some(Role::FreeQuota),
        values: &["basic"],
        code: "invalid-free-quota",
        empty_is_none: true,
        ..FieldSpec::new(
            "free_quota",
            "FreeQuota",
            Shape::Text,
            "FreeQuota: the level of free quota. Only `basic` exists; without it there is none.",
        )
    },
    FieldSpec {
        role: Some(Role::Source),
        values: SOURCES,
        code: "invalid-env-source",
        ..FieldSpec::new(
            "env_source",
            "EnvSource",
            Shape::Text,
            "EnvSource: who creates the environment. Goes with `channel`; required without `env_id` and `import`.",
        )
    },
    FieldSpec {
        role: Some(Role::Channel),
        ..FieldSpec::new(
            "channel",
            "Channel",
            Shape::Text,
            "Channel: with `env_source: miniapp` ide or api; with `env_source: qcloud` qc_console, cocos, qq, cloudgame, dcloud \
             or serverless_framework. Goes with `env_source`.",
        )
    },
    FieldSpec {
        role: Some(Role::Alias),
        update: Update::InPlace { action: "ModifyEnv" },
        code: "invalid-alias",
        // The console takes 20; the page gives no limit.
        longest: Some(20),
        help: &[Text::fixed("for any other name, use `env_alias`")],
        examples: &["env-alias"],
        ..FieldSpec::new(
            "alias",
            "Alias",
            Shape::Alias,
            "Alias: starts with a-z, holds a-z, 0-9 and `-`; best at most 20 characters. Unique among the environments that are \
             created.",
        )
    },
    FieldSpec {
        role: Some(Role::ExtensionId),
        ..FieldSpec::new("extension_id", "ExtensionId", Shape::Id, "ExtensionId: the id of an extension.")
    },
    FieldSpec {
        role: Some(Role::Flag),
        equality: Equality::IgnoreCase,
        examples: &["Activity"],
        ..FieldSpec::new(
            "flag",
            "Flag",
            Shape::Text,
            "Flag: a mark on the order; compared without regard to case.",
        )
    },
    FieldSpec {
        role: Some(Role::EnvAlias),
        examples: &["my-env"],
        ..FieldSpec::new(
            "env_alias",
            "EnvAlias",
            Shape::Text,
            "EnvAlias: a name for people, of any characters.",
        )
    },
    FieldSpec {
        equality: Equality::Members,
        ..FieldSpec::new(
            "extra",
            "Extra",
            Shape::Json,
            "Extra: custom data that is passed through: a string, or a mapping that is sent as compact JSON with its keys sorted. \
             A mapping replaces a default as a whole.",
        )
    },
];

const SOURCES: &[&str] = &["miniapp", "qcloud"];

/// Each quotation is from the API's page.
const RULES: &[Rule] = &[
    // "同时传，或者同时不传"
    Rule::Together { code: "unpaired-env-source", fields: ["env_source", "channel"] },
    // "EnvId 为空时必传"
    Rule::NeededToCreate { code: "missing-env-source", field: "env_source" },
    Rule::Depends {
        code: "invalid-channel",
        field: "channel",
        by: "env_source",
        values: &[
            ("miniapp", &["ide", "api"]),
            ("qcloud", &["qc_console", "cocos", "qq", "cloudgame", "dcloud", "serverless_framework"]),
        ],
    },
    // "微信必传"
    Rule::NeededWhen {
        code: "missing-wx-app-id",
        field: "wx_app_id",
        when: &[("env_source", "miniapp"), ("source", "miniapp")],
    },
];

const CODES: &[Code] = &[
    Code {
        code: "ResourceUnavailable.BalanceNotEnough",
        ends_run: true,
        help: Text::fixed("Top up at https://console.cloud.tencent.com/expense/recharge, then apply again."),
    },
    Code { code: "ResourcesSoldOut.PostpayPackageNotAvailable", ends_run: true, help: NOT_OFFERED },
    Code { code: "ActionOffline", ends_run: true, help: NOT_OFFERED },
    Code { code: "InvalidAction", ends_run: true, help: NOT_OFFERED },
];

/// The action left the public API on 2026-03-02.
const NOT_OFFERED: Text = Text::fixed(
    "Tencent Cloud no longer sells `kind: postpay` to this account. Use `kind: package`: `postpay generate --kind package` writes the manifest. Existing environments are not affected.",
);

pub const ENV_ID: Field = Field::by_name(&KIND, "env_id");
pub const WX_APP_ID: Field = Field::by_name(&KIND, "wx_app_id");
pub const SOURCE: Field = Field::by_name(&KIND, "source");
pub const FREE_QUOTA: Field = Field::by_name(&KIND, "free_quota");
pub const ENV_SOURCE: Field = Field::by_name(&KIND, "env_source");
pub const CHANNEL: Field = Field::by_name(&KIND, "channel");
pub const ALIAS: Field = Field::by_name(&KIND, "alias");
pub const EXTENSION_ID: Field = Field::by_name(&KIND, "extension_id");
pub const FLAG: Field = Field::by_name(&KIND, "flag");
pub const ENV_ALIAS: Field = Field::by_name(&KIND, "env_alias");
pub const EXTRA: Field = Field::by_name(&KIND, "extra");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kind::Value;

    #[test]
    fn flag_ignores_case_and_extra_compares_members() {
        let same = |field: Field, a: &str, b: &str| field.same(&Value::from(a), &Value::from(b));
        assert!(same(FLAG, "QuickStart", "quickstart"));
        assert!(!same(ENV_ALIAS, "Shop", "shop"));
        assert!(same(EXTRA, r#"{"a":1,"b":[1,2]}"#, r#"{ "b": [1, 2], "a": 1 }"#));
        assert!(!same(EXTRA, r#"{"a":1}"#, r#"{"a":"1"}"#));
        assert!(!same(EXTRA, r#"{"b":[1,2]}"#, r#"{"b":[2,1]}"#));
        assert!(!same(EXTRA, "a text", "a  text"), "only objects have members");
    }
}
