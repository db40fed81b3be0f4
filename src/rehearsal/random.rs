//! Random faults. A seed gives the same faults in every version.

use crate::sandbox::{Break, Calls, Fault, FaultKind, Target};

/// The maximum number of faults in a run.
const MOST: u64 = 3;
/// A read fault is at one of this many calls.
const READS: u64 = 4;

/// Returns the faults of run number `run` (from 1) with `orders` creates: one to three, at calls that will
/// happen.
pub fn faults(seed: u64, run: u64, orders: u64) -> Vec<Fault> {
    let mut rng = Rng(seed ^ run.wrapping_mul(0xd134_2543_de82_ef95));
    let count = rng.up_to(MOST);
    (0..count).map(|_| fault(&mut rng, orders)).collect()
}

fn fault(rng: &mut Rng, orders: u64) -> Fault {
    // Reads are fewer than creates, and losing one costs only time.
    let target = match rng.up_to(8) {
        1 => Target::List,
        2 => Target::Bills,
        _ => Target::Create,
    };
    let (kind, calls) = match target {
        // One more call than creates: the second attempt at the last one.
        Target::Create => (rng.pick(create_kinds()), orders + 1),
        // Only creates and reads, so that older seeds keep their meaning.
        Target::List
        | Target::Bills
        | Target::Modify
        | Target::Destroy
        | Target::Account
        | Target::Inside
        | Target::Sts => (rng.pick(read_kinds()), READS),
    };
    let at = rng.up_to(calls);
    Fault { target, kind, calls: Calls::Range { first: at, last: at } }
}

/// Returns every fault of a create except a code for "nothing was created" when it was, which only a user can
/// settle.
fn create_kinds() -> Vec<FaultKind> {
    let mut kinds = read_kinds();
    kinds.extend([
        FaultKind::After(Break::Reset),
        FaultKind::After(Break::Eof),
        FaultKind::After(Break::Hang),
        FaultKind::After(Break::ServerError),
        FaultKind::NullEnvId,
        FaultKind::MissingTranId,
        FaultKind::ErrorAfter("InternalError".to_owned()),
        FaultKind::Error("LimitExceeded".to_owned()),
    ]);
    kinds
}

fn read_kinds() -> Vec<FaultKind> {
    vec![
        FaultKind::Throttle,
        FaultKind::Before(Break::Reset),
        FaultKind::Before(Break::Eof),
        FaultKind::Before(Break::Hang),
        FaultKind::Before(Break::ServerError),
        FaultKind::CutBody,
        FaultKind::Html,
        FaultKind::Error("InternalError".to_owned()),
    ]
}

/// SplitMix64, by Sebastiano Vigna. Not from a library, whose releases might change what a seed means.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from 1 to `most`.
    fn up_to(&mut self, most: u64) -> u64 {
        self.next() % most.max(1) + 1
    }

    fn pick<T>(&mut self, mut from: Vec<T>) -> T {
        let place = usize::try_from(self.next() % from.len() as u64).unwrap_or_default();
        from.swap_remove(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(seed: u64, run: u64) -> Vec<String> {
        faults(seed, run, 5).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn seed_gives_the_same_faults_forever() {
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(2, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
    }

    #[test]
    fn every_fault_is_drawn_and_can_be_written() {
        let mut kinds = std::collections::BTreeSet::new();
        for run in 1..=500 {
            let faults = faults(7, run, 5);
            assert!((1..=3).contains(&faults.len()));
            for fault in faults {
                let text = fault.to_string();
                assert_eq!(text.parse(), Ok(fault));
                kinds.insert(text.split('@').next().unwrap().to_owned());
            }
        }
        assert_eq!(kinds.len(), create_kinds().len() + 2 * read_kinds().len());
    }
}
