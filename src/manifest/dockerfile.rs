//! The images that a Dockerfile builds on. They are only told: a Dockerfile is no manifest.

/// The images of `FROM` lines, each with its line from 1. Stages of the file itself, and `scratch`, are none.
#[must_use]
pub fn base_images(dockerfile: &str) -> Vec<(usize, &str)> {
    let mut stages: Vec<&str> = Vec::new();
    let mut images = Vec::new();
    for (line, text) in (1..).zip(dockerfile.lines()) {
        let mut words = text.split_whitespace();
        if !words.next().is_some_and(|word| word.eq_ignore_ascii_case("FROM")) {
            continue;
        }
        let mut words = words.skip_while(|word| word.starts_with("--"));
        let Some(image) = words.next() else { continue };
        if image != "scratch" && !stages.iter().any(|stage| stage.eq_ignore_ascii_case(image)) {
            images.push((line, image));
        }
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case("AS")) {
            stages.extend(words.next());
        }
    }
    images
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_images_from_stages() {
        let text = "ARG V=1\nFROM --platform=$BUILDPLATFORM golang:1.26 AS build\nRUN x\n\nfrom build\nFROM scratch\nFROM a/b:${V}\n";
        assert_eq!(base_images(text), [(2, "golang:1.26"), (7, "a/b:${V}")]);
    }
}
