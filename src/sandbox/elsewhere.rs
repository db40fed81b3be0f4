//! What happened to an environment past the API: at the console, for a bill that is overdue, or by the vendor itself. Nothing here
//! makes such a line; whoever rehearses drift adds it to the ledger by hand.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::world::{Env, vendors_time};

/// What an environment shows from then on; what is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Elsewhere {
    /// As `NORMAL`, `ISOLATE` or `ABNORMAL`; the bill knows the first two alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
    /// As `prepayment`; the bill has it in capitals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pay_mode: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) channel: Option<String>,
}

impl Env {
    pub(super) fn became(&mut self, now: &Elsewhere, at: Timestamp) {
        let Elsewhere { status, pay_mode, source, channel } = now;
        let set = |place: &mut String, value: &Option<String>| {
            if let Some(value) = value {
                place.clone_from(value);
            }
        };
        set(&mut self.info.status, status);
        let on_bill = status.clone().filter(|status| status != "ABNORMAL");
        set(&mut self.bill.status, &on_bill);
        set(&mut self.info.pay_mode, pay_mode);
        set(&mut self.info.source, source);
        set(&mut self.info.env_channel, channel);
        let capitals = pay_mode.as_deref().map(str::to_uppercase);
        set(&mut self.bill.pay_mode, &capitals);
        self.info.update_time = vendors_time(at);
    }
}
