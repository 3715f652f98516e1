//! Streams that must be read as a whole.

use super::*;

#[test]
fn reads_streams_with_directives_as_a_whole() {
    let pod = "kind: Pod\nspec: {containers: [{image: a}]}\n";
    let streams = [
        format!("{pod}...\n%YAML 1.2\n---\n{pod}"),
        format!("a: 1\n---\n{pod}...\n%YAML 1.2\n---\nb: 1\n"),
        format!(
            "---\n{pod}---\nb: 1\n...\n%TAG !e! tag:x,2000:\n---\nspec: {{containers: [{{image: !e!f b}}]}}\n"
        ),
        format!("{pod}---\nb: 1\n%no directive\n---\n{pod}"),
        format!("{pod}---\nb: |\n  %no directive\n---\n{pod}"),
    ];
    for text in &streams {
        let scanner = Scanner::default();
        let scan = scanner.scan(text);
        let mut whole = Run::new(&scanner, text, text, 0);
        whole.in_full(Span::new(0, text.len()));
        assert_eq!(scan.occurrences, whole.scan.occurrences, "{text}");
        assert_eq!(scan.errors, whole.scan.errors, "{text}");
        assert_eq!(scan.documents, whole.scan.documents, "{text}");
    }
}
