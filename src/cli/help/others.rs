//! Pages of the commands that look at the account, of the embedded endpoint, and of what programs ask for.

use super::Page;

pub(super) const PAGES: &[Page] = &[
    Page {
        path: "drift",
        about: "检查清单、状态文件和账号之间的漂移（只读）",
        more: "有漂移时以 2 退出。每项发现都有代码、地址、两边的值、清单的文件和行，以及接下来要输入的命令。\
               会查询账号在列出的每个地域（api.list_regions）的每一页。",
        args: &[
            ("offline", "不读取账号"),
            ("strict", "账号中有而没有声明的环境也算漂移"),
            ("ignores", "不算漂移的发现，在所有地址或只在一个地址；可重复"),
        ],
        after: "\
示例：
  postpay drift                                   用于 CI，每晚一次
  postpay drift --offline                         只比较清单和状态文件；不需要密钥
  postpay drift --strict                          没有声明的也算
  postpay drift --ignore alias-changed:shop-prod  已知，并且接受
  postpay drift --format json --report drift.txt",
    },
    Page {
        path: "import",
        about: "把已存在的环境导入状态文件",
        more: "显示账号中的内容与声明的内容，询问批准，然后写入状态文件。清单中的 `import` 块在下次 apply 时做同样的事，而且可以审阅。\
               `postpay generate` 会为没有声明的环境生成清单。",
        args: &[
            ("address", "声明中的地址"),
            ("env_id", "环境在腾讯云的 ID"),
            ("tran_id", "它的订单号 [default: 其账单上的订单号]"),
        ],
        after: "\
示例：
  postpay import shop-prod shop-prod-1a2b3c
  postpay import shop-prod shop-prod-1a2b3c --tran-id 20200603119423 -y",
    },
    Page {
        path: "generate",
        about: "为账号中有而清单中没有的环境生成清单",
        more: "每个环境都有 `import` 块，因此下次计划会导入它，而不会创建。postpay 不管理的（如预付费环境）会略过，\
               并在注释中写明。只读取账号和状态文件；两者都不更改。",
        args: &[("out", "新文件 [default: 标准输出]")],
        after: "\
示例：
  postpay generate                                    只显示
  postpay generate -o environments/imported.yaml      写入新文件；然后：postpay plan",
    },
    Page {
        path: "sandbox",
        about: "内置端点：一个实现该 API、不产生费用的小型服务",
        more: "",
        args: &[],
        after: "",
    },
    Page {
        path: "sandbox serve",
        about: "运行内置端点，供其他客户端使用，直到按下 Ctrl-C",
        more: "",
        args: &[
            ("listen", "监听的地址；只能是回环地址"),
            ("faults", "在指定的调用上注入故障：KIND@N、KIND@N-M 或 KIND@*；可重复"),
            ("latency", "多久后应答，如 300ms"),
            ("jitter", "把请求随机延迟，最多这么久，如 30ms"),
            ("list_delay", "创建或更改之后，多久才列出其结果，如 3s"),
            ("list_alias", "列表以什么作为别名：API 文档没有说明是 Alias 还是 EnvAlias"),
            ("sandbox_rate", "每秒接受的创建数，最多 1000；腾讯云接受 2 个"),
        ],
        after: "\
示例：
  postpay sandbox serve                                   在 127.0.0.1:8650
  postpay sandbox serve --fault throttle@1-3 --fault error:LimitExceeded@5
  postpay sandbox serve --latency 1s --existing my-env-1a2b
  postpay sandbox serve --existing-postpaid shop-1a2b --fault destroy:reset-after@1

故障（调用序号指 CreatePostpayPackage 请求，从 1 开始）：
  throttle                 被网关拒绝
  throttle-for:TIME        同上，TIME（如 3s）之内的每次调用
  reset-before, reset-after, eof-before, eof-after, hang-before, hang-after, 500-before, 500-after
                           在订单生成之前或之后，连接中断、挂起或失败
  cut-body, html           订单已生成，但应答被截断或不是 JSON
  null-env-id, missing-tran-id
                           订单已生成，但应答缺少一个 ID
  error:CODE, error-after:CODE
                           腾讯云的错误，订单没有生成或已经生成
  list:KIND, bill:KIND     同上，用于 DescribeEnvs 或 DescribeBillingInfo，各自计数：
                           throttle, throttle-for:TIME, reset-before, eof-before, hang-before,
                           500-before, cut-body, html, error:CODE；以及 short（一页缺少最后一行）和
                           repeat（每一行出现两次）
  modify:KIND, destroy:KIND
                           同上，用于 ModifyEnv 或 DestroyEnv，各自计数：除
                           null-env-id 和 missing-tran-id 之外的每一种
  sts:KIND                 同 list:KIND，用于取得密钥和查询密钥属于谁的请求",
    },
    Page {
        path: "sandbox ledger",
        about: "显示内置端点收到的每个请求，以及它做了什么",
        more: "",
        args: &[],
        after: "",
    },
    Page {
        path: "sandbox reset", about: "清除内置端点所做的一切", more: "", args: &[], after: ""
    },
    Page {
        path: "schema",
        about: "输出文件的 JSON Schema，或命令的 JSON 输出的 JSON Schema",
        more: "",
        args: &[("kind", "格式")],
        after: "",
    },
    Page {
        path: "completions",
        about: "输出 shell 的补全脚本",
        more: "",
        args: &[("shell", "shell 的名称")],
        after: "\
示例：
  postpay completions bash > /etc/bash_completion.d/postpay
  postpay completions zsh > \"${fpath[1]}/_postpay\"
  postpay completions fish > ~/.config/fish/completions/postpay.fish",
    },
    Page {
        path: "man",
        about: "以 roff 输出手册页：postpay man > postpay.1",
        more: "",
        args: &[],
        after: "",
    },
    Page {
        path: "help", about: "显示本帮助，或指定的子命令的帮助", more: "", args: &[], after: ""
    },
];
