//! Warnings that an API server passes on: short, on one line, and few.

/// How long a warning may be, in bytes; API servers cut those of more than 256 characters.
const LENGTH_MAX: usize = 256;

/// How many warnings one answer may have; API servers drop those behind 4 KiB.
const COUNT_MAX: usize = 12;

/// The warnings of one answer.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    kept: Vec<String>,
    more: usize,
}

impl Warnings {
    /// Adds one. The text is made only when there is room for it.
    pub(super) fn add(&mut self, text: impl FnOnce() -> String) {
        if self.kept.len() < COUNT_MAX {
            self.kept.push(one_line(&text(), LENGTH_MAX));
        } else {
            self.more += 1;
        }
    }

    /// The warnings, with a last one that counts those that had no room.
    pub(super) fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.kept.push(format!("imageswap: and {} more warnings", self.more));
        }
        self.kept
    }
}

/// `text` on one line and without control characters, cut to `most` bytes.
pub(super) fn one_line(text: &str, most: usize) -> String {
    const CUT: &str = "...";
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.len() > most {
        let room = most.saturating_sub(CUT.len());
        let end = (0..=room).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        line.truncate(end);
        line.push_str(CUT);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_short_and_few() {
        assert_eq!(one_line("a\nb\tc\u{7f}", 256), "a b c ");
        let long = one_line(&"é".repeat(300), 256);
        assert!(long.len() <= 256 && long.ends_with("é..."), "{long}");
        let mut warnings = Warnings::default();
        (0..100).for_each(|i| warnings.add(|| format!("{i}")));
        let warnings = warnings.finish();
        assert_eq!(warnings.len(), COUNT_MAX + 1);
        assert_eq!(warnings[COUNT_MAX], "imageswap: and 88 more warnings");
    }
}
