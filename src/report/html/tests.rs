//! The whole page.

use std::time::{Duration, Instant};

use super::*;
use crate::apply::{Call, CallKind};
use crate::report::page::tests::{HOSTILE, hostile, large, run_page, sample};

#[test]
fn dump() {
    let dir = std::path::Path::new("/tmp/h/pages");
    std::fs::create_dir_all(dir).unwrap();
    let put = |name: &str, it: &Page| {
        std::fs::write(dir.join(name), page(it, &Setting::default())).unwrap()
    };
    put("plan.html", &sample());
    put("run.html", &run_page());
    put("hostile.html", &hostile());
    let start = Instant::now();
    put("large.html", &large(5000));
    println!("{:?}", start.elapsed());
    let _ = (HOSTILE, Duration::ZERO, CallKind::Taken, None::<Call>);
}
