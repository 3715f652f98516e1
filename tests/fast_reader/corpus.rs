//! The readers against real files, as they are and mutated.

use std::fs;
use std::path::{Path, PathBuf};

use imageswap::manifest::Span;
use saphyr_parser::{Event as Saphyr, Parser};

use super::mutate::{Random, mutated};
use super::{Outcome, Stream, compare};
use imageswap::manifest::event::Event;
use imageswap::manifest::yaml;

/// How many texts were taken, and how many were not.
#[derive(Debug, Default)]
struct Count {
    taken: usize,
    given_up: usize,
    taken_bytes: usize,
    bytes: usize,
}

impl Count {
    fn add(&mut self, text: &str, span: Span) -> Outcome {
        let outcome = compare(text, span);
        match outcome {
            Outcome::Taken => {
                self.taken += 1;
                self.taken_bytes += span.end - span.start;
            }
            Outcome::GivenUp => self.given_up += 1,
        }
        self.bytes += span.end - span.start;
        outcome
    }
}

fn yaml_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let is_link = path.symlink_metadata().unwrap().file_type().is_symlink();
        if path.is_dir() && !is_link {
            yaml_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") && path.is_file() {
            files.push(path);
        }
    }
}

/// The segments of `text`: split at each `---` line, a byte order mark left out.
fn segments(text: &str) -> Vec<Span> {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let is_marker =
        |at: usize| matches!(text.as_bytes().get(at + 3), None | Some(b' ' | b'\t' | b'\n' | b'\r'));
    let markers = text.match_indices("\n---").map(|(i, _)| i + 1).filter(|&at| at > start && is_marker(at));
    let starts: Vec<_> = std::iter::once(start).chain(markers).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(&start, end)| Span::new(start, end)).collect()
}

fn mutations() -> usize {
    std::env::var("IMAGESWAP_MUTATIONS").map_or(10, |n| n.parse().unwrap())
}

/// Runs over all YAML files of `folder`; mutations are of pieces, since an error in a small text is soon
/// reached.
fn run(folder: &Path) -> (Count, Count) {
    let mut files = Vec::new();
    yaml_files(folder, &mut files);
    assert!(!files.is_empty(), "no YAML files in {}", folder.display());
    let seed = std::env::var("IMAGESWAP_SEED").map_or(1, |n| n.parse().unwrap());
    let (mut whole, mut changed, mut random) = (Count::default(), Count::default(), Random(seed));
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for span in segments(&text) {
            let outcome = whole.add(&text, span);
            if outcome == Outcome::GivenUp && std::env::var_os("IMAGESWAP_SHOW").is_some() {
                println!("given up: {} {}..{}", file.display(), span.start, span.end);
            }
            let lines: Vec<_> = text[span.start..span.end].split_inclusive('\n').collect();
            for _ in 0..mutations() {
                let text = mutated(&piece(&lines, &mut random), &mut random);
                changed.add(&text, Span::new(0, text.len()));
            }
        }
    }
    (whole, changed)
}

/// A few of `lines`, at most 40, from anywhere: down to where something less indented follows, so that most
/// pieces are documents.
fn piece(lines: &[&str], random: &mut Random) -> String {
    let indent = |line: &str| line.bytes().take_while(|&b| b == b' ').count();
    let start = random.below(lines.len());
    let Some(first) = lines.get(start) else { return String::new() };
    let most = 1 + random.below(40);
    let rest = lines[start..].iter().take(most);
    rest.take_while(|line| line.trim().is_empty() || indent(line) >= indent(first)).copied().collect()
}

#[test]
fn agrees_with_the_yaml_reader_on_a_corpus() {
    let Some(folder) = std::env::var_os("IMAGESWAP_CORPUS") else { return };
    let (whole, changed) = run(Path::new(&folder));
    println!("documents: {whole:?}\nmutated: {changed:?}");
    assert!(whole.taken > whole.given_up, "{whole:?}");
}

#[test]
fn agrees_with_the_yaml_reader_on_the_test_suite() {
    let Some(folder) = std::env::var_os("IMAGESWAP_YAML_TEST_SUITE") else { return };
    let (whole, changed) = run(Path::new(&folder));
    println!("cases: {whole:?}\nmutated: {changed:?}");
    assert!(whole.taken > 0, "{whole:?}");
}

/// The values of a text by the second opinion; `None` when it refuses the text.
fn second_opinion(text: &str) -> Option<Vec<String>> {
    let mut values = Vec::new();
    for next in Parser::new_from_str(text) {
        match next.ok()?.0 {
            Saphyr::Scalar(value, ..) => values.push(value.into_owned()),
            Saphyr::MappingStart(..) => values.push("{".to_owned()),
            Saphyr::MappingEnd => values.push("}".to_owned()),
            Saphyr::SequenceStart(..) => values.push("[".to_owned()),
            Saphyr::SequenceEnd => values.push("]".to_owned()),
            Saphyr::Alias(_) => values.push("*".to_owned()),
            _ => {}
        }
    }
    Some(values)
}

/// The YAML reader itself has a second opinion: of the suite's valid cases, both say the same values.
#[test]
fn the_yaml_reader_agrees_with_another_parser_on_the_test_suite() {
    let Some(folder) = std::env::var_os("IMAGESWAP_YAML_TEST_SUITE") else { return };
    let mut files = Vec::new();
    yaml_files(Path::new(&folder), &mut files);
    let mut cases = 0;
    for file in files.iter().filter(|file| file.ends_with("in.yaml")) {
        if file.with_file_name("error").exists() {
            continue;
        }
        let text = fs::read_to_string(file).unwrap();
        let mut stream = Stream::default();
        let result = yaml::read(&text, Span::new(0, text.len()), &mut stream);
        assert!(result.is_ok(), "{}: {result:?}", file.display());
        let values = stream.events.iter().map(|event| match event {
            Event::Scalar(scalar) if scalar.span.start == scalar.span.end && scalar.value.is_empty() => {
                "".to_owned()
            }
            Event::Scalar(scalar) => scalar.value.to_string(),
            Event::MappingStart { .. } => "{".to_owned(),
            Event::MappingEnd => "}".to_owned(),
            Event::SequenceStart { .. } => "[".to_owned(),
            Event::SequenceEnd => "]".to_owned(),
            Event::Alias { .. } => "*".to_owned(),
        });
        let ours: Vec<_> = values.map(|v| if v == "~" { String::new() } else { v }).collect();
        let other = second_opinion(&text).unwrap_or_else(|| panic!("{} is refused", file.display()));
        let other: Vec<_> = other.into_iter().map(|v| if v == "~" { String::new() } else { v }).collect();
        assert_eq!(ours, other, "{}", file.display());
        cases += 1;
    }
    println!("cases with two opinions: {cases}");
    assert!(cases > 200);
}
