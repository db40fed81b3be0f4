//! The engine against a simulated rate limit, with calls that take unequally long to arrive and congestions.

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const CREATES: usize = 24;

#[derive(Debug, Clone, Copy)]
enum Window {
    Sliding,
    /// Seconds begin this long before the first call.
    Fixed(Duration),
}

/// Admits two calls per window, and none during the congestion.
#[derive(Debug, Clone)]
pub(super) struct Gateway {
    window: Window,
    /// Every call takes up to this long to arrive, uniformly distributed.
    jitter: Duration,
    random: u64,
    /// When the congestion begins and how long it lasts, from the first call on.
    congestion: (Duration, Duration),
    first: Option<Instant>,
    admitted: Vec<Duration>,
}

impl Gateway {
    fn new(window: Window, jitter: Duration, seed: u64) -> Self {
        Self {
            window,
            jitter,
            random: seed,
            congestion: (Duration::ZERO, Duration::ZERO),
            first: None,
            admitted: Vec::new(),
        }
    }

    pub(super) fn admits(&mut self, sent: Instant) -> bool {
        let first = *self.first.get_or_insert(sent);
        let arrival = sent - first + self.jitter.mul_f64(self.chance());
        let (from, lasts) = self.congestion;
        if (from..from + lasts).contains(&arrival) {
            return false;
        }
        let in_window = |earlier: &&Duration| match self.window {
            Window::Sliding => arrival < **earlier + SECOND,
            Window::Fixed(phase) => (arrival + phase).as_secs() == (**earlier + phase).as_secs(),
        };
        let admits = self.admitted.iter().filter(in_window).count() < 2;
        if admits {
            self.admitted.push(arrival);
        }
        admits
    }

    /// Knuth's linear congruential generator, in 0..1.
    fn chance(&mut self) -> f64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005);
        self.random = self.random.wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.random >> 32).unwrap()) / f64::from(u32::MAX)
    }
}

const WINDOWS: [Window; 2] = [Window::Sliding, Window::Fixed(Duration::from_millis(740))];

const LATENCIES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(300), Duration::from_millis(1500)];

async fn create(gateway: Gateway, latency: Duration) -> ApplySummary {
    let names: Vec<String> = (0..CREATES).map(|n| format!("env-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut bench = Bench::new(latency, &[]);
    let cloud = Arc::get_mut(&mut bench.cloud).unwrap();
    cloud.gateway = Some(Mutex::new(gateway));
    let settings = Settings { retry_for: 120 * SECOND, ..settings() };
    let report = bench.apply(&names, &settings).await;
    assert_eq!(report.counts().ordered, CREATES, "{report:?}");
    assert_order_is_kept(&report);
    report
}

/// First attempts start in declared order, and none starts between the throttled answer to an earlier one and the next
/// attempt at that one.
#[track_caller]
fn assert_order_is_kept(report: &ApplySummary) {
    let results = &report.results;
    for (at, result) in results.iter().enumerate() {
        let later = || results[at + 1..].iter().flat_map(|later| &later.calls);
        let first = result.calls[0].sent;
        assert!(later().all(|call| call.sent > first), "{at}: {report:?}");
        for pair in result.calls.windows(2) {
            assert_eq!(pair[0].kind, CallKind::Throttled);
            assert!(pair[1].sent >= pair[0].sent + SECOND, "{at}: {report:?}");
            let waits = pair[0].answered..pair[1].sent;
            let overtakes = later().any(|call| waits.contains(&call.sent));
            assert!(!overtakes, "{at}: {report:?}");
        }
    }
    let mut starts: Vec<Duration> =
        results.iter().flat_map(|result| &result.calls).map(|call| call.sent).collect();
    starts.sort();
    for pair in starts.windows(2) {
        assert!(pair[1] >= pair[0] + Duration::from_millis(513), "{pair:?}");
    }
}

fn floor(latency: Duration) -> Duration {
    crate::apply::pace::least_time(CREATES, 2.0) + latency
}

fn throttled(report: &ApplySummary) -> usize {
    let calls = report.results.iter().flat_map(|result| &result.calls);
    calls.filter(|call| call.kind == CallKind::Throttled).count()
}

#[tokio::test(start_paused = true)]
async fn a_quiet_line_takes_at_most_3_percent_more_than_the_floor() {
    for window in WINDOWS {
        for latency in LATENCIES {
            let report = create(Gateway::new(window, Duration::ZERO, 0), latency).await;
            assert_eq!(throttled(&report), 0, "{window:?}");
            let most = floor(latency).mul_f64(1.03);
            assert!(report.took <= most, "{:?} {window:?}", report.took);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn jitter_within_the_margin_of_the_spacing_throttles_nothing() {
    for window in WINDOWS {
        for seed in 0..6 {
            let gateway = Gateway::new(window, Duration::from_millis(29), seed);
            let report = create(gateway, LATENCIES[1]).await;
            assert_eq!(throttled(&report), 0, "{window:?} {seed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn jitter_of_30_ms_costs_at_most_10_percent() {
    for window in WINDOWS {
        for seed in 0..6 {
            let gateway = Gateway::new(window, Duration::from_millis(30), seed);
            let latency = LATENCIES[1];
            let report = create(gateway, latency).await;
            // Two margins of 14.5 ms: one call in some thousand can still be throttled.
            assert!(throttled(&report) <= 1, "{window:?} {seed}");
            let most = floor(latency).mul_f64(1.1);
            assert!(report.took <= most, "{:?} {window:?}", report.took);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_congestion_costs_at_most_4_seconds_more_than_it_lasts() {
    let mut random = Gateway::new(Window::Sliding, Duration::ZERO, 42);
    for window in WINDOWS {
        for latency in LATENCIES {
            for (lasts, jitter) in [(1, 0), (3, 0), (10, 0), (1, 30), (3, 30), (10, 30)] {
                let jitter = Duration::from_millis(jitter);
                let lasts = Duration::from_secs(lasts);
                let begins = (4 * SECOND).mul_f64(random.chance());
                let gateway = Gateway { congestion: (begins, lasts), ..Gateway::new(window, jitter, 7) };
                let report = create(gateway, latency).await;
                assert!(throttled(&report) > 0, "{begins:?} {lasts:?}");
                let undisturbed = SPACED * u32::try_from(CREATES - 1).unwrap() + latency;
                assert!(
                    report.took <= undisturbed + lasts + 4 * SECOND,
                    "{:?} for {lasts:?} from {begins:?} on, {latency:?}, {jitter:?}, {window:?}",
                    report.took
                );
            }
        }
    }
}
