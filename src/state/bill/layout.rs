//! What a file's text is: its encoding, its separator, its columns, and what a cell says without its guards.

use std::borrow::Cow;
use std::collections::BTreeSet;

use encoding_rs::{Encoding, GB18030};

use super::{BillError, COLUMNS, HEAD};

pub(super) fn decoded(bytes: &[u8]) -> Result<String, BillError> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        let (text, broken) = encoding.decode_without_bom_handling(&bytes[length..]);
        return if broken { Err(BillError::Encoding) } else { Ok(text.into_owned()) };
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        // A zero is in no table of text, and in every file of another kind.
        return if text.contains('\0') { Err(BillError::Encoding) } else { Ok(text.to_owned()) };
    }
    match GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) if !text.contains('\0') => Ok(text.into_owned()),
        Some(_) | None => Err(BillError::Encoding),
    }
}

/// A file whose columns were found.
pub(super) struct Layout {
    /// The rows with anything in them, each with its line.
    pub(super) rows: Vec<(u64, Vec<String>)>,
    /// Which of them has the columns' names.
    pub(super) head: usize,
    /// The columns that may hold the order numbers, most likely first.
    pub(super) places: Vec<usize>,
}

/// Takes the separator with which the columns are found: cells may begin with tabs, and hold commas.
pub(super) fn layout(text: &str, column: Option<&str>) -> Result<Layout, BillError> {
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
    Err(BillError::NoColumn { columns: widest.iter().map(|cell| plain(cell).to_owned()).collect() })
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
        let record = record.map_err(|error| BillError::Broken { line, why: error.to_string() })?;
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
            return Err(BillError::Ambiguous { name: name.to_owned(), count: places.len() });
        }
        if !places.is_empty() {
            return Ok(Some((at, places)));
        }
    }
    Ok(None)
}

/// Whether two names of columns are the same to a reader.
pub(super) fn same(one: &str, other: &str) -> bool {
    let folded = |text: &str| -> String {
        let signs = plain(text).chars().filter(|sign| !sign.is_whitespace() && *sign != '_' && *sign != '-');
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
pub(super) fn plain(cell: &str) -> &str {
    let bare = cell.trim().trim_matches('\u{feff}').trim();
    let quoted = bare.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    quoted.unwrap_or(bare).trim_start_matches(['\'', '`']).trim()
}

/// The order number in a cell; None when it has none. One that a spreadsheet shows as an amount, `20,200,603,119,423.00`, is read
/// as the number that it is.
pub(super) fn number(cell: &str) -> Option<Cow<'_, str>> {
    let number = plain(cell);
    if number.is_empty() || number.chars().all(|sign| sign == '-') {
        return None;
    }
    Some(whole(number).map_or(Cow::Borrowed(number), Cow::Owned))
}

/// The digits of a whole number with decimal zeros, or with its thousands apart; None for anything else.
fn whole(number: &str) -> Option<String> {
    let (number, decimals) = number.split_once('.').unwrap_or((number, ""));
    let mut groups = number.split([',', '，', '\'', ' ', '\u{a0}', '\u{202f}']);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next()?;
    let groups: Vec<&str> = groups.collect();
    let is_whole = !first.is_empty()
        && is_digits(first)
        && (groups.is_empty() || first.len() <= 3)
        && groups.iter().all(|group| group.len() == 3 && is_digits(group))
        && decimals.bytes().all(|byte| byte == b'0');
    is_whole.then(|| [first, &groups.concat()].concat())
}

/// `2.02006E+13`
pub(super) fn is_rounded(number: &str) -> bool {
    let parts = number.split_once(['E', 'e']);
    parts.is_some_and(|(digits, exponent)| {
        digits.contains('.') && exponent.starts_with('+') && number.parse::<f64>().is_ok()
    })
}
