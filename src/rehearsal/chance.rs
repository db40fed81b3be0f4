//! Faults by chance, the same ones for the same seed for good: a seed that someone noted must mean what it meant.

use crate::sandbox::{Calls, Fault, FaultKind, Target};

/// The most faults of one run.
const MOST: u64 = 3;
/// The calls of a question among which one is struck.
const QUESTIONS: u64 = 4;

/// The faults of run number `run` (from 1) that makes `orders`: one to three, at calls that there will be.
pub fn faults(seed: u64, run: u64, orders: u64) -> Vec<Fault> {
    let mut dice = Dice(seed ^ run.wrapping_mul(0xd134_2543_de82_ef95));
    let count = dice.up_to(MOST);
    (0..count).map(|_| fault(&mut dice, orders)).collect()
}

fn fault(dice: &mut Dice, orders: u64) -> Fault {
    // Questions are fewer than orders, and losing one costs only time.
    let target = match dice.up_to(8) {
        1 => Target::List,
        2 => Target::Bills,
        _ => Target::Create,
    };
    let (kind, calls) = match target {
        // One call more than there are orders: the second attempt at the last one.
        Target::Create => (dice.pick(of_orders()), orders + 1),
        // Changes are not drawn: a seed that was noted before there were any must mean what it meant.
        Target::List | Target::Bills | Target::Modify | Target::Destroy | Target::Sts => {
            (dice.pick(of_questions()), QUESTIONS)
        }
    };
    let at = dice.up_to(calls);
    Fault { target, kind, calls: Calls::Range { first: at, last: at } }
}

/// Everything that can happen to an order, but for an answer that says no to an order that was made with a code that
/// means that nothing was: that is left to a person, whom chance does not have.
fn of_orders() -> Vec<FaultKind> {
    let mut kinds = of_questions();
    kinds.extend([
        FaultKind::ResetAfter,
        FaultKind::EofAfter,
        FaultKind::HangAfter,
        FaultKind::ServerErrorAfter,
        FaultKind::NullEnvId,
        FaultKind::MissingTranId,
        FaultKind::ErrorAfter("InternalError".to_owned()),
        FaultKind::Error("LimitExceeded".to_owned()),
    ]);
    kinds
}

fn of_questions() -> Vec<FaultKind> {
    vec![
        FaultKind::Throttle,
        FaultKind::ResetBefore,
        FaultKind::EofBefore,
        FaultKind::HangBefore,
        FaultKind::ServerErrorBefore,
        FaultKind::CutBody,
        FaultKind::Html,
        FaultKind::Error("InternalError".to_owned()),
    ]
}

/// SplitMix64, by Sebastiano Vigna: small, and written down here so that no release of a library changes what a seed means.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 1 to `most`.
    fn up_to(&mut self, most: u64) -> u64 {
        self.roll() % most.max(1) + 1
    }

    fn pick<T>(&mut self, mut from: Vec<T>) -> T {
        let place = usize::try_from(self.roll() % from.len() as u64).unwrap_or_default();
        from.swap_remove(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64, run: u64) -> Vec<String> {
        faults(seed, run, 5).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_seed_means_the_same_for_good() {
        assert_eq!(drawn(1, 1), drawn(1, 1));
        assert_ne!(drawn(1, 1), drawn(2, 1));
        assert_ne!(drawn(1, 1), drawn(1, 2));
    }

    #[test]
    fn every_fault_comes_up_and_can_be_given_by_hand() {
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
        assert_eq!(kinds.len(), of_orders().len() + 2 * of_questions().len());
    }
}
