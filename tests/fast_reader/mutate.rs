//! Made-up manifests, and texts with something changed.

/// A small generator of numbers (SplitMix64): the same seed gives the same text on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 1).unwrap() % bound.max(1)
    }

    fn of<'t>(&mut self, items: &[&'t str]) -> &'t str {
        items[self.below(items.len())]
    }
}

const KEYS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "containers",
    "image",
    "env",
    "value",
    "\"quoted key\"",
    "'it''s'",
    "a b",
    "x/y.z",
    "spaced ",
    "é",
    "-dash",
    ":colon",
    "0",
    "args",
];

const SCALARS: &[&str] = &[
    "nginx",
    "nginx:1.2",
    "registry.io/a/b@sha256:0123",
    "a b  c",
    "it's",
    "x#y",
    "-1",
    "--flag=a:b",
    "~",
    "null",
    "'single'",
    "'it''s'",
    "''",
    "\"double\"",
    "\"esc \\\" \\\\ \\n \\u00e9 \\x41\"",
    "\"\"",
    "[]",
    "{}",
    "[a, 'b', \"c\"]",
    "{a: b, \"c\": d, 'e': [f]}",
    "[{a: b}, c d]",
    "{\"a\":\"b\"}",
    "größe",
    "漢字",
    "http://a.b/c?d=e&f",
    "a:b",
    "?x",
    ":8080",
    "3.14",
    "$(VAR)",
    "<none>",
    "a, b",
    "a]",
    "x|y",
];

/// A manifest of the kind that the fast reader must take.
pub(crate) fn manifest(random: &mut Random) -> String {
    let mut text = String::new();
    if random.below(3) == 0 {
        text.push_str(random.of(&["---\n", "--- # c\n", "---  \n"]));
    }
    let indent = if random.below(8) == 0 { 2 } else { 0 };
    let mut budget = 2 + random.below(30);
    while budget > 0 && text.len() < 4_000 {
        if random.below(12) == 0 {
            text.push_str(random.of(&["# c\n", "\n", "   # c: d\n", "  \n"]));
        }
        text.push_str(&" ".repeat(indent));
        entry(random, &mut text, indent, &mut budget);
    }
    if random.below(6) == 0 {
        text.pop();
    }
    if random.below(8) == 0 {
        return text.replace('\n', "\r\n");
    }
    text
}

/// A key with its value, from the column where the text ends.
fn entry(random: &mut Random, text: &mut String, column: usize, budget: &mut usize) {
    *budget = budget.saturating_sub(1);
    text.push_str(random.of(KEYS));
    text.push(':');
    let end = random.of(&["\n", "\n", "\n", "  \n", " # c\n", "\n\n", "\n  # c\n"]);
    match random.below(10) {
        0 => text.push_str(end),
        1 if column < 60 => {
            text.push_str(end);
            let inner = column + 1 + random.below(4);
            mapping(random, text, inner, budget);
        }
        2 if column < 60 => {
            text.push_str(end);
            sequence(random, text, column, budget);
        }
        3 if column < 60 => {
            text.push_str(end);
            let inner = column + 1 + random.below(4);
            sequence(random, text, inner, budget);
        }
        4 => block(random, text, column),
        5 => {
            let more = " ".repeat(column + 1 + random.below(3));
            let (begin, quote) = match random.below(5) {
                0 => ("'single", "'"),
                1 => ("'it''s", "'"),
                2 => ("\"double", "\""),
                3 => ("\"a \\\" b\\", "\""),
                _ => ("plain", ""),
            };
            let breaks = random.of(&["\n", "\n\n", "  \n"]);
            // An escaped line break has nothing behind its backslash.
            let breaks = if begin.ends_with('\\') { "\n" } else { breaks };
            let end = random.of(&["\n", " # c\n"]);
            text.push_str(&format!(" {begin}{breaks}{more}goes on{quote}{end}"));
        }
        6 => {
            text.push('\n');
            text.push_str(&" ".repeat(column + 1 + random.below(4)));
            text.push_str(random.of(SCALARS));
            text.push('\n');
        }
        _ => {
            text.push(' ');
            text.push_str(random.of(SCALARS));
            text.push_str(random.of(&["\n", "\n", "  \n", " # c\n"]));
        }
    }
}

fn mapping(random: &mut Random, text: &mut String, column: usize, budget: &mut usize) {
    for _ in 0..=random.below(4) {
        text.push_str(&" ".repeat(column));
        entry(random, text, column, budget);
        if *budget == 0 {
            return;
        }
    }
}

fn sequence(random: &mut Random, text: &mut String, column: usize, budget: &mut usize) {
    for _ in 0..=random.below(4) {
        *budget = budget.saturating_sub(1);
        text.push_str(&" ".repeat(column));
        element(random, text, column, budget);
        if *budget == 0 {
            return;
        }
    }
}

fn element(random: &mut Random, text: &mut String, column: usize, budget: &mut usize) {
    let gap = 1 + random.below(8) / 6;
    let inner = column + 1 + gap;
    match random.below(8) {
        0 => text.push_str(random.of(&["-\n", "- \n", "- # c\n"])),
        1 => {
            text.push('-');
            block(random, text, column);
        }
        2..=4 => {
            text.push('-');
            text.push_str(&" ".repeat(gap));
            entry(random, text, inner, budget);
            for _ in 0..random.below(4) {
                text.push_str(&" ".repeat(inner));
                entry(random, text, inner, budget);
            }
        }
        5 if column < 60 => {
            text.push('-');
            text.push_str(&" ".repeat(gap));
            element(random, text, inner, budget);
        }
        _ => {
            text.push('-');
            text.push_str(&" ".repeat(gap));
            text.push_str(random.of(SCALARS));
            text.push('\n');
        }
    }
}

fn block(random: &mut Random, text: &mut String, column: usize) {
    let indent = 1 + random.below(4);
    text.push(' ');
    text.push_str(random.of(&["|", ">"]));
    text.push_str(random.of(&["", "-", "+"]));
    let said = random.below(4) == 0;
    if said {
        text.push_str(&indent.to_string());
    }
    text.push_str(random.of(&["\n", " # c\n", "  \n"]));
    for line in 0..=random.below(5) {
        text.push_str(random.of(&["", "", "\n", "\n\n"]));
        text.push_str(&" ".repeat(column + indent));
        if line > 0 || said {
            text.push_str(random.of(&["", "", " ", "  ", "\t"]));
        }
        text.push_str(random.of(&[
            "text",
            "a: b",
            "# no comment",
            "- a",
            "tab\there",
            "é ",
            "'",
            "---",
            "x | y",
        ]));
        text.push('\n');
    }
    text.push_str(random.of(&["", "", "", "\n", "\n\n", "# c\n"]));
}

const BITS: &[&str] = &[
    "\n", "\r\n", " ", "  ", "\t", "'", "\"", ":", ": ", "#", " #", "- ", "-", "|", ">", "[", "]", "{", "}",
    ",", "\\", "é", "&a ", "*a", "!t ", "? ", "---\n", "...\n", "%", "\r", "|+\n", ">-\n", "\u{85}",
    "\u{a0}", "\u{feff}", "\0", "~", "\n\n", "1", "''", "\\\n",
];

/// `text` with one to four things changed.
pub(crate) fn mutated(text: &str, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..=random.below(4) {
        mutate(&mut text, random);
    }
    text
}

fn mutate(text: &mut String, random: &mut Random) {
    let at = place(text, random.below(text.len() + 1));
    let line = text[..at].rfind('\n').map_or(0, |i| i + 1);
    let next = text[at..].find('\n').map_or(text.len(), |i| at + i + 1);
    match random.below(9) {
        0 => text.insert_str(at, random.of(BITS)),
        1 => drop(text[at..].chars().next().map(|c| text.replace_range(at..at + c.len_utf8(), ""))),
        2 => {
            if let Some(c) = text[at..].chars().next() {
                text.replace_range(at..at + c.len_utf8(), random.of(BITS));
            }
        }
        3 => text.insert_str(line, &" ".repeat(1 + random.below(3))),
        4 => {
            let spaces = text[line..].bytes().take_while(|&b| b == b' ').count();
            text.replace_range(line..line + random.below(spaces + 1), "");
        }
        5 => {
            let copy = text[line..next].to_owned();
            text.insert_str(line, &copy);
        }
        6 => text.replace_range(line..next, ""),
        7 => {
            let other = place(text, random.below(text.len() + 1));
            let (from, to) = (at.min(other), at.max(other).min(place(text, at.min(other) + 60)));
            let piece = text[from..to].to_owned();
            let target = place(text, random.below(text.len() + 1));
            text.insert_str(target, &piece);
        }
        _ => text.truncate(at),
    }
}

/// The character boundary at or before `at`.
fn place(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}
