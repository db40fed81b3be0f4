//! Pages of the commands that manifests lead to: from a new project to creating and destroying.

use super::Page;

pub(super) const PAGES: &[Page] = &[
    Page {
        path: "",
        about: "按经过审阅的 YAML 计划并创建腾讯云 CloudBase 按量付费环境。",
        more: "清单写明应有哪些环境。`plan` 将清单与状态文件比较，`apply` 创建缺少的环境（CreatePostpayPackage，每秒 2 个请求），\
               并记录每个订单的 TranId 和 EnvId。不会重复创建，不会丢失已创建的环境，也不会创建计划中没有显示的内容。",
        args: &[],
        after: "\
示例：
  postpay init shop && cd shop     建立一个立即可用的项目，使用内置端点
  postpay plan                     显示将创建什么；不发送任何请求
  postpay apply                    计划、询问批准、执行
  postpay plan -o plan.json        保存计划以供审阅，然后：postpay apply plan.json

退出码：
  0  正常，或无事可做
  1  出错；命令行写错也算
  2  有变更（plan 和 show 加 --detailed-exitcode）、有漂移，或有文件需要整理（fmt --check）
  3  apply 中途停止；已创建的都在状态文件中，请再次运行
  4  至少有一个结果未知",
    },
    Page {
        path: "init",
        about: "建立一个立即可用的项目，使用内置端点",
        more: "",
        args: &[
            ("dir", "目录；不存在则创建"),
            (
                "ci",
                "加入流水线：每次改动附带计划，经批准后执行 apply，每晚检查漂移",
            ),
        ],
        after: "\
示例：
  postpay init                 在当前目录
  postpay init shop            在新目录
  postpay init --ci github     连同工作流；在已有的项目中只加入工作流
  cd shop && postpay plan && postpay apply",
    },
    Page {
        path: "validate",
        about: "检查清单和 postpay.yaml；离线进行，不需要密钥",
        more: "",
        args: &[],
        after: "\
示例：
  postpay validate                        postpay.yaml 指定的清单，或 environments/
  postpay validate -f shop.yaml -f team/  这些文件和目录
  postpay validate --format json          供程序使用",
    },
    Page {
        path: "fmt",
        about: "把清单和 postpay.yaml 整理成规范格式；只改动空白",
        more: "",
        args: &[
            (
                "paths",
                "文件或目录；`-` 是标准输入 [default: 清单和 postpay.yaml]",
            ),
            ("check", "不写入；有文件不符合格式时以 2 退出"),
            ("diff", "显示改动"),
        ],
        after: "\
示例：
  postpay fmt                   清单和 postpay.yaml；列出改动了哪些文件
  postpay fmt --check           用于 CI：不写入，有文件不符合格式时以 2 退出
  postpay fmt --check --diff    将会有哪些改动
  postpay fmt shop.yaml teams/  这些文件和目录
  postpay fmt - < shop.yaml     从标准输入到标准输出，供编辑器使用

每级缩进两个空格，环境之间空一行，其他位置最多空一行。键、值、引号、注释及其顺序保持原样；不能证明这一点的文件不会改动。\
只要有一个文件出错，就不写入任何文件。",
    },
    Page {
        path: "plan",
        about: "显示将创建什么；不作任何更改，不加 --refresh 时离线进行",
        more: "",
        args: &[
            ("out", "把计划保存到 FILE，供 `postpay apply FILE` 使用"),
            ("refresh", "同时读取账号并报告漂移；不改变计划；需要密钥"),
            (
                "detailed_exitcode",
                "有变更时以 2 退出。--refresh 报告的漂移不算：那由 `postpay drift` 的退出码表示",
            ),
            ("blame", "显示最后改动每项变更所在行的提交（JSON、Markdown 和 HTML）"),
            ("show_calls", "显示将要发送的请求原文，不含密钥"),
            ("verbose", "每个字段单独一行显示"),
        ],
        after: "\
示例：
  postpay plan                            将清单与状态文件比较
  postpay plan -o plan.json               保存以供审阅；然后：postpay apply plan.json
  postpay plan --detailed-exitcode        用于 CI：有事要做时以 2 退出
  postpay plan --refresh                  并显示账号与记录的不同之处
  postpay plan --target shop-prod         只看这个地址
  postpay plan --show-calls               连同请求原文",
    },
    Page {
        path: "apply",
        about: "计划、询问批准并执行",
        more: "给出 PLANFILE 时不询问：要么完全按该计划执行，要么什么都不做：\
               被改动过、已经用过，或由另外的状态文件或清单生成的计划会被拒绝。\n\n\
               首次创建之前会列出账号下的环境。若有环境的别名（不区分大小写）、EnvAlias 或 EnvId 与所声明的相符，而状态文件中没有它，\
               运行就会停止；若三次读取的列表都少于其 Total 或自相矛盾，也会停止。没有别名时，只有状态文件记得创建过什么。\n\n\
               按 Ctrl-C 或收到 SIGTERM 后不再开始新的步骤，并等待进行中的请求；第二次则立即退出，进行中的请求记录为结果未知。\n\n\
               同一项目同时只能有一份在执行 apply：锁管不到另一个克隆或另一台机器。运行期间不要删除或替换锁文件和运行日志。",
        args: &[
            ("file", "用 `postpay plan -o` 保存的计划"),
            ("max_creates", "拒绝创建数多于此数的计划"),
            (
                "max_creates_per_day",
                "拒绝会使 24 小时内的创建数超过此数的计划",
            ),
            (
                "allow_same_alias",
                "即使账号中有匹配而状态文件中没有的环境，也照样创建",
            ),
            (
                "accept_missing_rows",
                "账号的环境列表不完整，且恰好缺少 N 个环境时，也照样创建",
            ),
        ],
        after: "\
示例：
  postpay apply                                  计划、询问批准、执行
  postpay apply plan.json                        完全按审阅过的计划
  postpay apply --auto-approve --max-creates 5   用于 CI：不询问，最多创建 5 个
  postpay apply --endpoint sandbox --fault reset-after@2
                                                 在内置端点上演练应答丢失",
    },
    Page {
        path: "destroy",
        about: "按地址在腾讯云销毁环境",
        more: "计划中只有指定的环境；它们必须已从清单中删除，否则下次 apply 会再次创建。\
               会要求逐个输入地址。按量付费环境在 DestroyEnv 之后会怎样，腾讯云没有文档：\
               因此会查看账号，并按账号所显示的结果（已不存在或已被隔离）报告和记录。",
        args: &[
            ("addresses", "要销毁的环境"),
            (
                "deposed",
                "销毁该地址已被替换的旧环境，而不是现在的环境",
            ),
            (
                "purge",
                "立即删除而不是隔离，或从隔离状态中删除（IsForce）",
            ),
            (
                "bypass_check",
                "即使腾讯云发现其中有数据或增值包，也照样销毁（BypassCheck）",
            ),
            (
                "allow_destroy",
                "没有它或 postpay.yaml 中的 `allow_destroy: true`，就不会销毁任何环境；用 -y 时必须在命令行写明",
            ),
        ],
        after: "\
示例：
  postpay destroy old-shop --allow-destroy              要求输入地址
  postpay destroy shop --deposed --allow-destroy        shop 已被替换的旧环境，而不是 shop 本身
  postpay destroy old-shop --purge --allow-destroy      立即删除，已被隔离的也删除
  postpay destroy old-shop --allow-destroy -y           用于 CI：不询问",
    },
    Page {
        path: "rehearse",
        about: "用内置端点和状态文件的副本，针对你自己的计划演练故障",
        more: "用真实的引擎执行由你的清单得出的计划，其间响应丢失、连接中断、调用被拒；然后按文档所述恢复，直到无事可做。\
               是否重复创建、是否丢失，以内置端点的账本为准。\n\n\
               不需要密钥，也不管配置了哪个端点：绝不会与它通信。不会改动状态文件、锁和回执。\
               状态文件或清单中写明的环境视为已存在。",
        args: &[
            (
                "faults",
                "每次演练都在指定的调用上注入故障：KIND@N、KIND@N-M 或 KIND@*；可重复",
            ),
            (
                "random",
                "演练 N 次，每次有各自的随机故障 [default: 10，没有 --fault 时]",
            ),
            (
                "seed",
                "随机故障的种子，用于重现同样的故障 [default: 每次不同]",
            ),
            ("real_pace", "按真实运行的速度创建，而不是尽可能快"),
        ],
        after: "\
示例：
  postpay rehearse                               演练十次，故障随机
  postpay rehearse --random 100 --seed 42        一百次；每次执行的故障都相同
  postpay rehearse --fault reset-after@2         第二个订单的应答丢失：会怎样？
  postpay rehearse --fault hang-after@1 --fault throttle@3-4 --fault list:html@2
                                                 一次演练中有多个故障
  postpay rehearse --real-pace                   每秒 2 个订单，与真实情况相同
  postpay rehearse --format json                 用于 CI

故障的种类见 `postpay sandbox serve --help`：KIND@N，其中 N 是发出的订单的序号，从 1 开始。

没有重复创建、没有丢失、每次演练都完成时以 0 退出，否则以 1 退出。",
    },
];
