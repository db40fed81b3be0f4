//! A file without any content: most often one that was to be filled later, or was emptied by mistake.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::{Diagnostic, Span};
use crate::lang::text;

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for file in &manifests.empty {
        let start = Span { file: std::sync::Arc::clone(&file.source), bytes: 0..0 };
        problems.push(
            Diagnostic::warning(
                "empty-manifest",
                text!("this manifest declares nothing", "该清单没有声明任何内容"),
            )
            .at(&start, text!("the whole file is empty", "整个文件为空"))
            .help(text!("a manifest begins with `version: 1`", "清单以 `version: 1` 开头")),
        );
    }
}
