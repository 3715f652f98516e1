//! LEGACY mode of imageswap-webhook: one prefix for all images.

use std::sync::Arc;

use super::error::{LinePlace, MapsError, MapsErrorKind, MapsErrors, MapsNotice, NoticeKind};
use super::parse::{Parsed, check_results};
use super::rule::{Rule, RuleKind, RuleSides};
use super::rule_value::RuleValue;
use super::rules::Maps;

/// What messages call the source of the prefix.
const SOURCE: &str = "IMAGE_PREFIX";

impl Maps {
    /// The maps that do what `IMAGESWAP_MODE=LEGACY` does with this prefix: an image that contains it is left alone, a
    /// prefix that ends in `-` is put before the whole image, and otherwise the result is the prefix, `/`
    /// and the last part of the path. An empty prefix changes nothing, as there. The warning says how to write the same
    /// as maps.
    ///
    /// # Errors
    /// The prefix can yield no valid image.
    pub fn legacy(prefix: &str) -> Result<Parsed, MapsErrors> {
        let source: Arc<str> = SOURCE.into();
        let place = LinePlace { source: &source, line: 0, indent: 0, text: prefix };
        let notice = |instead| MapsNotice::new(&place, 0, NoticeKind::Legacy { instead });
        let value = prefix.trim();
        let value = value.strip_suffix('/').unwrap_or(value);
        if value.is_empty() {
            return Ok(Parsed { maps: Self::default(), warnings: vec![notice(None)] });
        }
        let refuse = |at: usize, reason: String, expected: &str| {
            let column = value[..at.min(value.len())].chars().count() + 1;
            let kind = MapsErrorKind::Value { reason };
            MapsErrors::unless_empty(vec![MapsError::new(&place, column, kind, expected)])
        };
        let read = match RuleValue::of_name(value, true) {
            // Braces are no part of that mode.
            Ok(RuleValue::Template { .. }) => {
                refuse(0, "a prefix has no braces".to_owned(), "a registry and path")?;
                RuleValue::Empty
            }
            Ok(read) => read,
            Err(error) => {
                refuse(error.at, error.reason, error.expected)?;
                RuleValue::Empty
            }
        };
        let sides = RuleSides { key: "", name: None, value, parsed: read };
        let rule = Rule::new(RuleKind::Legacy, sides, &source, 0, 0);
        if let Err(error) = check_results(&rule) {
            refuse(error.at, error.reason, error.expected)?;
        }
        let instead = if rule.parsed == RuleValue::Dash {
            // Nearly the same: maps always write the registry, docker.io where none is written.
            format!("default::{value}\nnoswap_wildcards::{value}")
        } else {
            format!("default::{value}/{{name}}\nnoswap_wildcards::{value}")
        };
        Ok(Parsed {
            maps: Self::from_rules(vec![Arc::new(rule)], false),
            warnings: vec![notice(Some(instead))],
        })
    }
}
