//! A bill that the vendor exported, held against the order numbers on record. Bytes in, a comparison out; pure.
//!
//! The vendor's reference for the API says nothing of the bill's columns, and they differ by language and by version of the
//! export. So the column with the order numbers is found by its name, from a list of names that were seen, or is named by
//! whoever asks. Nothing else of a bill is relied on.

use std::collections::{BTreeMap, BTreeSet};

use encoding_rs::{Encoding, GB18030};
use jiff::Timestamp;

use crate::desired::Address;

/// What the column with the order numbers may be called, most likely first. Compared without case, spaces, `_` and `-`.
pub const COLUMNS: [&str; 5] = ["订单 ID", "Order ID", "TranId", "交易 ID", "Transaction ID"];
/// What a column with amounts may be called. Only shown.
const AMOUNTS: [&str; 6] = [
    "优惠后总价",
    "优惠后总价(元)",
    "总价",
    "Total Cost",
    "Total Amount After Discount",
    "Amount",
];
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
    #[error("it is empty")]
    Empty,
    #[error("it is no text in UTF-8, UTF-16 or GBK")]
    Encoding,
    #[error("line {line}: {why}")]
    Broken { line: u64, why: String },
    /// No column has one of the names that are looked for.
    #[error("no column has the order numbers: it has {}", listed(.columns))]
    NoColumn { columns: Vec<String> },
    /// Several columns have the name that was asked for.
    #[error("{} columns are called `{}`", .count, .name.escape_debug())]
    Ambiguous { name: String, count: usize },
    /// A spreadsheet took a number for an amount, and rounded it.
    #[error("line {line}: {} was an order number until a spreadsheet rounded it", .text.escape_debug())]
    Rounded { line: u64, text: String },
}

fn listed(columns: &[String]) -> String {
    const MOST: usize = 40;
    let quoted: Vec<String> = columns
        .iter()
        .take(MOST)
        .map(|column| format!("`{}`", column.escape_debug()))
        .collect();
    match columns.len() {
        0 => "none".to_owned(),
        n if n > MOST => format!("{} and {} more", quoted.join(", "), n - MOST),
        _ => quoted.join(", "),
    }
}

/// Reads a bill. `column` names the column with the order numbers; without it, that with one of [`COLUMNS`] is taken, and
/// where there are several, the one in which most `known` numbers stand.
///
/// # Errors
/// When the file has another layout. Not for a line that has no number.
pub fn read(
    bytes: &[u8],
    column: Option<&str>,
    known: impl Fn(&str) -> bool,
) -> Result<Bill, BillError> {
    let text = decoded(bytes)?;
    if text.trim().is_empty() {
        return Err(BillError::Empty);
    }
    let Layout { rows, head, places } = layout(&text, column)?;
    let (names, body) = (&rows[head].1, &rows[head + 1..]);
    let most = |place: &usize| {
        let numbers = body.iter().filter_map(|(_, row)| number(row.get(*place)?));
        let numbers: BTreeSet<&str> = numbers.filter(|number| known(number)).collect();
        numbers.len()
    };
    // Of equals the first is the more likely.
    let place = places
        .iter()
        .rev()
        .copied()
        .max_by_key(most)
        .unwrap_or_default();
    let amount = AMOUNTS
        .iter()
        .find_map(|name| names.iter().position(|it| same(it, name)));
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
        if is_rounded(tran_id) {
            return Err(BillError::Rounded {
                line: *line,
                text: tran_id.to_owned(),
            });
        }
        let amount = amount.and_then(|place| row.get(place)).map(|it| plain(it));
        bill.lines.push(Line {
            number: *line,
            tran_id: tran_id.to_owned(),
            amount: amount.filter(|it| !it.is_empty()).map(str::to_owned),
        });
    }
    Ok(bill)
}

fn decoded(bytes: &[u8]) -> Result<String, BillError> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        let (text, broken) = encoding.decode_without_bom_handling(&bytes[length..]);
        return if broken {
            Err(BillError::Encoding)
        } else {
            Ok(text.into_owned())
        };
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        // A zero is in no table of text, and in every file of another kind.
        return if text.contains('\0') {
            Err(BillError::Encoding)
        } else {
            Ok(text.to_owned())
        };
    }
    match GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) if !text.contains('\0') => Ok(text.into_owned()),
        Some(_) | None => Err(BillError::Encoding),
    }
}

/// A file whose columns were found.
struct Layout {
    /// The rows with anything in them, each with its line.
    rows: Vec<(u64, Vec<String>)>,
    /// Which of them has the columns' names.
    head: usize,
    /// The columns that may hold the order numbers, most likely first.
    places: Vec<usize>,
}

/// Takes the separator with which the columns are found: cells may begin with tabs, and hold commas.
fn layout(text: &str, column: Option<&str>) -> Result<Layout, BillError> {
    let mut widest = Vec::new();
    for separator in [b',', b'\t', b';'] {
        let rows = rows(text, separator)?;
        match header(&rows, column)? {
            Some((head, places)) => return Ok(Layout { rows, head, places }),
            None => {
                for (_, row) in rows.into_iter().take(HEAD) {
                    if row.len() > widest.len() {
                        widest = row;
                    }
                }
            }
        }
    }
    Err(BillError::NoColumn {
        columns: widest.iter().map(|cell| plain(cell).to_owned()).collect(),
    })
}

fn rows(text: &str, separator: u8) -> Result<Vec<(u64, Vec<String>)>, BillError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let (mut line, mut counted) = (1, 0);
    for record in reader.records() {
        let record = record.map_err(|error| BillError::Broken {
            line,
            why: error.to_string(),
        })?;
        // The reader's own count is one behind where lines end in two characters.
        let start = record.position().map_or(0, csv::Position::byte);
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let rest = text.get(start..).unwrap_or_default();
        let start = start + (rest.len() - rest.trim_start_matches(['\r', '\n']).len());
        let passed = text.get(counted..start).unwrap_or_default();
        line += passed.matches('\n').count() as u64;
        counted = start;
        let row: Vec<String> = record.iter().map(str::to_owned).collect();
        if row.iter().any(|cell| !plain(cell).is_empty()) {
            rows.push((line, row));
        }
    }
    Ok(rows)
}

/// The row with the columns' names, and the columns that may hold the order numbers, most likely first.
fn header(
    rows: &[(u64, Vec<String>)],
    column: Option<&str>,
) -> Result<Option<(usize, Vec<usize>)>, BillError> {
    let wanted: Vec<&str> = column.map_or_else(|| COLUMNS.to_vec(), |name| vec![name]);
    for (at, (_, row)) in rows.iter().enumerate().take(HEAD) {
        let mut places = Vec::new();
        for name in &wanted {
            let found = row.iter().enumerate().filter(|(_, cell)| same(cell, name));
            places.extend(found.map(|(place, _)| place));
        }
        let mut seen = BTreeSet::new();
        places.retain(|place| seen.insert(*place));
        if let (Some(name), true) = (column, places.len() > 1) {
            return Err(BillError::Ambiguous {
                name: name.to_owned(),
                count: places.len(),
            });
        }
        if !places.is_empty() {
            return Ok(Some((at, places)));
        }
    }
    Ok(None)
}

/// Whether two names of columns are the same to a reader.
fn same(one: &str, other: &str) -> bool {
    let folded = |text: &str| -> String {
        let signs = plain(text)
            .chars()
            .filter(|sign| !sign.is_whitespace() && *sign != '_' && *sign != '-');
        let signs = signs.map(|sign| match sign {
            '（' => '(',
            '）' => ')',
            sign => sign,
        });
        signs.flat_map(char::to_lowercase).collect()
    };
    folded(one) == folded(other)
}

/// A cell without what keeps a spreadsheet from taking it for a number.
fn plain(cell: &str) -> &str {
    let bare = cell.trim().trim_matches('\u{feff}').trim();
    let quoted = bare
        .strip_prefix("=\"")
        .and_then(|rest| rest.strip_suffix('"'));
    quoted
        .unwrap_or(bare)
        .trim_start_matches(['\'', '`'])
        .trim()
}

/// The order number in a cell; None when it has none.
fn number(cell: &str) -> Option<&str> {
    let number = plain(cell);
    (!number.is_empty() && !number.chars().all(|sign| sign == '-')).then_some(number)
}

/// `2.02006E+13`
fn is_rounded(number: &str) -> bool {
    let parts = number.split_once(['E', 'e']);
    parts.is_some_and(|(digits, exponent)| {
        digits.contains('.') && exponent.starts_with('+') && number.parse::<f64>().is_ok()
    })
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
        .map(|(tran_id, lines)| Billed {
            tran_id: tran_id.to_owned(),
            lines,
        });
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_all(bytes: &[u8]) -> Result<Bill, BillError> {
        read(bytes, None, |_| false)
    }

    fn numbers(bill: &Bill) -> Vec<(u64, &str)> {
        let lines = bill.lines.iter();
        lines
            .map(|line| (line.number, line.tran_id.as_str()))
            .collect()
    }

    #[test]
    fn the_column_is_found_by_its_name_in_any_language_encoding_and_separator() {
        let text = "产品名称,订单 ID,优惠后总价（元）\n云开发,20200603119423,1.50\n云开发,20200603119424,\n";
        let (gbk, _, _) = GB18030.encode(text);
        let utf16 = [0xff, 0xfe]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes));
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            gbk.into_owned(),
            utf16.collect(),
            text.replace(',', "\t").into_bytes(),
            text.replace(',', ";").into_bytes(),
            text.replace("2020", "\t2020").into_bytes(),
            text.replace('\n', "\r\n").into_bytes(),
            text.replace("订单 ID", "订单ID").into_bytes(),
            text.replace("订单 ID", "\"Order ID\"").into_bytes(),
            text.replace("订单 ID", "tran_id").into_bytes(),
            text.replace("订单 ID", "TransactionId").into_bytes(),
        ] {
            let bill = read_all(&bytes).unwrap();
            let found = numbers(&bill);
            assert_eq!(found, [(2, "20200603119423"), (3, "20200603119424")]);
            assert_eq!(bill.lines[0].amount.as_deref(), Some("1.50"));
            assert_eq!(bill.lines[1].amount, None);
        }
    }

    #[test]
    fn titles_blank_lines_and_what_guards_a_number_are_looked_past() {
        let text = "账单明细\n\nOrder ID,Product\n\"=\"\"1\"\"\",a\n`2,b\n\t3\t,c\n'4,d\n,e\n--,f\n\"5\",\"g\nh\"\n6\n";
        let bill = read_all(text.as_bytes()).unwrap();
        assert_eq!(bill.column, "Order ID");
        assert_eq!(
            numbers(&bill),
            [(4, "1"), (5, "2"), (6, "3"), (7, "4"), (10, "5"), (12, "6")]
        );
        assert_eq!(bill.without_number, 2);
    }

    #[test]
    fn of_several_columns_the_one_with_known_numbers_is_taken_or_the_likeliest() {
        let text = "交易 ID,订单 ID\nT1,D1\nT2,D2\n";
        let of = |known: &[&str]| {
            let bill = read(text.as_bytes(), None, |number| known.contains(&number)).unwrap();
            bill.column
        };
        assert_eq!(of(&[]), "订单 ID");
        assert_eq!(of(&["D1"]), "订单 ID");
        assert_eq!(of(&["T1", "T2", "D1"]), "交易 ID");
        let bill = read(text.as_bytes(), Some("交易id"), |number| number == "D1").unwrap();
        assert_eq!(bill.column, "交易 ID");
    }

    #[test]
    fn another_layout_is_told_from_an_empty_bill() {
        let table: [(&[u8], &str); 8] = [
            (b"", "it is empty"),
            (b" \n\n", "it is empty"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\r", "it is no text"),
            (b"Order ID\0,a\n", "it is no text"),
            (b"\xff\xff\xff", "it is no text"),
            (
                b"Product,Cost\nCloudBase,1\n",
                "no column has the order numbers: it has `Product`, `Cost`",
            ),
            (
                b"Order ID,a\n2.02006E+13,1\n",
                "line 2: 2.02006E+13 was an order number until",
            ),
            (b"{\"a\": 1}\n", "no column has the order numbers"),
        ];
        for (bytes, says) in table {
            let error = read_all(bytes).unwrap_err().to_string();
            assert!(error.starts_with(says), "{error}");
        }
        let missing = read(b"Order ID\n1\n", Some("Deal"), |_| false).unwrap_err();
        assert!(matches!(missing, BillError::NoColumn { .. }), "{missing}");
        let twice = read(b"Deal,Deal\n1,2\n", Some("Deal"), |_| false).unwrap_err();
        assert!(
            matches!(twice, BillError::Ambiguous { count: 2, .. }),
            "{twice}"
        );
        let nothing = read_all(b"Order ID,Cost\n").unwrap();
        assert_eq!(nothing.lines, []);
    }

    #[test]
    fn both_sides_are_told_and_a_bill_is_of_some_time() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let address = |text: &str| Address::new(text).unwrap();
        let ours: BTreeMap<String, _> = [
            ("1", 10, "a"),
            ("2", 20, "b"),
            ("3", 30, "c"),
            ("4", 5, "d"),
        ]
        .into_iter()
        .map(|(id, second, on)| (id.to_owned(), (at(second), address(on))))
        .collect();
        let text = "Order ID,Amount\n9,1\n1,2\n1,2\n8,3\n9,4\n4,5\n";
        let bill = read_all(text.as_bytes()).unwrap();
        let found = reconcile(&bill, &ours, |when| when < at(30) && when >= at(8));
        assert_eq!((found.lines, found.matched), (6, 2));
        let unknown: Vec<_> = found
            .unknown
            .iter()
            .map(|billed| {
                let lines = billed.lines.iter().map(|line| line.number);
                (billed.tran_id.as_str(), lines.collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(unknown, [("9", vec![2, 6]), ("8", vec![5])]);
        assert_eq!(
            found.unbilled,
            [Unbilled {
                tran_id: "2".to_owned(),
                at: at(20),
                address: address("b"),
            }]
        );
        assert!(!found.agrees());
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_are_no_reason_to_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_all(&bytes);
            let _ = read_all(&[b"Order ID,x\n", &bytes[..]].concat());
        }

        /// Whatever the numbers, each is on exactly one of the three sides.
        #[test]
        fn every_number_is_told_once(
            billed in prop::collection::vec("[a-c][0-9]", 0..12),
            ours in prop::collection::btree_set("[a-c][0-9]", 0..12),
        ) {
            let text = format!("Order ID\n{}\n", billed.join("\n"));
            let bill = read_all(text.as_bytes()).unwrap();
            let known: BTreeMap<String, _> = ours
                .iter()
                .map(|id| (id.clone(), (Timestamp::UNIX_EPOCH, Address::new("a").unwrap())))
                .collect();
            let found = reconcile(&bill, &known, |_| true);
            let distinct: BTreeSet<&String> = billed.iter().collect();
            let both = distinct.iter().filter(|id| ours.contains(**id)).count();
            prop_assert_eq!(found.matched, both);
            prop_assert_eq!(found.unknown.len(), distinct.len() - both);
            prop_assert_eq!(found.unbilled.len(), ours.len() - both);
            prop_assert_eq!(found.agrees(), found.unknown.is_empty() && found.unbilled.is_empty());
        }
    }
}
