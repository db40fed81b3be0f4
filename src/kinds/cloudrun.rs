//! `CreateCloudRunEnv` of tcbr 2022-02-17 (page 1243/75707): CloudRun on an environment that exists.

use crate::model::kind::{Api, Equality, FieldSpec, Kind, Null, Role, Rule, Shape};

pub static KIND: Kind = Kind {
    name: "cloudrun",
    api: Api { service: "tcbr", version: "2022-02-17" },
    action: "CreateCloudRunEnv",
    fields: FIELDS,
    rules: RULES,
    codes: &[],
    reads_offers: false,
    returns_tran_id: false,
    request_key: Some("ReqKey"),
    shares_env_id: true,
    look: Some("DescribeEnvBaseInfo"),
    pay_mode: None,
};

const FIELDS: &[FieldSpec] = &[
    FieldSpec {
        null: Null::IsError,
        role: Some(Role::Inside),
        examples: &["shop-prod-1a2b3c"],
        ..FieldSpec::new("env_id", "EnvId", Shape::Id, "EnvId: the existing environment to open CloudRun on.")
    },
    FieldSpec {
        null: Null::IsError,
        examples: &["shop"],
        ..FieldSpec::new(
            "env",
            "EnvId",
            Shape::Reference,
            "The address of the environment to open CloudRun on, instead of `env_id`. It is declared earlier.",
        )
    },
    FieldSpec {
        values: PACKAGES,
        code: "invalid-package-type",
        null: Null::Required,
        ..FieldSpec::new("package_type", "PackageType", Shape::Id, "PackageType: the level of CloudRun.")
    },
    FieldSpec {
        code: "invalid-alias",
        ..FieldSpec::new(
            "alias",
            "Alias",
            Shape::Alias,
            "Alias: a name of CloudRun that starts with a-z and holds a-z, 0-9 and `-`.",
        )
    },
    FieldSpec {
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
        equality: Equality::IgnoreCase,
        values: &["QuickStart", "Activity"],
        open: true,
        code: "unknown-flag",
        ..FieldSpec::new(
            "flag",
            "Flag",
            Shape::Text,
            "Flag: a mark on the order; compared without regard to case.",
        )
    },
    FieldSpec::new("vpc_id", "VpcId", Shape::Id, "VpcId: the network to use. Goes with `subnet_ids`."),
    FieldSpec::new(
        "subnet_ids",
        "SubNetIds",
        Shape::List,
        "SubNetIds: subnets of the network. Go with `vpc_id`.",
    ),
    FieldSpec {
        values: SOURCES,
        code: "invalid-source",
        ..FieldSpec::new("source", "Source", Shape::Id, "Source: where the request comes from.")
    },
    FieldSpec {
        values: SOURCES,
        code: "invalid-channel",
        ..FieldSpec::new("channel", "Channel", Shape::Id, "Channel: through what the request comes.")
    },
    FieldSpec {
        values: &["baas"],
        open: true,
        code: "unknown-env-type",
        ..FieldSpec::new(
            "env_type",
            "EnvType",
            Shape::Id,
            "EnvType: not documented; Tencent Cloud's own tools send `baas`. Left out unless it is set.",
        )
    },
];

const PACKAGES: &[&str] = &["Trial", "Standard", "Professional", "Enterprise"];
const SOURCES: &[&str] = &["wechat", "cloud", "weda"];

const RULES: &[Rule] = &[
    // "云开发平台必填"
    Rule::OneOf { code: "missing-environment", fields: ["env_id", "env"] },
    Rule::Together { code: "unpaired-network", fields: ["vpc_id", "subnet_ids"] },
];
