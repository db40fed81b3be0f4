//! Flags that several commands have, and the values that some of them take.

/// A flag's id, and what it does.
pub(super) const ARGS: &[(&str, &str)] = &[
    ("help", "显示帮助"),
    ("version", "显示版本"),
    // Global options
    ("chdir", "运行前切换到 DIR"),
    ("config", "配置文件 [default: postpay.yaml 或 postpay.yml（如果存在）]"),
    ("files", "清单文件或清单目录；可重复 [default: environments/]"),
    ("state", "状态文件 [default: state/postpay.state.json]"),
    (
        "endpoint",
        "API 端点：一个 URL；`internal` 或地域，即腾讯云的同名主机；或 `sandbox`，即内置端点，它不需要密钥",
    ),
    ("color", "终端上的颜色；NO_COLOR 也会关闭颜色"),
    ("lang", "消息的语言；错误码和 JSON 不随之改变 [default: 由 locale 决定]"),
    ("log", "向标准错误输出日志：error、warn、info、debug 或 trace"),
    (
        "format",
        "输出格式；markdown（合并请求）、github（注解和步骤摘要）、sarif、junit 和 html 只用于 plan、drift、apply、destroy、import、validate 和 show；csv 只用于 history",
    ),
    (
        "reports",
        "同时把结果或错误写入 FILE，格式由扩展名决定：.txt、.json、.md、.html、.sarif、.xml（JUnit）、.csv；可重复",
    ),
    // API options
    ("rate", "每秒请求数 [default: 2，即腾讯云的上限]"),
    ("region", "腾讯云的地域，以 X-TC-Region 发送 [default: 不发送]"),
    ("language", "腾讯云返回消息的语言：zh-CN 或 en-US [default: zh-CN]"),
    ("timeout", "一次调用最长的时间，如 60s 或 2m [default: 60s]"),
    ("connect_timeout", "建立连接最长的时间，最多为 --timeout 的四分之三 [default: 10s]"),
    ("ca_file", "除系统信任的之外还要信任的证书颁发机构，PEM 格式"),
    // Credential options
    ("profile", "从 ~/.tencentcloud/credentials 或 ~/.tccli 的这个配置中取得密钥"),
    ("cvm_role", "从元数据服务取得本机角色的密钥"),
    ("assume_role", "在密钥之上扮演这个角色：qcs::cam::uin/UIN:roleName/NAME"),
    ("role_session_name", "角色会话的名称 [default: postpay]"),
    ("role_duration", "角色密钥的有效时间，最长 12h；到期前会续期 [default: 腾讯云的 2h]"),
    ("role_external_id", "角色要求的外部 ID"),
    ("oidc_provider", "用这个 OIDC 身份提供商的令牌扮演 --assume-role 的角色，无需保存密钥"),
    ("oidc_token_file", "存放该令牌的文件；每次取得密钥时都会重新读取"),
    (
        "sts_endpoint",
        "向哪里的 STS 请求角色和查询密钥属于哪个账号 [default: 腾讯云的 STS，与 --endpoint 同处]",
    ),
    ("metadata_endpoint", "代替本机的元数据服务；仅限本机，供测试使用"),
    ("record", "把每次调用及其响应以 JSON 行记录到一个新文件中，不含密钥：供提交工单时使用"),
    (
        "allow_unknown_account",
        "密钥所属账号未知时仍继续；状态文件或 guard.allowed_accounts 指定了账号时不可用",
    ),
    // Sandbox options
    (
        "faults",
        "在指定的创建调用上向内置端点注入故障：KIND@N、KIND@N-M 或 KIND@*；前面加 list:、bill:、modify: 或 destroy: 则用于这类调用；可重复",
    ),
    ("latency", "内置端点多久后应答，如 300ms"),
    ("jitter", "把发往内置端点的请求随机延迟，最多这么久，如 30ms"),
    ("list_delay", "创建或更改之后，内置端点多久才列出其结果，如 3s"),
    ("list_alias", "内置端点以哪个字段作为别名列出（API 文档没有说明是 Alias 还是 EnvAlias）"),
    ("sandbox_rate", "内置端点每秒接受的创建数，最多 1000；腾讯云接受 2 个"),
    // What a command is about, and what it may do
    ("targets", "只处理这个地址；可重复"),
    ("excludes", "不处理这个地址；可重复"),
    ("replaces", "在这个地址创建新环境以替换现有环境，现有环境作为已被替换的旧环境留在状态文件中；可重复"),
    ("allow_destroy", "允许销毁已从清单中删除的环境，包括其中的数据"),
    // How a plan is carried out
    ("auto_approve", "不询问批准"),
    ("on_error", "某一步失败之后怎么办；结果未知时总是停止运行"),
    ("deadline", "超过这段时间后不再开始新的步骤，如 90s、5m"),
    ("retry_for", "确定没有发出的请求，在多长时间内重试"),
    (
        "settle",
        "响应丢失或没有返回 EnvId 时，在账号中查找环境的最长时间；0s 表示不查找 [default: 60s；创建失败或被限流后为 10s，且至少查找一次]",
    ),
    ("lock_timeout", "等待状态文件的锁的最长时间"),
    ("json", "在标准输出上以 JSON 行输出事件"),
    ("in_flight", "同时进行的调用数，1 到 32 [default: 4]"),
    ("dry_run", "显示将写入的内容，但不写入"),
    // The embedded endpoint's own commands
    ("existing", "已存在的预付费环境；可重复"),
    ("existing_postpaid", "已存在的按量付费环境，如同在控制台创建的；可重复"),
    ("account", "一切都属于这个主账号"),
    ("max_session", "角色的密钥最长的有效时间，如 10s"),
    ("machine_role", "同时充当带有该角色的机器的元数据服务"),
    ("ledger", "它所做的事记在哪个文件 [default: 在状态文件旁]"),
];

/// What `--help` is for where it tells more than `-h`, in the one and in the other.
pub(super) const HELP_IN_SHORT: &str = "显示帮助（`--help` 更详细）";
pub(super) const HELP_IN_FULL: &str = "显示帮助（`-h` 为摘要）";

/// A flag, a value of it, and what that means. One that only names a command is the same in every language.
pub(super) const VALUES: &[(&str, &str, &str)] = &[
    ("ci", "github", "GitHub Actions 的工作流"),
    ("ci", "gitlab", "GitLab CI/CD 的作业"),
    ("on_error", "stop", "不再开始新的步骤"),
    ("on_error", "continue", "继续下一步，除非之后的创建同样都会失败"),
    ("kind", "manifest", "环境清单"),
    ("kind", "config", "postpay.yaml"),
    ("kind", "state", "状态文件"),
    ("kind", "plan", "计划文件，也就是 `plan --format json` 的输出"),
    ("kind", "events", "`apply --json` 的一行"),
];

pub(super) fn value(id: &str, name: &str) -> Option<&'static str> {
    VALUES.iter().find_map(|(of, value, help)| (*of == id && *value == name).then_some(*help))
}
