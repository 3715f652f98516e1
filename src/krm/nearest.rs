//! The known word nearest to a mistyped one.

/// The word of `known` that `word` was most likely meant to be; `None` when none is near.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let lower = word.to_lowercase();
    let near = |known: &&str| {
        let distance = distance(&lower, &known.to_lowercase());
        (distance <= 1 + known.len() / 4).then_some(distance)
    };
    known.iter().filter_map(|k| near(k).map(|distance| (distance, *k))).min().map(|(_, word)| word)
}

/// How many characters must be added, dropped, changed or swapped with their neighbour to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = match (i, j) {
                (0, n) | (n, 0) => n,
                _ => {
                    let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let best = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    if swapped { best.min(rows[i - 2][j - 2] + 1) } else { best }
                }
            };
        }
    }
    rows[a.len()][b.len()]
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
