//! Text that is built line by line, and tables.

use std::fmt::{Display, Write as _};

use comfy_table::{Table, presets};

use super::options::RenderOptions;
use super::text::{left, width};

/// Text that is built line by line, in the reader's language.
pub(super) struct Lines {
    options: RenderOptions,
    text: String,
}

impl Lines {
    pub(super) fn new(options: RenderOptions) -> Self {
        Self { options, text: String::new() }
    }

    pub(super) fn add(&mut self, line: impl Display) {
        self.text += &self.options.in_lang(line);
        self.text.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Adds a name, padded to `columns`, and its value.
    pub(super) fn row(&mut self, indent: usize, name: impl Display, columns: usize, value: impl Display) {
        let name = left(&self.options.in_lang(name), columns);
        let value = self.options.in_lang(value);
        let _ = writeln!(self.text, "{:indent$}{name}{value}", "");
    }

    /// Returns the lines, wrapped at the width of the terminal; continued lines are indented by `indent`.
    pub(super) fn wrap(self, indent: usize) -> String {
        self.options.wrap(self.text, indent)
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// Returns rows under their headers. Where a terminal is too narrow for all columns, the last ones stand below their row, each
/// after its header.
pub(super) fn table<const N: usize>(
    headers: &[String; N],
    rows: &[[String; N]],
    options: RenderOptions,
) -> String {
    let Some(columns) = options.columns else {
        return render_columns(headers, rows, N).join("");
    };
    let fits = |n: &usize| {
        let lines = render_columns(headers, rows, *n);
        lines.iter().all(|line| width(line.trim_end()) <= columns)
    };
    // The first column is always shown.
    let n = (1..=N).rev().find(fits).unwrap_or(1);
    let mut lines = render_columns(headers, rows, n).into_iter();
    let mut out = lines.next().unwrap_or_default();
    for (line, row) in lines.zip(rows) {
        out.push_str(&line);
        let below = headers.iter().zip(row).skip(n);
        // A missing value needs no line.
        let below = below.filter(|(_, cell)| *cell != "-");
        let mut line = String::new();
        for (header, cell) in below {
            let piece = format!("  {header} {cell}");
            if !line.is_empty() && 2 + width(&line) + width(&piece) > columns {
                let _ = writeln!(out, "  {line}");
                line.clear();
            }
            line.push_str(&piece);
        }
        if !line.is_empty() {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}

/// Returns a line per row, the headers first, with the first `n` columns.
fn render_columns<const N: usize>(headers: &[String; N], rows: &[[String; N]], n: usize) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(headers.iter().take(n));
    for row in rows {
        table.add_row(row.iter().take(n));
    }
    let lines = table.to_string();
    lines.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = "01a21f3d-7cb8-7176-9569-53c7634c4de3";

    fn shown(columns: Option<usize>) -> String {
        let headers = ["ADDRESS", "TRAN_ID", "REQUEST_ID", "SOURCE"].map(str::to_owned);
        let row = ["shop", "20260501000001", REQUEST, "environments/shop.yaml:5"];
        let none = ["环境", "-", "-", "environments/blog.yaml:15"];
        let options = RenderOptions { columns, ..RenderOptions::PLAIN };
        table(&headers, &[row, none].map(|row| row.map(str::to_owned)), options)
    }

    #[test]
    fn a_terminal_that_is_wide_enough_and_what_is_none_have_every_column() {
        assert_eq!(shown(None), shown(Some(95)));
        assert_eq!(shown(None).lines().count(), 3);
    }

    #[test]
    fn what_does_not_fit_stands_below_and_is_not_broken() {
        insta::assert_snapshot!(shown(Some(80)), @r"
        ADDRESS  TRAN_ID         REQUEST_ID
        shop     20260501000001  01a21f3d-7cb8-7176-9569-53c7634c4de3
           SOURCE environments/shop.yaml:5
        环境     -               -
           SOURCE environments/blog.yaml:15
        ");
        for columns in 41..100 {
            let shown = shown(Some(columns));
            assert!(shown.contains(REQUEST), "{shown}");
            let widest = shown.lines().map(width).max().unwrap();
            assert!(widest <= columns.max(51), "{columns}: {shown}");
        }
    }
}
