//! Compares a bill exported from the console with the order numbers in the state and the receipts. Pure.
//!
//! The columns of a bill are undocumented and differ by language and version of the export, so the user names
//! the column with the order numbers; nothing else is read.

use std::collections::BTreeMap;
use std::fmt;

use encoding_rs::{Encoding, GB18030};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::i18n::{Text, text};
use crate::model::Address;

/// Far more than a year's bill.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Rows that may come before the header: some exports start with a title.
const MAX_TITLE_ROWS: usize = 20;

/// The order numbers of a bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The name of the column in the file.
    pub column: String,
    /// Lines of the file, from 1, with their order numbers.
    pub lines: Vec<(u64, String)>,
    /// The number of lines without an order number.
    pub without_number: usize,
}

/// Why a file can't be read as a bill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BillError {
    Empty,
    Encoding,
    Broken {
        line: u64,
        why: String,
    },
    /// No column has the requested name, or none was requested.
    NoColumn {
        columns: Vec<String>,
    },
    /// Several columns have the requested name.
    Ambiguous {
        name: String,
        count: usize,
    },
    /// A spreadsheet converted the number to a rounded one.
    Rounded {
        line: u64,
        text: String,
    },
}

/// English, and Chinese as `{:#}`.
impl fmt::Display for BillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Empty => Text::fixed("the file is empty"),
            Self::Encoding => Text::fixed("not text in UTF-8, UTF-16 or GBK"),
            Self::Broken { line, why } => text!("line {line}: {why}", line, why),
            Self::NoColumn { columns } => {
                let quoted: Vec<_> =
                    columns.iter().map(|column| format!("`{}`", column.escape_debug())).collect();
                let (en, zh) = (quoted.join(", "), quoted.join("、"));
                text!("which column has the order numbers? It has {en}", en; zh)
            }
            Self::Ambiguous { name, count } => {
                let name = name.escape_debug();
                text!("{count} columns are named `{name}`", count, name)
            }
            Self::Rounded { line, text } => {
                let text = text.escape_debug();
                text!("line {line}: {text} is an order number that a spreadsheet has rounded", line, text)
            }
        };
        text.fmt(f)
    }
}

/// Reads the order numbers in a column of a bill. Without a column, the error lists the columns.
///
/// # Errors
/// When the file is not a table with this column. A line without a number is no error.
pub fn read(bytes: &[u8], column: Option<&str>) -> Result<Bill, BillError> {
    // One-character line ends, so that lines are counted correctly.
    let text = decode(bytes)?.replace("\r\n", "\n");
    if text.trim().is_empty() {
        return Err(BillError::Empty);
    }
    let mut columns = Vec::new();
    // Cells may contain commas: the separator is the one that yields the column.
    for separator in [b',', b'\t', b';'] {
        let rows = rows(&text, separator)?;
        let heads = rows.iter().take(MAX_TITLE_ROWS);
        for (at, (_, head)) in heads.enumerate() {
            let is_column = |cell: &&String| column.is_some_and(|name| is_same(cell, name));
            let places: Vec<usize> =
                head.iter().enumerate().filter(|(_, cell)| is_column(cell)).map(|(place, _)| place).collect();
            match places.as_slice() {
                [] if head.len() > columns.len() => columns.clone_from(head),
                [] => {}
                [place] => return numbers(&head[*place], *place, &rows[at + 1..]),
                places => {
                    let name = column.unwrap_or_default().to_owned();
                    return Err(BillError::Ambiguous { name, count: places.len() });
                }
            }
        }
    }
    columns.truncate(40);
    Err(BillError::NoColumn { columns })
}

fn numbers(column: &str, place: usize, body: &[(u64, Vec<String>)]) -> Result<Bill, BillError> {
    let mut bill = Bill { column: column.to_owned(), lines: Vec::new(), without_number: 0 };
    for (line, row) in body {
        let number = row.get(place).map_or("", String::as_str);
        if number.chars().all(|sign| sign == '-') {
            bill.without_number += 1;
        } else if is_rounded(number) {
            return Err(BillError::Rounded { line: *line, text: number.to_owned() });
        } else {
            bill.lines.push((*line, order_number(number)));
        }
    }
    Ok(bill)
}

/// Returns an order number without the decimal zeros and thousands separators that a spreadsheet adds.
fn order_number(cell: &str) -> String {
    let whole = match cell.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|digit| digit == b'0') => whole,
        _ => cell,
    };
    let digits: String =
        whole.chars().filter(|sign| ![',', ' ', '\u{a0}', '\u{202f}'].contains(sign)).collect();
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if is_number { digits } else { cell.to_owned() }
}

fn decode(bytes: &[u8]) -> Result<String, BillError> {
    let text = if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        encoding.decode_without_bom_handling_and_without_replacement(&bytes[length..]).map(String::from)
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        Some(text.to_owned())
    } else {
        GB18030.decode_without_bom_handling_and_without_replacement(bytes).map(String::from)
    };
    // Only files that are not text contain zero bytes.
    text.filter(|text| !text.contains('\0')).ok_or(BillError::Encoding)
}

/// Returns the rows that are not blank, with their line numbers.
fn rows(text: &str, separator: u8) -> Result<Vec<(u64, Vec<String>)>, BillError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let mut last = 1;
    for record in reader.records() {
        let record = record.map_err(|error| BillError::Broken { line: last, why: error.to_string() })?;
        last = record.position().map_or(last, csv::Position::line);
        let row: Vec<String> = record.iter().map(|cell| plain(cell).to_owned()).collect();
        if row.iter().any(|cell| !cell.is_empty()) {
            rows.push((last, row));
        }
    }
    Ok(rows)
}

/// Returns whether two column names differ only in case and spaces.
fn is_same(a: &str, b: &str) -> bool {
    let signs = |text: &str| -> String { text.chars().filter(|sign| !sign.is_whitespace()).collect() };
    signs(a).to_lowercase() == signs(plain(b)).to_lowercase()
}

/// Returns a cell without the characters that keep a spreadsheet from converting it to a number.
fn plain(cell: &str) -> &str {
    let bare = cell.trim().trim_matches('\u{feff}').trim();
    let quoted = bare.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    quoted.unwrap_or(bare).trim_start_matches(['\'', '`']).trim()
}

/// Returns whether a spreadsheet rounded a number: `2.02006E+13`.
fn is_rounded(number: &str) -> bool {
    let parts = number.split_once(['E', 'e']);
    parts.is_some_and(|(digits, exponent)| {
        digits.contains('.') && exponent.starts_with('+') && number.parse::<f64>().is_ok()
    })
}

/// A bill compared with the known order numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reconciled {
    pub column: String,
    /// The number of lines with an order number.
    pub lines: usize,
    pub without_number: usize,
    /// Order numbers on both sides.
    pub matched: usize,
    /// Only on the bill.
    pub unknown: Vec<Billed>,
    /// Only in the state or the receipts.
    pub unbilled: Vec<Unbilled>,
}

/// An order number of a bill, with its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Billed {
    pub tran_id: String,
    pub lines: Vec<u64>,
}

/// A known order number that is missing from the bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unbilled {
    pub tran_id: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    pub address: Address,
}

impl Reconciled {
    /// Returns whether both sides have the same order numbers.
    pub fn agrees(&self) -> bool {
        self.unknown.is_empty() && self.unbilled.is_empty()
    }
}

/// Compares a bill with the known order numbers. A bill covers one month: `is_expected` returns, by time,
/// which numbers have to be on it; any known one may be.
pub fn reconcile(
    bill: &Bill,
    known: &BTreeMap<String, (Timestamp, Address)>,
    is_expected: impl Fn(Timestamp) -> bool,
) -> Reconciled {
    let mut billed: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (line, tran_id) in &bill.lines {
        billed.entry(tran_id).or_default().push(*line);
    }
    let mut unbilled: Vec<Unbilled> = known
        .iter()
        .filter(|(tran_id, (at, _))| is_expected(*at) && !billed.contains_key(tran_id.as_str()))
        .map(|(tran_id, (at, address))| Unbilled {
            tran_id: tran_id.clone(),
            at: *at,
            address: address.clone(),
        })
        .collect();
    unbilled.sort_by_key(|unbilled| unbilled.at);
    let numbers = billed.len();
    let mut unknown: Vec<Billed> = billed
        .into_iter()
        .filter(|(tran_id, _)| !known.contains_key(*tran_id))
        .map(|(tran_id, lines)| Billed { tran_id: tran_id.to_owned(), lines })
        .collect();
    unknown.sort_by_key(|billed| billed.lines.first().copied());
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
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn read_all(bytes: &[u8]) -> Result<Bill, BillError> {
        read(bytes, Some("order id"))
    }

    fn lines(bill: &Bill) -> Vec<(u64, &str)> {
        bill.lines.iter().map(|(line, number)| (*line, number.as_str())).collect()
    }

    #[test]
    fn given_column_is_read_in_any_encoding_with_any_separator() {
        let text = "产品名称,Order ID,优惠后总价（元）\n云开发,20200603119423,1.50\n云开发,20200603119424,\n";
        let (gbk, _, _) = GB18030.encode(text);
        let utf16 = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes));
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            gbk.into_owned(),
            utf16.collect(),
            text.replace(',', "\t").into_bytes(),
            text.replace(',', ";").into_bytes(),
            text.replace("2020", "\t2020").into_bytes(),
            text.replace('\n', "\r\n").into_bytes(),
            text.replace("Order ID", "\"orderID\"").into_bytes(),
        ] {
            assert_eq!(lines(&read_all(&bytes).unwrap()), [(2, "20200603119423"), (3, "20200603119424")]);
        }
    }

    #[test]
    fn titles_blank_lines_and_number_guards_are_skipped() {
        let text = "账单明细\n\nOrder ID,Product\n\"=\"\"1\"\"\",a\n`2,b\n\t3\t,c\n'4,d\n,e\n--,f\n\"5\",\"g\nh\"\n6\n";
        let bill = read_all(text.as_bytes()).unwrap();
        assert_eq!(bill.column, "Order ID");
        assert_eq!(lines(&bill), [(4, "1"), (5, "2"), (6, "3"), (7, "4"), (10, "5"), (12, "6")]);
        assert_eq!(bill.without_number, 2);
    }

    #[test]
    fn decimal_zeros_and_thousands_separators_are_not_part_of_a_number() {
        let text = "Order ID\n20261201000001.0\n\"20,261,201,000,002\"\n20261201000003.00\n1.5\na.0\n";
        let expected = ["20261201000001", "20261201000002", "20261201000003", "1.5", "a.0"];
        let bill = read_all(text.as_bytes()).unwrap();
        assert_eq!(bill.lines.iter().map(|(_, number)| number.as_str()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn another_file_is_an_error_and_not_an_empty_bill() {
        let table: [(&[u8], &str); 9] = [
            (b"", "the file is empty"),
            (b" \n\n", "the file is empty"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\r", "not text"),
            (b"Order ID\0,a\n", "not text"),
            (b"\xff\xff\xff", "not text"),
            (b"Product,Cost\nCloudBase,1\n", "which column has the order numbers? It has `Product`, `Cost`"),
            (b"Order ID,a\n2.02006E+13,1\n", "line 2: 2.02006E+13 is an order number that"),
            (b"Order ID,orderid\n1,2\n", "2 columns are named `order id`"),
            (b"{\"a\": 1}\n", "which column has"),
        ];
        for (bytes, says) in table {
            let error = read_all(bytes).unwrap_err().to_string();
            assert!(error.starts_with(says), "{error}");
        }
        let unasked = read(b"Order ID\n1\n", None).unwrap_err();
        assert_eq!(unasked, BillError::NoColumn { columns: vec!["Order ID".to_owned()] });
        assert_eq!(read_all(b"Order ID,Cost\n").unwrap().lines, []);
    }

    #[test]
    fn both_sides_are_reported_within_the_time_range() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let address = |text: &str| Address::new(text).unwrap();
        let known: BTreeMap<String, _> = [("1", 10, "a"), ("2", 20, "b"), ("3", 30, "c"), ("4", 5, "d")]
            .into_iter()
            .map(|(id, second, on)| (id.to_owned(), (at(second), address(on))))
            .collect();
        let bill = read_all(b"Order ID,Amount\n9,1\n1,2\n1,2\n8,3\n9,4\n4,5\n").unwrap();
        let found = reconcile(&bill, &known, |when| when < at(30) && when >= at(8));
        assert_eq!((found.lines, found.matched), (6, 2));
        let billed =
            |tran_id: &str, lines: &[u64]| Billed { tran_id: tran_id.to_owned(), lines: lines.to_vec() };
        assert_eq!(found.unknown, [billed("9", &[2, 6]), billed("8", &[5])]);
        assert_eq!(found.unbilled, [Unbilled { tran_id: "2".to_owned(), at: at(20), address: address("b") }]);
        assert!(!found.agrees());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_rejected(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_all(&bytes);
            let _ = read_all(&[b"Order ID,x\n", &bytes[..]].concat());
        }

        /// Each number is in exactly one of the three results.
        #[test]
        fn every_number_is_reported_once(
            billed in prop::collection::vec("[a-c][0-9]", 0..12),
            known in prop::collection::btree_set("[a-c][0-9]", 0..12),
        ) {
            let text = format!("Order ID\n{}\n", billed.join("\n"));
            let bill = read_all(text.as_bytes()).unwrap();
            let on = |id: &String| (id.clone(), (Timestamp::UNIX_EPOCH, Address::new("a").unwrap()));
            let found = reconcile(&bill, &known.iter().map(on).collect(), |_| true);
            let distinct: BTreeSet<&String> = billed.iter().collect();
            let both = distinct.iter().filter(|id| known.contains(**id)).count();
            prop_assert_eq!(found.matched, both);
            prop_assert_eq!(found.unknown.len(), distinct.len() - both);
            prop_assert_eq!(found.unbilled.len(), known.len() - both);
        }
    }
}
