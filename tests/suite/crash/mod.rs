//! Processes that die, for real, at every moment that there is: nothing is ordered twice, nothing is forgotten, and the
//! documented recovery finishes the job without a file being touched by hand. The sandbox's ledger is the judge.

mod kills;
mod life;
mod points;
mod recovery;

use std::io::Write as _;

/// Says something that is seen whether or not the test passes.
fn announce(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
