//! Why a client cannot be set up.

use crate::i18n::Text;

/// Why a client cannot be set up. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct ClientError(pub Text);
