//! Pages of the commands that look after what is in the state: state, history, lock, and what an order left open.

use super::Page;

pub(super) const PAGES: &[Page] = &[
    Page {
        path: "show",
        about: "显示状态文件或计划文件",
        more: "",
        args: &[("file", "计划文件；省略时显示状态文件"), ("detailed_exitcode", "计划有变更时以 2 退出")],
        after: "\
示例：
  postpay show                    各环境，连同 TranId 和 EnvId
  postpay show --format json      状态文件的原样，已并入未结束的运行
  postpay show plan.json          用 `postpay plan -o` 保存的计划",
    },
    Page {
        path: "whoami",
        about: "显示使用的密钥、其来源和账号",
        more: "像其他命令一样查找密钥，需要时取得角色的密钥，并向腾讯云查询它属于谁（GetCallerIdentity）。\
               还会与 guard.allowed_accounts 和状态文件核对；不做任何更改。绝不显示密钥本身。",
        args: &[("offline", "不发送任何请求：只显示密钥的来源")],
        after: "\
示例：
  postpay whoami                       哪个密钥、哪个账号、有效到何时
  postpay whoami --profile prod        另一个配置的密钥
  postpay whoami --offline             密钥来自何处；不发送任何请求
  postpay whoami --format json         供脚本使用

会依次读取腾讯云工具的这些变量：
  TENCENTCLOUD_SECRET_ID, _SECRET_KEY  密钥，及 TENCENTCLOUD_TOKEN（或 _SECURITY_TOKEN, _SESSION_TOKEN）
  TENCENTCLOUD_SECRETID, SECRETKEY     同上，云函数运行时的写法，及 SESSIONTOKEN
  TENCENTCLOUD_ROLE_ARN                在其上扮演的角色；TENCENTCLOUD_ASSUME_ROLE_ARN 适用于任何密钥
  TENCENTCLOUD_CREDENTIALS_FILE        代替 ~/.tencentcloud/credentials
  TENCENTCLOUD_PROFILE, TCCLI_PROFILE  其中的配置，或 ~/.tccli 中的配置
  TKE_ROLE_ARN, TKE_PROVIDER_ID        容器的角色，及 TKE_WEB_IDENTITY_TOKEN_FILE
  TENCENTCLOUD_CAM_ROLE_NAME           本机的角色",
    },
    Page {
        path: "resolve",
        about: "处理未知的结果（不会创建任何环境）",
        more: "显示发送了什么、何时发送、由谁发送，以及可能由此产生的每个环境，并列出支持和反对的理由。完全相符的会被提议。\
               处理结果写入状态文件，并保存为回执。",
        args: &[
            ("addresses", "要处理的地址 [default: 所有待处理的地址]"),
            ("adopt", "要导入的环境"),
            ("tran_id", "订单号，用于账单没有写明的情况"),
            ("force", "即使别名不同也导入；或即使请求发出不到 10 分钟，也视为没有创建"),
            ("not_created", "没有创建任何环境：下次计划会再次创建"),
            ("auto_approve", "不询问批准；导入完全相符的环境"),
        ],
        after: "\
示例：
  postpay resolve                               显示待处理的订单，提议，询问
  postpay resolve --auto-approve                不询问，直接导入完全相符的环境
  postpay resolve shop-prod --adopt shop-prod-1a2b3c
  postpay resolve shop-prod --not-created       已经查找过，它并不存在：可以再次创建

`--not-created` 要求请求已发出 10 分钟以上，因为腾讯云仍可能执行它；或加上 --force。
没有待处理的订单时以 0 退出，否则以 4 退出。",
    },
    Page {
        path: "state",
        about: "查看和更改状态文件；不向腾讯云发送任何请求",
        more: "",
        args: &[],
        after: "",
    },
    Page {
        path: "state list",
        about: "列出状态文件中的地址，每行一个",
        more: "地址已被另一个环境占用的旧环境列为 `ADDR (deposed ENV_ID)`：它们仍然存在，仍在计费。只读；不加锁。",
        args: &[
            ("patterns", "地址；`*` 代表任意个字符，`?` 代表一个 [default: 全部]"),
            ("id", "只列出 ID 为此值的环境"),
        ],
        after: "\
示例：
  postpay state list                        状态文件中的所有地址
  postpay state list 'shop-*'               以此开头的地址
  postpay state list --id shop-prod-1a2b3c  某个环境的地址
  postpay state list --format json          连同 status、EnvId 和 TranId",
    },
    Page {
        path: "state show",
        about: "显示状态文件中一个地址的全部内容，包括已被替换的旧环境",
        more: "只读；不加锁。",
        args: &[("address", "地址")],
        after: "\
示例：
  postpay state show shop-prod                  ID、订购时的字段、时间、所属运行、声明位置
  postpay state show shop-prod --format json    记录在状态文件中的原样",
    },
    Page {
        path: "state mv",
        about: "更改状态文件中的地址",
        more: "它替换掉的环境随之改动，结果未知的订单也可以改。请在清单中也改用新地址；或在清单中写 `moved` 块，由计划一并完成。\
               不向腾讯云发送任何请求。",
        args: &[("from", "现在的地址"), ("to", "新的地址")],
        after: "\
示例：
  postpay state mv shop store --dry-run    将写入的内容
  postpay state mv shop store              要求输入 `yes`

在清单中做同样的事，与计划一起审阅：
  moved:
    - from: shop
      to: store",
    },
    Page {
        path: "state rm",
        about: "从状态文件移除环境；环境继续运行并继续计费",
        more: "要销毁环境，请把它从清单中删除，并用 --allow-destroy 执行 apply。\
               仍有声明的地址没有 --force 会被拒绝，因为下次 apply 会再次创建它。\
               结果未知的订单不能移除：请用 `postpay resolve` 处理。回执保留每一个 ID。不向腾讯云发送任何请求。",
        args: &[
            ("addresses", "要移除的地址；用 --deposed 时，是旧环境曾用的地址"),
            ("deposed", "移除这个已被替换的旧环境，而不是该地址现在的环境；可重复"),
            ("force", "即使仍有声明也移除：下次 apply 会再次创建它"),
        ],
        after: "\
示例：
  postpay state rm shop --dry-run                 将移除的记录
  postpay state rm shop blog                      要求输入 `yes`
  postpay state rm --deposed shop-prod-1a2b3c     地址已被另一个环境占用的旧环境

在清单中做同样的事，与计划一起审阅：
  removed:
    - shop",
    },
    Page {
        path: "state pull",
        about: "以 JSON 输出状态文件，格式与文件完全相同，已并入未结束的运行",
        more: "只读；不加锁。",
        args: &[],
        after: "\
示例：
  postpay state pull > copy.json            一份副本；用 `postpay state restore --from copy.json` 放回
  postpay state pull | jq .environments     看一看

格式说明：postpay schema state",
    },
    Page {
        path: "state push",
        about: "用一个状态文件替换现有的状态文件",
        more: "它必须就是这个状态文件：从这里拉取、修改过，并提高了 `serial`。lineage、账号或端点不同，比现有的旧，\
               或会丢失状态文件中的 TranId 或 EnvId 时，会被拒绝。这次更改自成一次运行，有备份和回执。\
               要恢复丢失的状态文件：`postpay state restore`。不向腾讯云发送任何请求。",
        args: &[
            ("file", "文件；`-` 是标准输入"),
            ("force", "即使会丢失状态文件中的 ID 也写入；会列出这些 ID，回执中仍有"),
        ],
        after: "\
示例：
  postpay state pull > fixed.json              然后修改它，并把其 `serial` 加一
  postpay state push fixed.json --dry-run      将会改变什么
  postpay state push fixed.json                询问批准
  jq … copy.json | postpay state push - -y     从标准输入",
    },
    Page {
        path: "state restore",
        about: "重建状态文件：由回执、由备份，或由副本加上此后的回执",
        more: "原来的文件改名保存在旁边，未结束的运行的日志留给下一个写入者。会丢失状态文件中 ID 的恢复会被拒绝。\
               不向腾讯云发送任何请求。",
        args: &[("from_backup", "由上一次运行之前的状态文件的备份"), ("from", "由状态文件的一份副本")],
        after: "\
示例：
  postpay state restore --dry-run           将写入的内容，以及会改变什么
  postpay state restore                     由回执；要求输入 `yes`
  postpay state restore --from-backup       由备份和此后的回执
  postpay state restore --from copy.json    由副本和此后的回执",
    },
    Page {
        path: "state verify",
        about: "核对状态文件、日志和回执，列出所有不符之处",
        more: "检查每个回执的哈希链、有无缺少的运行、它们是否都属于这个状态文件和这个账号，\
               以及状态文件是否与回执重建的完全相同。只读；不加锁。",
        args: &[],
        after: "\
示例：
  postpay state verify                   全部相符时以 0 退出，否则列出每个问题并以 1 退出
  postpay state verify --format json     同上，供程序使用",
    },
    Page {
        path: "history",
        about: "按时间先后显示下过的每个订单，来自回执和未结束的运行",
        more: "包括何时、由谁、由哪个提交的哪一行提出了什么请求，返回了什么，此后又查明了什么。\
               可能在腾讯云造成改变的每个请求，以及被拒绝的请求，都在其中。只读；不加锁，也不向腾讯云发送任何请求。",
        args: &[
            ("all", "也显示确定没有发出的请求，以及只改动状态文件的操作：查到、导入、改地址、移除"),
            ("since", "只显示此时间之后的：2026-05-01、2026-05-01T08:00:00Z，或多久以前：7d、24h"),
            ("addresses", "只显示这个地址，以及它此前和此后用过的其他地址；可重复"),
            ("csv", "输出 CSV，不管 --format 是什么"),
        ],
        after: "\
示例：
  postpay history                           每个订单、更改和拒绝
  postpay history --since 7d                最近一周的
  postpay history --address shop            只看这一个，包括它用过的每个名称
  postpay history --all                     也显示找到、导入、改地址和移除记录的
  postpay history --csv > orders.csv        供电子表格使用
  postpay history reconcile BILL.csv        与腾讯云导出的账单核对
  postpay history verify                    每个回执的哈希链；有无缺失

有回执损坏或缺失时以 1 退出：能读取的仍会显示。",
    },
    Page {
        path: "history verify",
        about: "检查每个回执的哈希链，以及回执是否连续无缺",
        more: "有回执被改动、损坏或缺失，或状态文件与回执得出的不同时，以 1 退出。只读；不加锁。",
        args: &[],
        after: "\
示例：
  postpay history verify
  postpay state verify       同上，并逐个字段核对状态文件",
    },
    Page {
        path: "history reconcile",
        about: "将腾讯云的账单与已知的每个 TranId 核对",
        more: "列出账单上有而状态文件和回执中没有的订单（连同其所在行），以及账单上没有的订单（连同时间和地址）。\
               请只导出 CloudBase 的账单，格式为 CSV；逗号或制表符分隔，UTF-8 或 GBK。各语言的列名不同：用 --column 指定订单号所在的列。\
               只读，不向腾讯云发送任何请求。",
        args: &[
            ("file", "账单"),
            ("column", "订单号所在的列"),
            ("since", "只报告此时间之后未计费的订单：2026-05-01、2026-05-01T08:00:00Z、30d"),
            ("until", "只报告此时间之前未计费的订单"),
        ],
        after: "\
示例：
  postpay history reconcile bill.csv                         列出各列
  postpay history reconcile bill.csv --column 'Order ID'
  postpay history reconcile may.csv --column '订单 ID' --since 2026-05-01 --until 2026-06-01

退出码：
  0  两边一致
  1  无法读取文件，或有回执损坏或缺失
  2  有只在一边的内容",
    },
    Page {
        path: "lock",
        about: "显示状态文件的锁",
        more: "锁是操作系统的锁，由进程在写入期间持有：无论进程怎样结束，锁都随之消失。\
               所以从来没有需要解除的旧锁，这里也不会解除被持有的锁。",
        args: &[],
        after: "",
    },
    Page {
        path: "lock status",
        about: "显示状态文件是否正被写入：由谁、自何时起、在做什么；以及未结束的运行",
        more: "无论被持有还是空闲，都以 0 退出。只读。",
        args: &[],
        after: "\
示例：
  postpay lock status
  postpay lock status --format json | jq .held",
    },
];
