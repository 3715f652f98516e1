//! Which paths a source text names: `use` trees taken apart, `crate`, `self` and `super` followed to the crate's root.

/// A token of a source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    /// `::`
    Colons,
    Other(char),
}

/// The paths that a file at `module` (`["maps", "decide"]`) names, each from its root: `crate`, or the name of a crate
/// as written. Comments and strings name nothing, and unit tests may use what they like.
pub fn paths(module: &[&str], text: &str) -> Vec<Vec<String>> {
    let tokens = tokens(text);
    let mut paths = Vec::new();
    // Inline modules that are open, with the depth of braces at which each ends.
    let mut inline: Vec<(&str, usize)> = Vec::new();
    let (mut at, mut depth) = (0, 0);
    while at < tokens.len() {
        match tokens[at] {
            Token::Other('{') => depth += 1,
            Token::Other('}') => {
                depth -= 1;
                if inline.last().is_some_and(|(_, end)| *end == depth) {
                    inline.pop();
                }
            }
            Token::Word("mod") => {
                if let [Token::Word(name), Token::Other('{'), ..] = tokens[at + 1..] {
                    let is_test = tokens[..at].ends_with(&TEST);
                    if is_test {
                        at = end_of_block(&tokens, at + 2);
                        continue;
                    }
                    inline.push((name, depth));
                    depth += 1;
                    at += 2;
                }
            }
            Token::Word("use") => {
                let here = module.iter().copied().chain(inline.iter().map(|(name, _)| *name));
                let here: Vec<&str> = here.collect();
                at = tree(&tokens, at + 1, &mut Vec::new(), &here, &mut paths);
                continue;
            }
            Token::Word(_) | Token::Colons => {
                // `Vec::<u8>::new` goes on behind its parameters; `::tokio` starts at the root.
                let behind_path = at > 1
                    && tokens[at - 1] == Token::Colons
                    && matches!(tokens[at - 2], Token::Word(_) | Token::Other('>'));
                let mut path = Vec::new();
                let mut end = at;
                while let Some(Token::Word(word)) = tokens.get(end) {
                    path.push(*word);
                    if tokens.get(end + 1) != Some(&Token::Colons) {
                        break;
                    }
                    end += 2;
                }
                if path.len() > 1 && !behind_path {
                    let here: Vec<&str> =
                        module.iter().copied().chain(inline.iter().map(|(name, _)| *name)).collect();
                    paths.push(resolved(&path, &here));
                }
                if !path.is_empty() {
                    at = end;
                }
            }
            Token::Other(_) => {}
        }
        at += 1;
    }
    paths
}

/// `#[cfg(test)]`
const TEST: [Token<'_>; 7] = [
    Token::Other('#'),
    Token::Other('['),
    Token::Word("cfg"),
    Token::Other('('),
    Token::Word("test"),
    Token::Other(')'),
    Token::Other(']'),
];

/// Behind the block that opens at `at`.
fn end_of_block(tokens: &[Token<'_>], at: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Other('{') => depth += 1,
            Token::Other('}') => depth -= 1,
            Token::Word(_) | Token::Colons | Token::Other(_) => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

/// Takes the tree of a `use` apart from `at` on, and returns where it ends.
fn tree<'a>(
    tokens: &[Token<'a>],
    mut at: usize,
    prefix: &mut Vec<&'a str>,
    here: &[&str],
    paths: &mut Vec<Vec<String>>,
) -> usize {
    let start = prefix.len();
    loop {
        match tokens.get(at) {
            Some(Token::Word("as")) => at += 1,
            Some(Token::Word(word)) => prefix.push(word),
            Some(Token::Other('*')) => prefix.push("*"),
            Some(Token::Colons) => {}
            Some(Token::Other('{')) => {
                at += 1;
                while at < tokens.len() && tokens[at] != Token::Other('}') {
                    if tokens[at] == Token::Other(',') {
                        at += 1;
                    } else {
                        at = tree(tokens, at, prefix, here, paths);
                    }
                }
                prefix.truncate(start);
                return at + 1;
            }
            Some(Token::Other(_)) | None => break,
        }
        at += 1;
    }
    if prefix.len() > start {
        paths.push(resolved(prefix, here));
    }
    prefix.truncate(start);
    at
}

/// `path`, named in the module `here`, from its root.
fn resolved(path: &[&str], here: &[&str]) -> Vec<String> {
    let mut module: Vec<&str> = here.to_vec();
    let mut rest = path;
    match path.first() {
        Some(&"crate") => {
            module.clear();
            rest = &path[1..];
        }
        Some(&("self" | "super")) => {
            while let Some((&first @ ("self" | "super"), behind)) = rest.split_first() {
                if first == "super" {
                    module.pop();
                }
                rest = behind;
            }
        }
        Some(_) | None => return path.iter().map(|part| (*part).to_owned()).collect(),
    }
    ["crate"].iter().chain(&module).chain(rest).map(|part| (*part).to_owned()).collect()
}

/// The words and signs of `text`, without comments, strings and characters.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let start = at;
        match bytes[at] {
            b'/' if rest.starts_with("//") => at += rest.find('\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => at += rest.find("*/").map_or(rest.len(), |end| end + 2),
            b'"' => at = end_of_string(bytes, at + 1),
            b'r' if raw_hashes(rest).is_some() => {
                let hashes = raw_hashes(rest).unwrap_or_default();
                let close = format!("\"{}", "#".repeat(hashes));
                let content = 2 + hashes;
                at += rest[content..].find(&close).map_or(rest.len(), |end| content + end + close.len());
            }
            // A character; a lifetime has no closing quote behind its first character.
            b'\'' => {
                let mut inner = rest[1..].char_indices();
                at += match inner.next() {
                    Some((_, '\\')) => 4 + rest.get(3..).and_then(|rest| rest.find('\'')).unwrap_or(0),
                    Some((_, c)) if rest[1 + c.len_utf8()..].starts_with('\'') => 2 + c.len_utf8(),
                    Some(_) | None => 1,
                };
            }
            b':' if rest.starts_with("::") => {
                tokens.push(Token::Colons);
                at += 2;
            }
            byte if is_word(byte) => {
                while at < bytes.len() && is_word(bytes[at]) {
                    at += 1;
                }
                tokens.push(Token::Word(&text[start..at]));
            }
            byte => {
                if !byte.is_ascii_whitespace() && byte.is_ascii() {
                    tokens.push(Token::Other(char::from(byte)));
                }
                at += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
    }
    tokens
}

/// How many `#` open the raw string at the start of `text`, if one is there.
fn raw_hashes(text: &str) -> Option<usize> {
    let behind = &text[1..];
    let hashes = behind.bytes().take_while(|byte| *byte == b'#').count();
    behind[hashes..].starts_with('"').then_some(hashes)
}

fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}
