//! Members of mappings: which keys are there twice, and what merge keys (`<<`) bring in.

use std::collections::HashMap;

/// Up to here a look along a list is quicker than hashing.
const FEW: usize = 8;

/// The names in a mapping so far, with where each was first seen.
pub(super) struct Names<'a> {
    few: Vec<(&'a str, usize)>,
    many: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    pub(super) fn new() -> Self {
        Self { few: Vec::new(), many: HashMap::new() }
    }

    /// Notes `name` at `at`, or says where it was before.
    pub(super) fn insert(&mut self, name: &'a str, at: usize) -> Result<(), usize> {
        if let Some((_, before)) = self.few.iter().find(|(known, _)| *known == name) {
            return Err(*before);
        }
        if self.few.len() < FEW {
            self.few.push((name, at));
            return Ok(());
        }
        match self.many.entry(name) {
            std::collections::hash_map::Entry::Occupied(before) => Err(*before.get()),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(at);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_of_a_name_is_kept_among_few_and_many() {
        let names: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        let mut seen = Names::new();
        for (at, name) in names.iter().enumerate() {
            assert_eq!(seen.insert(name, at), Ok(()));
        }
        for (at, name) in names.iter().enumerate() {
            assert_eq!(seen.insert(name, 99), Err(at));
        }
    }
}
