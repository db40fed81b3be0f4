//! What the account shows of an environment, as the fields of its kind. Pure.

use super::{Bill, SeenEnvironment};
use crate::model::{Attributes, Kind, Role, Value};

/// Returns the fields of a kind that the account shows of an environment.
pub fn shown_attributes(
    kind: &'static Kind,
    environment: &SeenEnvironment,
    bill: Option<&Bill>,
) -> Attributes {
    let order = bill.and_then(|bill| bill.order.as_ref());
    let mut shown = Attributes::new(kind);
    let package = environment.package.as_deref().or(bill.and_then(|bill| bill.package.as_deref()));
    for (role, value) in [
        (Role::Region, environment.region.as_deref()),
        (Role::Package, package),
        (Role::Source, environment.source.as_deref()),
        (Role::Channel, environment.channel.as_deref()),
        (Role::Alias, environment.alias.as_deref()),
        (Role::PaymentChannel, bill.and_then(|bill| bill.payment_channel.as_deref())),
        (Role::FreeQuota, bill.and_then(|bill| bill.free_quota.as_deref())),
        (Role::Flag, order.and_then(|order| order.flag.as_deref())),
        (Role::ExtensionId, order.and_then(|order| order.extension_id.as_deref())),
    ] {
        if let Some(value) = value {
            shown.set_role(role, value);
        }
    }
    for (role, truth) in [
        (Role::Overrun, bill.and_then(|bill| bill.overrun)),
        (Role::AutoRenew, bill.and_then(|bill| bill.auto_renew)),
    ] {
        if let Some(truth) = truth {
            shown.set_role(role, Value::Bool(truth));
        }
    }
    if let Some(tags) = environment.tags.as_ref().filter(|tags| !tags.is_empty()) {
        let tags = tags.iter().map(|(key, value)| (key.clone(), Value::Text(value.clone())));
        shown.set_role(Role::Tags, Value::Map(tags.collect()));
    }
    shown
}
