//! The known word nearest to a mistyped one.

/// The word of `known` that `word` was most likely meant to be; `None` when none is near.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let lower = word.to_lowercase();
    let near = |known: &&str| {
        let distance = strsim::osa_distance(&lower, &known.to_lowercase());
        (distance <= 1 + known.len() / 4).then_some(distance)
    };
    known.iter().filter_map(|k| near(k).map(|distance| (distance, *k))).min().map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_word() {
        let known = ["maps", "mapsFile", "onUnmapped", "skip", "validate", "pin", "default"];
        let cases = [
            ("map", Some("maps")),
            ("mpas", Some("maps")),
            ("mapfile", Some("mapsFile")),
            ("on_unmapped", Some("onUnmapped")),
            ("onunmaped", Some("onUnmapped")),
            ("Validate", Some("validate")),
            ("defualt", Some("default")),
            ("colour", None),
            ("", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, &known), expected, "{word}");
        }
    }
}
