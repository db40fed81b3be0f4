//! `postpay history reconcile`: a bill of Tencent Cloud's against the orders in the state.

use std::path::PathBuf;

use super::past::Past;
use super::since::Since;
use crate::cli::env;
use crate::cli::error::{Exit, Failure, NOTHING_SENT};
use crate::cli::ui::Ui;
use crate::files::{self, Links};
use crate::i18n::{Text, text};
use crate::report::bill::BillView;
use crate::report::clean;
use crate::state::StateStore;
use crate::state::bill::{self, Bill, BillError};
use crate::state::history::{order_numbers, without_number};

/// Compare a bill from Tencent Cloud with the state and receipts
///
/// Lists orders that are only on the bill, with their lines, and orders that are only in postpay, with their time and address.
/// Export the bill of CloudBase alone, as CSV in UTF-8 or GBK, separated by commas or tabs. The columns differ by language:
/// --column names the one with the order numbers. Read-only, and sends nothing to Tencent Cloud.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postpay history reconcile bill.csv                         lists the columns
  postpay history reconcile bill.csv --column 'Order ID'
  postpay history reconcile may.csv --column '订单 ID' --since 2026-05-01

Exit codes:
  0  no differences
  1  the file cannot be read, or receipts are damaged or missing
  2  an order is only on the bill, or only in postpay")]
pub(super) struct Args {
    /// The bill
    #[arg(value_name = "BILL.csv")]
    file: PathBuf,
    /// The column with the order numbers
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// Only unbilled orders since TIME: 2026-05-01, 30d
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Only unbilled orders before TIME
    #[arg(long, value_name = "TIME")]
    until: Option<Since>,
}

pub(super) fn run(args: &Args, store: &dyn StateStore, ui: &mut Ui) -> Result<Exit, Failure> {
    let past = Past::load(store)?;
    let ours = order_numbers(&past.events, past.state.as_ref());
    let shown = clean(&args.file.display().to_string()).into_owned();
    let bill = read(args, &shown)?;
    let now = env::now();
    let (since, until) = (args.since, args.until);
    let found = bill::reconcile(&bill, &ours, |at| {
        since.is_none_or(|since| at >= since.from(now)) && until.is_none_or(|until| at < until.from(now))
    });
    let nameless = without_number(&past.events);
    let view = BillView::new(&shown, &found, &nameless, &past.problems);
    ui.print_view(&view)?;
    ui.diagnose(&past.notices);
    ui.diagnose(&past.problems);
    ui.write_reports(&view)?;
    Ok(if past.problems.is_empty() && !found.agrees() { Exit::Changes } else { past.exit() })
}

fn read(args: &Args, shown: &str) -> Result<Bill, Failure> {
    let bytes = files::read(&args.file, Links::Followed, bill::MAX_BYTES).map_err(|error| {
        let why = text!("cannot read {shown}: {error}", shown, error);
        Failure::new("bill", why).help(NOTHING_SENT)
    })?;
    bill::read(&bytes, args.column.as_deref()).map_err(|error| {
        let said = Text::of(&error).map(|said| clean(said).into_owned());
        let why = text!("{shown}: {said}", shown, said);
        let failure = Failure::new("bill", why);
        let failure = match (&error, &args.column) {
            (BillError::NoColumn { .. }, Some(column)) => {
                let column = clean(column);
                failure.help(text!("expected: `{column}`", column))
            }
            (BillError::NoColumn { .. }, None) => failure.help(text!("name the column: --column NAME")),
            (BillError::Rounded { .. }, _) => {
                failure.help(text!("export the bill again, and do not save it with a spreadsheet"))
            }
            (
                BillError::Empty
                | BillError::Encoding
                | BillError::Broken { .. }
                | BillError::Ambiguous { .. },
                _,
            ) => failure.help(text!(
                "a bill is a CSV file with a header line, as exported by the Tencent Cloud console"
            )),
        };
        failure.help(text!("nothing was changed")).help(NOTHING_SENT)
    })
}
