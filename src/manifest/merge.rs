//! Members of mappings: duplicate keys, and what merge keys (`<<`) add.

use std::collections::HashMap;

/// Up to this many names, a linear search is faster than hashing.
const FEW: usize = 8;

/// The names in a mapping, with the position of their first occurrence.
pub(super) struct Names<'a> {
    few: Vec<(&'a str, usize)>,
    many: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    pub(super) fn new() -> Self {
        Self { few: Vec::new(), many: HashMap::new() }
    }

    /// Adds `name` at `at`, or returns where it was first.
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
    fn first_position_of_a_name_is_kept() {
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
