//! A hash of names that tells most of them apart at next to no cost: what a manifest has most of are keys that mean nothing.

/// A number that tells most names apart. It serves only to tell quickly what a name is not. The factors are those by which
/// few of the keys that are frequent in manifests are taken for keys that mean something.
#[inline(always)]
pub(super) const fn name_hash(name: &[u8]) -> u8 {
    match name {
        [first, .., last] => {
            (name.len() as u8).wrapping_add(first.wrapping_mul(10)).wrapping_add(last.wrapping_mul(2))
        }
        [one] => *one,
        [] => 0,
    }
}

/// Some bytes: the hashes of names, or what names start with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    /// Adds `byte`.
    pub(super) fn add(&mut self, byte: u8) {
        self.0[usize::from(byte / 64)] |= 1 << (byte % 64);
    }

    /// Whether `byte` was added.
    #[inline(always)]
    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte / 64)] >> (byte % 64) & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_what_was_added() {
        let mut bytes = ByteSet::default();
        [0, 63, 64, 255].into_iter().for_each(|byte| bytes.add(byte));
        assert!((0..=255).filter(|byte| bytes.has(*byte)).eq([0, 63, 64, 255]));
    }

    #[test]
    fn most_names_are_told_apart() {
        let names: Vec<String> = (0..300).map(|n| format!("{n}name{}", n * n)).collect();
        let mut few = ByteSet::default();
        names[..5].iter().for_each(|name| few.add(name_hash(name.as_bytes())));
        let alike = names.iter().filter(|name| few.has(name_hash(name.as_bytes()))).count();
        assert!((5..60).contains(&alike), "{alike} of 300 are not told apart");
    }
}
