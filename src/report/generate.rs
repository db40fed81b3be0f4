//! `generate`: manifests of environments that no manifest declares.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{View, to_json};
use super::options::RenderOptions;
use crate::generate::{Drafts, Redeclared};
use crate::i18n::Text;
use crate::model::{Address, SourceRef};
use crate::state::FormatVersion;

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "postpay generate --format json, version 1")]
pub struct GenerateView<'a> {
    format_version: FormatVersion,
    generated: Vec<Generated<'a>>,
    skipped: Vec<Skipped<'a>>,
    /// How many of the account's environments are declared or in the state.
    known: usize,
    /// The file that was written, if one was.
    file: Option<&'a str>,
    /// The text of the manifest.
    manifest: &'a str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Generated<'a> {
    address: &'a Address,
    /// The environment to import; missing with `--kind`.
    env_id: Option<&'a str>,
    tran_id: Option<&'a str>,
    /// With `--kind`, the entry that it replaces.
    replaces: Option<&'a SourceRef>,
}

/// An environment that cannot be declared as it is.
#[derive(Debug, Serialize, JsonSchema)]
struct Skipped<'a> {
    env_id: &'a str,
    why: Text,
}

impl<'a> GenerateView<'a> {
    pub fn new(drafts: &'a Drafts, manifest: &'a str, file: Option<&'a str>) -> Self {
        let generated = drafts.drafts.iter().map(|draft| Generated {
            address: &draft.address,
            env_id: Some(&draft.env_id),
            tran_id: draft.tran_id.as_deref(),
            replaces: None,
        });
        let skipped = drafts.left_out.iter().map(|it| Skipped { env_id: &it.env_id, why: Text::of(&it.why) });
        Self {
            format_version: FormatVersion,
            generated: generated.collect(),
            skipped: skipped.collect(),
            known: drafts.known,
            file,
            manifest,
        }
    }

    /// Returns the view of declarations with another kind.
    pub fn redeclared(redeclared: &'a [Redeclared], manifest: &'a str, file: Option<&'a str>) -> Self {
        let generated = redeclared.iter().map(|it| Generated {
            address: &it.address,
            env_id: None,
            tran_id: None,
            replaces: Some(&it.replaces),
        });
        Self {
            format_version: FormatVersion,
            generated: generated.collect(),
            skipped: Vec::new(),
            known: 0,
            file,
            manifest,
        }
    }
}

impl View for GenerateView<'_> {
    fn json(&self) -> String {
        to_json(self)
    }

    fn text(&self, _: RenderOptions) -> String {
        self.manifest.to_owned()
    }
}
