//! A file without any content: most often one that was to be filled later, or was emptied by mistake.

use crate::check::Options;
use crate::check::model::Manifests;
use crate::diagnostic::{Diagnostic, Span};

pub(super) fn check(manifests: &Manifests<'_>, _: Options, problems: &mut Vec<Diagnostic>) {
    for file in &manifests.empty {
        let start = Span {
            file: std::sync::Arc::clone(&file.source),
            bytes: 0..0,
        };
        problems.push(
            Diagnostic::warning("empty-manifest", "this manifest declares nothing")
                .at(&start, "the whole file is empty")
                .help("a manifest begins with `version: 1`"),
        );
    }
}
