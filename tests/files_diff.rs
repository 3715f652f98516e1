//! The diff, given to an applier of our own and to the real `patch`, makes the edited text.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests stop at the first surprise and say why"
)]

use std::path::Path;
use std::process::{Command, Stdio};

use imageswap::manifest::Span;
use imageswap::manifest::edit::{self, Edit};
use imageswap::report::diff::{DiffStyle, unified};
use proptest::prelude::{
    Just, ProptestConfig, Strategy, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

fn diff(text: &str, edits: &[Edit]) -> String {
    let mut out = Vec::new();
    unified(Path::new("f.yaml"), text, edits, &DiffStyle::plain(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Applies a diff strictly: every line number and every old line must be right.
fn apply(text: &str, diff: &str) -> String {
    let old: Vec<&str> = text.split_inclusive('\n').collect();
    let mut new = String::new();
    let (mut at, mut new_line) = (0, 0);
    let mut lines = diff.split_inclusive('\n').skip(2).peekable();
    while let Some(header) = lines.next() {
        let mut parts = header.split(' ');
        assert_eq!(parts.next(), Some("@@"), "{diff}");
        let mut place = || {
            let part = &parts.next().unwrap()[1..];
            let (line, count) = part.split_once(',').unwrap_or((part, "1"));
            let (line, count): (usize, usize) = (line.parse().unwrap(), count.parse().unwrap());
            (if count == 0 { line } else { line - 1 }, count)
        };
        let (old_start, old_count) = place();
        let (new_start, new_count) = place();
        assert!(old_start >= at, "{diff}");
        new.extend(old[at..old_start].iter().copied());
        new_line += old_start - at;
        assert_eq!(new_line, new_start, "{diff}");
        at = old_start;
        while (at, new_line) != (old_start + old_count, new_start + new_count) {
            let line = lines.next().expect("a hunk is as long as its header says");
            let (mark, mut content) = line.split_at(1);
            if lines.next_if(|line| line.starts_with('\\')).is_some() {
                content = content.strip_suffix('\n').unwrap();
            }
            if mark != "+" {
                assert_eq!(old[at], content, "{diff}");
                at += 1;
            }
            if mark != "-" {
                new.push_str(content);
                new_line += 1;
            }
        }
    }
    new.extend(old[at..].iter().copied());
    new
}

/// Applies a diff with `patch`; `None` where there is none.
fn patch(text: &str, diff: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("f.yaml"), text).unwrap();
    std::fs::write(folder.path().join("diff"), diff).unwrap();
    let input = std::fs::File::open(folder.path().join("diff")).unwrap();
    let run = Command::new("patch")
        .args(["--binary", "--fuzz=0", "-s", "-p1"])
        .current_dir(folder.path())
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let output = run.ok()?.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{diff}", String::from_utf8_lossy(&output.stdout));
    // patch removes a file that becomes empty.
    Some(std::fs::read_to_string(folder.path().join("f.yaml")).unwrap_or_default())
}

fn texts() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("a"),
        Just("b"),
        Just(""),
        Just("- image: é"),
        Just("@@ x"),
        Just("\\ y"),
        Just("--- z")
    ];
    let end = prop_oneof![4 => Just("\n"), 1 => Just("\r\n")];
    (prop::collection::vec((line, end), 0..40), prop::bool::ANY).prop_map(|(lines, cut)| {
        let text: String = lines.iter().flat_map(|(line, end)| [*line, *end]).collect();
        if cut { text.trim_end().to_owned() } else { text }
    })
}

/// A text with edits of it: short ones within lines, and some that take or bring newlines.
fn cases() -> impl Strategy<Value = (String, Vec<Edit>)> {
    let new = prop_oneof![Just("x"), Just("yy"), Just(""), Just("p\nq"), Just("\n"), Just("\na\nb\n")];
    let edit = (prop::num::usize::ANY, 0..5_usize, new);
    (texts(), prop::collection::vec(edit, 0..6)).prop_map(|(text, mut drafts)| {
        let boundaries: Vec<usize> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
        drafts.iter_mut().for_each(|draft| draft.0 %= boundaries.len());
        drafts.sort_unstable();
        let mut edits: Vec<Edit> = Vec::new();
        for (at, length, new) in drafts {
            let start = boundaries[at];
            let end = boundaries[(at + length).min(boundaries.len() - 1)];
            if edits.last().is_none_or(|last| last.span.end <= start) {
                edits.push(Edit { span: Span::new(start, end), text: new.to_owned() });
            }
        }
        (text, edits)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn applied_it_makes_the_edited_text((text, edits) in cases()) {
        let new = edit::apply(&text, &edits).unwrap();
        let diff = diff(&text, &edits);
        prop_assert!(new == text || !diff.is_empty());
        prop_assert_eq!(apply(&text, &diff), new, "{}", diff);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn patch_takes_it((text, edits) in cases()) {
        let new = edit::apply(&text, &edits).unwrap();
        let diff = diff(&text, &edits);
        if new != text {
            let Some(patched) = patch(&text, &diff) else {
                eprintln!("SKIPPED: there is no `patch` program");
                return Ok(());
            };
            prop_assert!(patched == new, "{diff}\nmade {patched:?}\nnot  {new:?}");
        }
    }
}
