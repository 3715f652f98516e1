//! What becomes of images of which only the start is known: a template or a chart fills in the rest.

use std::sync::Arc;

use crate::image::ImageReference;

use super::decide::Outcome;
use super::name::NamePrefix;
use super::rule::{KeyFront, Rule};
use super::rule_value::RuleValue;
use super::rules::Maps;
use super::target::is_guarded;

/// What is not known of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Tag and digest; the name is known.
    Suffix,
    /// One part of the path or more, and tag and digest.
    Path,
}

impl Rest {
    /// Texts that it may be, as different from each other as may matter.
    fn samples(self) -> &'static [&'static str] {
        match self {
            Self::Suffix => &[":0", ":0.1-x"],
            Self::Path => &["/x:0", "/x/y:0.1-x", "/z"],
        }
    }

    /// Whether it may lie between `start` and the end of `text`.
    fn may_be_behind(self, start: &str, text: &str) -> bool {
        text.strip_prefix(start).is_some_and(|behind| match self {
            Self::Suffix => behind.is_empty() || behind.starts_with([':', '@']),
            Self::Path => behind.starts_with('/'),
        })
    }
}

/// What becomes of all images that start alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartOutcome {
    /// They start so then, and go on as before.
    Changed {
        /// The new start.
        start: String,
        /// The rule that applies to all of them.
        rule: Arc<Rule>,
    },
    /// The rules leave all of them as they are.
    Unchanged {
        /// The rule that does, or under whose target they lie.
        rule: Option<Arc<Rule>>,
        /// No rule applies, and they do not lie under a target.
        unmapped: bool,
    },
    /// The rules make no other images of them: a chain, a cycle, a result that is no image.
    Failed(Outcome, Option<Arc<Rule>>),
    /// It depends on what is not known.
    Depends {
        /// A rule that applies to some of them.
        on: Option<Arc<Rule>>,
    },
}

impl Maps {
    /// What becomes of all images that start with `start` and go on with `rest`. `None` when no image does.
    ///
    /// `start` is a whole name (`quay.io/a/b`) or, where the rest has more of the path, its first parts without a `/`
    /// behind them. It is a promise: whatever the rest is, [`Maps::decide`] says the same.
    #[must_use]
    pub fn decide_start(&self, start: &str, rest: Rest) -> Option<StartOutcome> {
        let mut decided: Option<StartOutcome> = None;
        for sample in rest.samples() {
            let image = format!("{start}{sample}");
            let decision = self.decide(&ImageReference::parse(&image).ok()?);
            let rule = decision.rule;
            let outcome = match decision.outcome {
                Outcome::Changed(to) => match (to.strip_suffix(sample), &rule) {
                    (Some(start), Some(rule)) => {
                        StartOutcome::Changed { start: start.to_owned(), rule: Arc::clone(rule) }
                    }
                    _ => StartOutcome::Depends { on: rule },
                },
                Outcome::Kept | Outcome::NoSwap => StartOutcome::Unchanged { rule, unmapped: false },
                Outcome::AtTarget(target) => {
                    StartOutcome::Unchanged { rule: rule.or(Some(target)), unmapped: false }
                }
                Outcome::Unmapped => StartOutcome::Unchanged { rule: None, unmapped: true },
                outcome @ (Outcome::Chained { .. } | Outcome::Cycle { .. } | Outcome::Invalid { .. }) => {
                    StartOutcome::Failed(outcome, rule)
                }
            };
            match &decided {
                None => decided = Some(outcome),
                // Errors name the image, and so differ.
                Some(StartOutcome::Failed(..)) if matches!(outcome, StartOutcome::Failed(..)) => {}
                Some(first) if *first == outcome => {}
                Some(_) => return Some(StartOutcome::Depends { on: None }),
            }
        }
        if let Some(on) = self.looks_behind(start, rest) {
            return Some(StartOutcome::Depends { on: Some(on) });
        }
        // Rewriting twice asks the rules about the results, too.
        if let Some(StartOutcome::Changed { start, .. }) = &decided
            && let Some(on) = self.looks_behind(start, rest)
        {
            return Some(StartOutcome::Depends { on: Some(on) });
        }
        decided
    }

    /// A rule that decides about some of the images that start with `start`, and may not about others.
    fn looks_behind(&self, start: &str, rest: Rest) -> Option<Arc<Rule>> {
        let rule = |number: usize| Some(Arc::clone(&self.rules[number]));
        let exact = self.exact.numbers();
        if let Some(number) =
            exact.filter(|number| rest.may_be_behind(start, self.rules[*number].key())).min()
        {
            return rule(number);
        }
        let front = match rest {
            Rest::Suffix => start.to_owned(),
            Rest::Path => format!("{start}/"),
        };
        let mut decided = false;
        for (glob, number) in self.globs.iter() {
            let (literal, then_anything) = glob.literal_front();
            if then_anything && front.starts_with(&literal) {
                decided = true;
                break;
            }
            if front.starts_with(&literal) || literal.starts_with(&front) {
                return rule(*number);
            }
        }
        let probe = format!("{front}x");
        let image = ImageReference::parse(if rest == Rest::Path { &probe } else { start }).ok()?;
        let prefix = match rest {
            Rest::Path => Some(NamePrefix::parse(start).ok()?),
            Rest::Suffix => None,
        };
        if decided {
            return None;
        }
        if let Some(prefix) = prefix
            && let Some(number) = self.names.under(prefix)
        {
            return rule(number);
        }
        let named =
            self.names.most_specific(image.canonical_registry(), image.port(), &image.canonical_path());
        let decider = match named {
            Some(number) => number,
            None => {
                if let Some(noswap) = self.noswap
                    && self.default.is_some()
                    && self.noswap_may_be_behind(noswap, &front, rest)
                {
                    return rule(noswap);
                }
                self.default?
            }
        };
        let decider = &self.rules[decider];
        let key = decider.name().map(KeyFront::from);
        if !is_guarded(decider.kind) || self.targets.guards(&self.rules, image, key).is_some() {
            return None;
        }
        let target = self.targets.behind(&self.rules, prefix, |text| rest.may_be_behind(start, text))?;
        rule(target)
    }

    /// Whether some images that start with `front` hold an entry of `noswap_wildcards`, and others may not.
    fn noswap_may_be_behind(&self, noswap: usize, front: &str, rest: Rest) -> bool {
        let RuleValue::Substrings(entries) = self.rules[noswap].parsed() else { return false };
        if entries.iter().any(|entry| front.contains(entry.as_str())) {
            return false;
        }
        // An entry may begin in the name and end behind it, and lie behind it as a whole.
        entries.iter().any(|entry| {
            let mut cuts = entry.char_indices().map(|(at, _)| entry.split_at(at));
            cuts.any(|(before, behind)| {
                front.ends_with(before) && (rest == Rest::Path || !behind.contains('/'))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MapsText, ParseOptions};
    use super::*;

    fn maps(text: &str) -> Maps {
        Maps::parse(&[MapsText::new("maps", text)], ParseOptions::default()).unwrap().maps
    }

    /// What becomes of the start: the new one, `=` for the same, `!` for an error, `?` when it depends.
    fn becomes(rules: &str, start: &str, rest: Rest) -> String {
        match maps(rules).decide_start(start, rest) {
            None => "-".to_owned(),
            Some(StartOutcome::Changed { start, .. }) => start,
            Some(StartOutcome::Unchanged { .. }) => "=".to_owned(),
            Some(StartOutcome::Failed(..)) => "!".to_owned(),
            Some(StartOutcome::Depends { .. }) => "?".to_owned(),
        }
    }

    #[test]
    fn knows_what_becomes_of_a_name_whatever_its_tag() {
        let cases = [
            ("quay.io::m.io/q", "quay.io/a/b", "m.io/q/a/b"),
            ("docker.io::m.io/{path}", "nginx", "m.io/library/nginx"),
            ("default::m.io:5000", "quay.io/a", "m.io:5000/a"),
            ("default::m.io", "m.io/a", "="),
            ("quay.io::m.io", "ghcr.io/a", "="),
            ("quay.io::m.io\n[EXACT]quay.io/a:1::m.io/b:2", "quay.io/a", "?"),
            ("quay.io::m.io\n[EXACT]quay.io/ab:1::m.io/b:2", "quay.io/a", "m.io/a"),
            ("quay.io::m.io\n[EXACT]m.io/a:1::m.io/b:2", "quay.io/a", "?"),
            ("[REPLACE]quay.io/a*::m.io/r", "quay.io/ab", "m.io/r/ab"),
            ("[REPLACE]*:latest::m.io/r", "quay.io/ab", "?"),
            ("[REPLACE]ghcr.io/*x::m.io/r\ndefault::m.io", "quay.io/ab", "m.io/ab"),
            ("default::m.io\nnoswap_wildcards::corp/a", "corp.io/b", "m.io/b"),
            ("default::m.io\nnoswap_wildcards::latest", "corp.io/b", "?"),
            ("default::m.io\nnoswap_wildcards::b:1", "corp.io/b", "?"),
            ("default::m.io\nnoswap_wildcards::corp", "corp.io/b", "="),
            ("quay.io::m.io\nm.io/a::z.io/a", "quay.io/a", "!"),
            ("default::m.io", "Nginx", "-"),
        ];
        for (rules, start, expected) in cases {
            assert_eq!(becomes(rules, start, Rest::Suffix), expected, "{rules} for {start}");
        }
    }

    #[test]
    fn knows_what_becomes_of_all_names_below() {
        let cases = [
            ("quay.io::m.io/q", "quay.io", "m.io/q"),
            ("quay.io::m.io/q", "quay.io/a", "m.io/q/a"),
            ("quay.io/a::m.io/q", "quay.io/a", "m.io/q"),
            ("quay.io::m.io\nquay.io/a::z.io", "quay.io", "?"),
            ("quay.io::m.io\nquay.io/a::z.io", "quay.io/b", "m.io/b"),
            ("quay.io::m.io\nm.io/special::z.io", "quay.io", "?"),
            ("default::m.io/{registry}/{path}", "docker.io", "?"),
            ("default::m.io/{registry}/{path}", "quay.io", "m.io/quay.io"),
            ("default::m.io/{name}", "quay.io", "?"),
            ("default::m.io/hub", "m.io", "?"),
            ("default::m.io/hub", "m.io/hub", "="),
            ("quay.io::m.io\n[EXACT]quay.io/a:1::m.io/b:2", "quay.io", "?"),
            ("[REPLACE]quay.io/*::m.io/r", "quay.io", "?"),
            ("default::m.io\nnoswap_wildcards::corp", "quay.io", "?"),
        ];
        for (rules, start, expected) in cases {
            assert_eq!(becomes(rules, start, Rest::Path), expected, "{rules} for {start}");
        }
    }

    #[test]
    fn promises_what_every_image_becomes() {
        let rules = [
            "quay.io::m.io/q\nquay.io/a::n.io\ndefault::d.io/{registry}/{path}",
            "docker.io::m.io/hub\n[REPLACE]quay.io/a*::r.io/x\nnoswap_wildcards::b",
            "default::m.io:5000\nm.io/a::z.io\nnoswap_wildcards::-x",
            "default::quay.io/a\ndocker.io/library::l.io",
        ];
        let starts = ["quay.io", "quay.io/a", "docker.io", "a", "m.io:5000", "m.io/a", "docker.io/library"];
        let behind = ["/a", "/library/b", "/a/b/c:1", "/b:1-x", "/nginx@sha256:1", ":1", ":b", ":0-x"];
        for text in rules {
            let maps = maps(text);
            for (start, behind) in starts.iter().flat_map(|start| behind.map(|behind| (start, behind))) {
                let rest = if behind.starts_with('/') { Rest::Path } else { Rest::Suffix };
                let image = format!("{start}{behind}");
                let Ok(reference) = ImageReference::parse(&image) else { continue };
                let outcome = maps.decide(&reference).outcome;
                match maps.decide_start(start, rest) {
                    Some(StartOutcome::Changed { start, .. }) => {
                        assert_eq!(outcome.changed(), Some(&*format!("{start}{behind}")), "{image}: {text}");
                    }
                    Some(StartOutcome::Unchanged { .. }) => {
                        assert!(outcome.changed().is_none(), "{image}: {text}");
                    }
                    Some(StartOutcome::Failed(..) | StartOutcome::Depends { .. }) | None => {}
                }
            }
        }
    }
}
