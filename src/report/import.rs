//! `import`: what is declared, beside what the account has.

use super::lines::Lines;
use super::options::RenderOptions;
use super::text::{clean, clean_text};
use crate::apply::import::{Compared, Importable};
use crate::cloud::api_time;
use crate::i18n::{Text, text};

/// How wide the names are.
const COLUMN: usize = 14;

/// Returns every environment that will be imported, field by field.
pub fn render_imports(imports: &[Importable], options: RenderOptions) -> String {
    let mut lines = Lines::new(options);
    for Importable { address, environment, bill, tran_id, compared, attributes: _ } in imports {
        let (head, env_id) = (options.strong(address), clean(&environment.env_id));
        lines.blank();
        lines.add(text!("{head} {env_id} in the account:", head, env_id));
        let pay_mode = bill.as_ref().and_then(|bill| bill.pay_mode.as_ref()).map(ToString::to_string);
        let same = |value: &String| Text::same(value.clone());
        for (name, value) in [
            (text!("status"), environment.status.as_ref().map(same)),
            (text!("region"), environment.region.as_ref().map(same)),
            (text!("created at"), environment.created_at.as_deref().map(api_time::describe)),
            (text!("pay mode"), pay_mode.as_ref().or(environment.pay_mode.as_ref()).map(same)),
            (Text::same("tran_id"), tran_id.as_ref().map(same)),
        ] {
            let value = value.as_ref().map(clean_text);
            lines.row(6, name, COLUMN, value.unwrap_or(text!("not reported")));
        }
        for Compared { field, declared, live, fits } in compared {
            let quoted = |value: &String| format!("\"{}\"", clean(value));
            let value = match (declared.as_ref().map(quoted), live.as_ref().map(quoted)) {
                (Some(_), Some(live)) if *fits => text!("{live}  as declared", live),
                (Some(declared), Some(live)) => {
                    let differs = options.bad(text!("but the manifest has {declared}", declared));
                    text!("{live}  {differs}: see the next plan for options", live, differs)
                }
                (Some(declared), None) => text!("{declared}  declared, not reported", declared),
                (None, Some(live)) => text!("{live}  not declared, will not be changed", live),
                (None, None) => continue,
            };
            lines.row(6, field, COLUMN, value);
        }
    }
    lines.finish()
}
