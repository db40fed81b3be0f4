//! `CreateEnv` of tcb 2018-06-08 (page 876/128592): an environment with a monthly package, whose further use can be billed by
//! use.

use crate::i18n::Text;
use crate::model::kind::{Api, Code, Encoding, FieldSpec, Kind, Null, Role, Rule, Shape, Update};

pub static KIND: Kind = Kind {
    name: "package",
    api: Api { service: "tcb", version: "2018-06-08" },
    action: "CreateEnv",
    fields: FIELDS,
    rules: RULES,
    codes: CODES,
    reads_offers: true,
    returns_tran_id: false,
    request_key: None,
    shares_env_id: false,
    look: None,
    pay_mode: Some("prepayment"),
};

/// In the order of the API's page.
const FIELDS: &[FieldSpec] = &[
    FieldSpec {
        role: Some(Role::Alias),
        update: Update::InPlace { action: "ModifyEnv" },
        code: "invalid-alias",
        null: Null::Required,
        max: Some(20),
        examples: &["shop-next"],
        ..FieldSpec::new(
            "alias",
            "Alias",
            Shape::Words,
            "Alias: words of a-z and 0-9 with single `-` between them, at most 20 characters. Unique among the environments that \
             are created.",
        )
    },
    FieldSpec {
        role: Some(Role::Package),
        values: &[
            "baas_personal",
            "baas_integration",
            "baas_pf_standard",
            "baas_pf_enterprise",
            "baas_pf_enterprise_senior",
        ],
        open: true,
        code: "unknown-package",
        null: Null::Required,
        examples: &["baas_personal"],
        ..FieldSpec::new("package", "PackageId", Shape::Id, "PackageId: the package to buy.")
    },
    FieldSpec {
        values: &["flexdb", "storage", "function", "postgresql"],
        code: "invalid-resource",
        null: Null::Required,
        ..FieldSpec::new(
            "resources",
            "Resources",
            Shape::List,
            "Resources: what the environment has: `storage`, `function`, `postgresql` or `flexdb`.",
        )
    },
    FieldSpec {
        values: &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "24"],
        role: Some(Role::Period),
        code: "invalid-period",
        ..FieldSpec::new(
            "period",
            "Period",
            Shape::Integer,
            "Period: for how many months to buy it. 1 when left out.",
        )
    },
    FieldSpec::new(
        "auto_voucher",
        "AutoVoucher",
        Shape::Bool,
        "AutoVoucher: whether vouchers of the account are used to pay.",
    ),
    FieldSpec {
        encoding: Encoding::Pairs,
        role: Some(Role::Tags),
        ..FieldSpec::new(
            "tags",
            "Tags",
            Shape::Map,
            "Tags: values by tag key. The values must exist in the account.",
        )
    },
    FieldSpec {
        encoding: Encoding::Words { yes: "NOTIFY_AND_AUTO_RENEW", no: "NOTIFY_AND_MANUAL_RENEW" },
        role: Some(Role::AutoRenew),
        ..FieldSpec::new(
            "auto_renew",
            "RenewFlag",
            Shape::Bool,
            "RenewFlag: whether the package is renewed by itself when it expires. False when left out.",
        )
    },
    FieldSpec {
        code: "invalid-storage",
        members: STORAGE,
        ..FieldSpec::new(
            "storage",
            "ExternalStorage",
            Shape::Object,
            "ExternalStorage: a bucket of the account to store files in. Needs `storage` in `resources`.",
        )
    },
    FieldSpec {
        encoding: Encoding::Words { yes: "TRUE", no: "FALSE" },
        role: Some(Role::Overrun),
        update: Update::InPlace { action: "ModifyEnvExtra" },
        default: Some(true),
        ..FieldSpec::new(
            "overrun",
            "EnableOverrun",
            Shape::Bool,
            "EnableOverrun: whether use beyond the package is billed by use, without a limit. Without it the environment stops when \
             the package is used up.",
        )
    },
    FieldSpec {
        role: Some(Role::Region),
        // Tencent Cloud's own tools offer these.
        values: &["ap-shanghai", "ap-guangzhou", "ap-singapore"],
        open: true,
        code: "unknown-region",
        examples: &["ap-shanghai"],
        ..FieldSpec::new(
            "region",
            "X-TC-Region",
            Shape::Id,
            "The region to create it in, instead of `api.region`. It is sent as the header X-TC-Region.",
        )
    },
];

const STORAGE: &[FieldSpec] = &[
    FieldSpec {
        null: Null::Required,
        ..FieldSpec::new("bucket", "BucketName", Shape::Id, "BucketName: the name of the bucket.")
    },
    FieldSpec {
        null: Null::Required,
        ..FieldSpec::new("region", "Region", Shape::Id, "Region: the region of the bucket.")
    },
    FieldSpec {
        null: Null::Required,
        ..FieldSpec::new(
            "base_path",
            "BasePath",
            Shape::Text,
            "BasePath: the folder in the bucket. Each environment needs its own.",
        )
    },
    FieldSpec {
        default: Some(true),
        ..FieldSpec::new(
            "enabled",
            "Enabled",
            Shape::Bool,
            "Enabled: whether it is used. True when left out.",
        )
    },
];

const RULES: &[Rule] = &[
    // Without it, "CreateEnv 会静默忽略 ExternalStorage".
    Rule::NeedsItem {
        code: "storage-without-resource",
        field: "storage",
        list: "resources",
        item: "storage",
    },
    Rule::Distinct { code: "duplicate-base-path", field: "storage", members: ["bucket", "base_path"] },
    Rule::Discouraged {
        code: "resource-not-offered",
        field: "resources",
        value: "flexdb",
        why: Text::fixed("Tencent Cloud's tools no longer offer `flexdb` for new environments"),
        help: Text::fixed("for a database, use `postgresql`"),
    },
    Rule::Discouraged {
        code: "overrun-off",
        field: "overrun",
        value: "false",
        why: Text::fixed("with `overrun: false` the environment stops when its package is used up"),
        help: Text::fixed(
            "Tencent Cloud recommends `overrun: true` for production: further use is billed by use, without a limit",
        ),
    },
    Rule::Discouraged {
        code: "region-on-request",
        field: "region",
        value: "ap-guangzhou",
        why: Text::fixed("Tencent Cloud opens `ap-guangzhou` to selected accounts only"),
        help: Text::fixed("use ap-shanghai or ap-singapore unless this account was admitted"),
    },
];

const CODES: &[Code] = &[
    Code {
        code: "ResourceInsufficient",
        ends_run: true,
        help: Text::fixed(
            "Delete an environment in the console, request a higher quota from Tencent Cloud, or choose another package, then plan and apply again.",
        ),
    },
    Code {
        code: "ResourcesSoldOut",
        ends_run: true,
        help: Text::fixed("Choose another package or region, then plan and apply again."),
    },
];
