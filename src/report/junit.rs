//! JUnit's XML, for CI systems: a test case for every environment of a plan or a run, and for every file of a check.
//!
//! A case fails for an error about it: a blocked step, an unknown outcome, a failed step, counted drift. It is skipped while it has no
//! result: a step that waits for its EnvId, or that the run did not reach. A warning is in the case's output. An error about no case
//! is a case itself.

use std::fmt::Write as _;

use super::text::clean;
use super::view::{Entry, Finding, Kind, Level, Report};

/// Returns the report as one document that ends in a newline.
pub fn render(report: &Report) -> String {
    let mut about: Vec<Vec<&Finding>> = vec![Vec::new(); report.entries.len()];
    let mut rest = Vec::new();
    for finding in &report.findings {
        match finding.entry.and_then(|at| about.get_mut(at)) {
            Some(findings) => findings.push(finding),
            None => rest.push(finding),
        }
    }
    let is_error = |finding: &&&Finding| finding.level == Level::Error;
    let fails = |findings: &Vec<&Finding>| findings.iter().any(|one| fails(one, report.kind));
    let strays: Vec<&&Finding> = rest.iter().filter(is_error).collect();
    let tests = report.entries.len() + strays.len();
    let failures = about.iter().filter(|findings| fails(findings)).count() + strays.len();
    let skipped = report
        .entries
        .iter()
        .zip(&about)
        .filter(|(entry, findings)| entry.skipped.is_some() && !fails(findings))
        .count();
    let time = report.took.map_or(0.0, |took| took.as_secs_f64());
    let kind = report.kind.name();
    let counts = format!(
        "tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{time:.3}\""
    );
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites name=\"postpay\" {counts}>");
    let _ = writeln!(out, "  <testsuite name=\"postpay {kind}\" {counts}>");
    for (entry, findings) in report.entries.iter().zip(&about) {
        case(&mut out, entry, findings, report.kind);
    }
    for finding in strays {
        let (name, class) = match &finding.place {
            Some(place) => (place.to_string(), place.file.as_str()),
            None => (finding.code.to_owned(), "postpay"),
        };
        let _ = writeln!(
            out,
            "    <testcase name=\"{}\" classname=\"{}\" time=\"0.000\">",
            xml(&name),
            xml(class)
        );
        failure(&mut out, finding);
        out.push_str("    </testcase>\n");
    }
    let warnings: Vec<&Finding> = rest.into_iter().filter(|one| !is_error(&one)).collect();
    let mut output = report.summary.join("\n");
    for finding in warnings {
        let _ = write!(output, "\n{}", finding.to_text());
    }
    let _ = writeln!(out, "    <system-out>{}</system-out>", xml(&output));
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// Whether a case fails for it: an error always, and everything that counts as drift.
fn fails(finding: &Finding, kind: Kind) -> bool {
    match (finding.level, kind) {
        (Level::Error, _) | (Level::Warning, Kind::Drift) => true,
        (Level::Warning, Kind::Plan | Kind::Apply | Kind::Validate | Kind::State) | (Level::Note, _) => false,
    }
}

fn case(out: &mut String, entry: &Entry, findings: &[&Finding], kind: Kind) {
    let class = match (kind, &entry.place) {
        (Kind::Plan | Kind::Apply | Kind::Drift | Kind::State, Some(place)) => place.file.as_str(),
        (Kind::Plan | Kind::Apply | Kind::Drift | Kind::Validate | Kind::State, _) => "postpay",
    };
    let time: f64 = entry
        .calls
        .iter()
        .map(|call| call.answered.saturating_sub(call.sent).as_secs_f64())
        // An empty sum of floats is a negative zero.
        .fold(0.0, |sum, took| sum + took);
    let _ = write!(out, "    <testcase name=\"{}\" classname=\"{}\"", xml(&entry.name), xml(class));
    if let Some(place) = &entry.place {
        let _ = write!(out, " file=\"{}\" line=\"{}\"", xml(&place.file), place.line);
    }
    let _ = writeln!(out, " time=\"{time:.3}\">");
    let (errors, others): (Vec<&&Finding>, Vec<&&Finding>) =
        findings.iter().partition(|one| fails(one, kind));
    // A case has one failure at most: readers take the first and drop the rest.
    if let [first, more @ ..] = errors.as_slice() {
        let mut whole = first.to_text();
        for finding in more {
            let _ = write!(whole, "\n\n{}", finding.to_text());
        }
        let message = xml(&first.message);
        let (code, whole) = (xml(first.code), xml(&whole));
        let _ = writeln!(out, "      <failure message=\"{message}\" type=\"{code}\">{whole}</failure>");
    } else if let Some(why) = &entry.skipped {
        let _ = writeln!(out, "      <skipped message=\"{}\"/>", xml(why));
    }
    let words = [Some(&entry.action.text), entry.outcome.as_ref().map(|it| &it.text), entry.reason.as_ref()];
    let words: Vec<&str> = words.into_iter().flatten().map(String::as_str).collect();
    let mut output = if kind == Kind::Validate { String::new() } else { words.join(": ") };
    for finding in others {
        let _ = write!(output, "\n{}", finding.to_text());
    }
    let output = output.trim_start();
    if !output.is_empty() {
        let _ = writeln!(out, "      <system-out>{}</system-out>", xml(output));
    }
    out.push_str("    </testcase>\n");
}

fn failure(out: &mut String, finding: &Finding) {
    let (message, code) = (xml(&finding.message), xml(finding.code));
    let whole = xml(&finding.to_text());
    let _ = writeln!(out, "      <failure message=\"{message}\" type=\"{code}\">{whole}</failure>");
}

/// Escapes text for content and quoted attributes. A line break stays one; what is invisible, and so whatever XML 1.0 cannot
/// express, is shown as an escape.
fn xml(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(clean).collect();
    let mut safe = String::with_capacity(text.len() + 16);
    for c in lines.join("\n").chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\n' => safe.push_str("&#10;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{drift_page, hostile, run_page, sample};

    #[test]
    fn a_page_is_a_suite_with_a_case_for_every_entry() {
        insta::assert_snapshot!(render(&sample()));
    }

    #[test]
    fn the_counts_are_those_of_the_cases() {
        for page in [sample(), hostile(), run_page(), drift_page()] {
            let text = render(&page);
            let document = roxmltree::Document::parse(&text).unwrap();
            let all = |name: &str| {
                let nodes = document.descendants();
                nodes.filter(|node| node.has_tag_name(name)).count().to_string()
            };
            let suites = document.root_element();
            assert_eq!(suites.attribute("tests"), Some(&*all("testcase")), "{text}");
            assert_eq!(suites.attribute("failures"), Some(&*all("failure")), "{text}");
            assert_eq!(suites.attribute("skipped"), Some(&*all("skipped")), "{text}");
            assert!(!text.contains("\"-0"), "{text}");
        }
    }

    #[test]
    fn everything_that_xml_takes_is_escaped() {
        assert_eq!(xml("<a b='\"'>&]]>"), "&lt;a b=&apos;&quot;&apos;&gt;&amp;]]&gt;");
        assert_eq!(xml("\u{0}\u{1b}\u{9c}\u{fffe}中"), r"\u{0}\u{1b}\u{9c}\u{fffe}中");
        let text = render(&hostile());
        assert!(!text.contains("<script>"), "{text}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
        let document = roxmltree::Document::parse(&text).unwrap();
        assert_eq!(document.root_element().tag_name().name(), "testsuites");
        // Every tag is one of ours.
        for tag in text.split('<').skip(1) {
            let name = tag.trim_start_matches('/');
            let known = ["?xml", "testsuite", "testcase", "failure", "skipped", "system-out"];
            assert!(known.iter().any(|one| name.starts_with(one)), "{tag}");
        }
    }
}
