//! A bill that the vendor exported, held against the order numbers on record. Bytes in, a comparison out; pure.
//!
//! The vendor's reference for the API says nothing of the bill's columns, and they differ by language and by version of the
//! export. So the column with the order numbers is found by its name, from a list of names that were seen, or is named by
//! whoever asks. Nothing else of a bill is relied on.

mod layout;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

use crate::lang::{Text, text};
use crate::model::Address;
use layout::{Layout, decoded, is_rounded, layout, number, plain, same};

/// What the column with the order numbers may be called, most likely first. Compared without case, spaces, `_` and `-`.
pub const COLUMNS: [&str; 5] = ["订单 ID", "Order ID", "TranId", "交易 ID", "Transaction ID"];
/// What a column with amounts may be called. Only shown.
const AMOUNTS: [&str; 6] =
    ["优惠后总价", "优惠后总价(元)", "总价", "Total Cost", "Total Amount After Discount", "Amount"];
/// Far more than the bill of a year has.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// How far down the line with the columns' names is looked for: some exports begin with a title.
const HEAD: usize = 20;

/// The lines of a bill that have an order number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The column that the numbers were taken from, as the file calls it.
    pub column: String,
    pub lines: Vec<Line>,
    /// How many lines have none.
    pub without_number: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its place in the file, from 1.
    pub number: u64,
    pub tran_id: String,
    pub amount: Option<String>,
}

/// Why a file is no bill that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BillError {
    Empty,
    Encoding,
    Broken {
        line: u64,
        why: String,
    },
    /// No column has one of the names that are looked for.
    NoColumn {
        columns: Vec<String>,
    },
    /// Several columns have the name that was asked for.
    Ambiguous {
        name: String,
        count: usize,
    },
    /// A spreadsheet took a number for an amount, and rounded it.
    Rounded {
        line: u64,
        text: String,
    },
}

impl BillError {
    /// What is wrong with it.
    pub fn text(&self) -> Text {
        match self {
            Self::Empty => Text::fixed("it is empty", "文件为空"),
            Self::Encoding => {
                Text::fixed("it is no text in UTF-8, UTF-16 or GBK", "它不是 UTF-8、UTF-16 或 GBK 文本")
            }
            Self::Broken { line, why } => text!("line {line}: {why}", "第 {line} 行：{why}"),
            Self::NoColumn { columns } => {
                let listed = listed(columns);
                text!(
                    "no column has the order numbers: it has {listed}",
                    "没有订单号这一列：文件中有 {listed:#}"
                )
            }
            Self::Ambiguous { name, count } => {
                let name = name.escape_debug();
                text!("{count} columns are called `{name}`", "有 {count} 列都叫 `{name}`")
            }
            Self::Rounded { line, text } => {
                let text = text.escape_debug();
                text!(
                    "line {line}: {text} was an order number until a spreadsheet rounded it",
                    "第 {line} 行：{text} 原是订单号，被电子表格四舍五入了"
                )
            }
        }
    }
}

impl fmt::Display for BillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

fn listed(columns: &[String]) -> Text {
    const MOST: usize = 40;
    let quoted: Vec<String> =
        columns.iter().take(MOST).map(|column| format!("`{}`", column.escape_debug())).collect();
    let (en, zh) = (quoted.join(", "), quoted.join("、"));
    match columns.len() {
        0 => Text::fixed("none", "零列"),
        n if n > MOST => {
            let more = n - MOST;
            text!("{en} and {more} more", "{zh} 等，另有 {more} 列")
        }
        _ => Text::new(en, zh),
    }
}

/// Reads a bill. `column` names the column with the order numbers; without it, that with one of [`COLUMNS`] is taken, and
/// where there are several, the one in which most `known` numbers stand.
///
/// # Errors
/// When the file has another layout. Not for a line that has no number.
pub fn read(bytes: &[u8], column: Option<&str>, known: impl Fn(&str) -> bool) -> Result<Bill, BillError> {
    let text = decoded(bytes)?;
    if text.trim().is_empty() {
        return Err(BillError::Empty);
    }
    let Layout { rows, head, places } = layout(&text, column)?;
    let (names, body) = (&rows[head].1, &rows[head + 1..]);
    let most = |place: &usize| {
        let numbers = body.iter().filter_map(|(_, row)| number(row.get(*place)?));
        let numbers: BTreeSet<_> = numbers.filter(|number| known(number)).collect();
        numbers.len()
    };
    // Of equals the first is the more likely.
    let place = places.iter().rev().copied().max_by_key(most).unwrap_or_default();
    let amount = AMOUNTS.iter().find_map(|name| names.iter().position(|it| same(it, name)));
    let mut bill = Bill {
        column: names.get(place).map_or("", |name| plain(name)).to_owned(),
        lines: Vec::new(),
        without_number: 0,
    };
    for (line, row) in body {
        let Some(tran_id) = row.get(place).and_then(|cell| number(cell)) else {
            bill.without_number += 1;
            continue;
        };
        if is_rounded(&tran_id) {
            return Err(BillError::Rounded { line: *line, text: tran_id.into_owned() });
        }
        let amount = amount.and_then(|place| row.get(place)).map(|it| plain(it));
        bill.lines.push(Line {
            number: *line,
            tran_id: tran_id.into_owned(),
            amount: amount.filter(|it| !it.is_empty()).map(str::to_owned),
        });
    }
    Ok(bill)
}

/// A bill held against what is on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    pub column: String,
    /// How many lines have an order number, and how many have none.
    pub lines: usize,
    pub without_number: usize,
    /// How many order numbers are on both sides.
    pub matched: usize,
    /// On the bill, and not on record.
    pub unknown: Vec<Billed>,
    /// On record, and not on the bill.
    pub unbilled: Vec<Unbilled>,
}

/// An order number of a bill, with the lines that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Billed {
    pub tran_id: String,
    pub lines: Vec<Line>,
}

/// An order of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbilled {
    pub tran_id: String,
    pub at: Timestamp,
    pub address: Address,
}

impl Reconciled {
    /// Whether both sides say the same.
    pub fn agrees(&self) -> bool {
        self.unknown.is_empty() && self.unbilled.is_empty()
    }
}

/// Holds a bill against the orders on record. Of those, `is_meant` says which the bill is to be complete of: a bill is of some
/// time, and knows nothing of orders of another. Every order on record is known, all the same.
pub fn reconcile(
    bill: &Bill,
    ours: &BTreeMap<String, (Timestamp, Address)>,
    is_meant: impl Fn(Timestamp) -> bool,
) -> Reconciled {
    let mut billed: BTreeMap<&str, Vec<Line>> = BTreeMap::new();
    for line in &bill.lines {
        billed.entry(&line.tran_id).or_default().push(line.clone());
    }
    let unbilled = ours
        .iter()
        .filter(|(tran_id, (at, _))| is_meant(*at) && !billed.contains_key(tran_id.as_str()))
        .map(|(tran_id, (at, address))| Unbilled {
            tran_id: tran_id.clone(),
            at: *at,
            address: address.clone(),
        });
    let mut unbilled: Vec<Unbilled> = unbilled.collect();
    unbilled.sort_by_key(|unbilled| unbilled.at);
    let numbers = billed.len();
    let unknown = billed
        .into_iter()
        .filter(|(tran_id, _)| !ours.contains_key(*tran_id))
        .map(|(tran_id, lines)| Billed { tran_id: tran_id.to_owned(), lines });
    let mut unknown: Vec<Billed> = unknown.collect();
    unknown.sort_by_key(|billed| billed.lines.first().map(|line| line.number));
    Reconciled {
        column: bill.column.clone(),
        lines: bill.lines.len(),
        without_number: bill.without_number,
        matched: numbers - unknown.len(),
        unknown,
        unbilled,
    }
}

#[cfg(test)]
mod tests;
