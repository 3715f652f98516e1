//! Which bytes the finder takes for an image: the cases a text engine must hold, as exact slices.

use imageswap::manifest::{Blocked, NoteKind, Scan, Scanner, Span};

fn scan(text: &str) -> Scan {
    Scanner::default().scan(text)
}

/// The slices that an edit would replace, in the order of the text.
fn slices(text: &str) -> Vec<&str> {
    let scan = scan(text);
    assert!(scan.errors.is_empty(), "{text:?}: {:?}", scan.errors);
    let editable = scan.occurrences.iter().filter(|o| o.place.is_site());
    editable
        .filter_map(|o| o.text.edit)
        .map(|span| span.of(text).expect("spans lie within the text"))
        .collect()
}

/// `text` with `\n` and `\r\n` ends, with a byte order mark, and without its final line end.
fn variants(text: &str) -> Vec<String> {
    let mut variants = vec![text.to_owned(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")];
    variants.push(text.trim_end_matches('\n').to_owned());
    variants
}

#[test]
fn exact_slices() {
    let cases: &[(&str, &[&str])] = &[
        ("containers:\n- image: nginx:1.2\n", &["nginx:1.2"]),
        ("containers:\n- image: nginx:1.2   # why\n", &["nginx:1.2"]),
        ("containers:\n- image: nginx:1.2   \n", &["nginx:1.2"]),
        ("containers:\n- image:\n    nginx:1.2\n  name: a\n", &["nginx:1.2"]),
        ("containers:\n- image: # why\n    nginx:1.2\n", &["nginx:1.2"]),
        ("containers:\n- image: 'nginx:1.2' # c\n", &["'nginx:1.2'"]),
        ("containers:\n- image: 'ngi''nx' # c\n", &["'ngi''nx'"]),
        ("containers:\n- image: \"nginx\\x3a1.2\"\n", &["\"nginx\\x3a1.2\""]),
        ("containers:\n- image: \"ngi\\\n    nx\"\n", &["\"ngi\\\n    nx\""]),
        ("containers:\n- image: >-  # hdr\n    nginx:1.2\n\n  name: a\n", &["nginx:1.2"]),
        ("containers:\n- image: >\n    nginx:1.2\n- image: >+\n    b\n\n", &["nginx:1.2", "b"]),
        ("containers:\n- image: |\n  name: a\n- image: >-\n", &[]),
        ("containers:\n- image: |\n   a\n    \n", &[]),
        ("containers:\n- image: !!str\n  name: a\n- image: !a\n", &[]),
        ("containers:\n- image: >2-\n    nginx:1.2\n", &["nginx:1.2"]),
        ("containers:\n- image: |\n    nginx:1.2\n  name: a\n", &["nginx:1.2"]),
        ("containers:\n- image: |-\n    nginx:1.2\n", &["nginx:1.2"]),
        ("containers:\n- image: &x nginx\n", &["nginx"]),
        ("containers:\n- image: !!str nginx\n", &["nginx"]),
        ("containers:\n- image: !!str &x nginx:1.2\n- image: *x\n", &["nginx:1.2"]),
        ("containers:\n- image: &x !!str nginx:1.2\n- image: *x\n", &["nginx:1.2"]),
        ("containers:\n- image: !<tag:yaml.org,2002:str> nginx\n", &["nginx"]),
        ("containers:\n- image: &x\n    nginx\n", &["nginx"]),
        ("containers:\n- image: &x\n  name: a\n", &[]),
        ("x: &x nginx\ncontainers:\n- image: *x\n", &["nginx"]),
        ("x: &x nginx\ncontainers:\n- image: *x\nother: *x\n", &[]),
        ("containers:\n- image: &x nginx\nother: *x\n", &[]),
        ("x: &b\n  image: n\ncontainers:\n- <<: *b\n", &["n"]),
        ("x: &b\n  image: n\ncontainers:\n- !!merge <<: *b\n  name: a\n", &["n"]),
        ("x: &b\n  image: n\ncontainers:\n- <<: *b\n  image: own\n", &["own"]),
        ("x: &b\n  image: n\ncontainers:\n- <<: *b\nother: *b\n", &[]),
        ("containers: &c\n- image: a\ninitContainers: *c\n", &["a"]),
        ("containers:\n- \"image\": nginx\n", &["nginx"]),
        ("containers:\n- &k image: nginx\n", &["nginx"]),
        ("\"containers\":\n- 'image': nginx\n", &["nginx"]),
        ("? containers\n:\n- ? image\n  : nginx:1.2\n", &["nginx:1.2"]),
        (
            "containers: [{name: a,image: nginx:1.2},{\"image\":\"b\"}, { image : c , x : y }]\n",
            &["nginx:1.2", "\"b\"", "c"],
        ),
        ("containers: [\n  {image: a,\n   },\n]\n", &["a"]),
        ("{\"\\u0063ontainers\":[{\"im\\u0061ge\":\"a:1\"}]}\n", &["\"a:1\""]),
        ("{\n\t\"containers\": [\n\t\t{\"image\": \"a\\/b:1\"}\n\t]\n}\n", &["\"a\\/b:1\""]),
        ("{\"containers\":[{\"image\":\"a\"}]}\n{\"containers\":[{\"image\":\"b\"}]}\n", &["\"a\"", "\"b\""]),
        ("containers:\n- image:\tnginx\t# c\n", &["nginx"]),
        ("containers:\n  - image: a\n    # c\n  # d\n  - # e\n    image: b\n", &["a", "b"]),
        ("containers:\n- image: a#b\n", &["a#b"]),
        ("--- {containers: [{image: a}]}\n--- # c\ncontainers:\n- image: b\n...\n", &["a", "b"]),
        ("%YAML 1.2\n---\ncontainers:\n- image: a\n---\ncontainers:\n- image: b\n", &["a", "b"]),
        ("%TAG !e! tag:x,2000:\n---\ncontainers:\n- image: !e!foo a\n", &["a"]),
        ("---\n---\n# c\n---\ncontainers:\n- image: a\n", &["a"]),
        ("containers:\n- image: a\n  image: b\n", &["a", "b"]),
        ("a: |\n  ---\n  containers:\n  - image: fake\n---\ncontainers:\n- image: real\n", &["real"]),
        (
            "containers:\n- image:\n- image: ~\n- image: null\n- image: 1.14\n- image: {a: b}\n- image: [a]\n",
            &[],
        ),
        ("containers:\n  image: a\n", &[]),
        ("# é\ncontainers:\n- name: ü\n  image: a\n", &["a"]),
        ("containers:\n- name: a\u{85}b\u{2028}c\n  image: a\n", &["a"]),
        ("initContainers:\n- image: a\nephemeralContainers:\n- image: b\n", &["a", "b"]),
        ("spec:\n  volumes:\n  - image:\n      reference: v:1\n  containers:\n  - image: a\n", &["v:1", "a"]),
        ("spec:\n  volumes:\n  - image:\n      reference: v:1\n", &[]),
        ("spec:\n  containers: []\n  volumes:\n  - rbd:\n      image: foo\n", &[]),
    ];
    for (text, expected) in cases {
        for variant in variants(text) {
            let found: Vec<_> = slices(&variant).iter().map(|s| s.replace("\r\n", "\n")).collect();
            assert_eq!(found, *expected, "in {variant:?}");
        }
    }
}

#[test]
fn lone_cr_ends_lines_too() {
    assert_eq!(slices("containers:\r- image: a\r---\rcontainers:\r- image: b\r"), ["a", "b"]);
}

#[test]
fn what_is_shared_with_another_place_is_reported() {
    let found = scan("containers:\n- image: &x nginx\nother: *x\n");
    assert_eq!(found.occurrences[0].blocked, Some(Blocked::SharedAnchor));
    let found = scan("containers:\n- image: &x nginx\n- image: *x\n- image: *undefined\n");
    let notes: Vec<_> = found.notes.iter().map(|n| (n.kind, n.position.line)).collect();
    assert_eq!(notes, [(NoteKind::Alias, 3), (NoteKind::UndefinedAlias, 4)]);
}

#[test]
fn duplicate_keys_are_reported() {
    let found = scan("containers:\n- image: a\n  image: b\ncontainers:\n- image: c\n");
    let notes: Vec<_> = found.notes.iter().map(|n| n.kind).collect();
    assert_eq!(notes, [NoteKind::DuplicateKey, NoteKind::DuplicateKey]);
    assert_eq!(found.occurrences.len(), 3);
}

#[test]
fn a_block_scalar_is_reported_from_its_header() {
    let text = "containers:\n- image: &a !!str >-  # | hdr\n    nginx:1.2\n\n- image: |\n    b\n";
    let spans: Vec<Span> = scan(text).occurrences.iter().map(|o| o.text.span).collect();
    let found: Vec<_> = spans.iter().map(|s| s.of(text).unwrap()).collect();
    assert_eq!(found, [">-  # | hdr\n    nginx:1.2", "|\n    b"]);
}

#[test]
fn documents_are_numbered_as_a_yaml_reader_does() {
    let text = "# c\n---\na: 1\n---\n---\ncontainers:\n- image: a\n...\ncontainers:\n- image: b\n";
    let documents: Vec<_> = scan(text).occurrences.iter().map(|o| o.document).collect();
    assert_eq!(documents, [2, 3]);
}

#[test]
fn facts_come_in_any_order() {
    let text = "items:\n- spec:\n    containers:\n    - image: a\n      name: main\n  metadata:\n    namespace: n\n    \
                name: web\n  kind: Pod\n  apiVersion: v1\nkind: List\napiVersion: v1\n";
    let found = scan(text);
    let occurrence = &found.occurrences[0];
    assert_eq!(occurrence.path.to_string(), "items[0].spec.containers[0].image");
    assert_eq!(occurrence.container.as_deref(), Some("main"));
    let resource = &found.resources[occurrence.resource.unwrap()];
    assert_eq!((resource.kind.as_str(), resource.name.as_deref(), resource.depth), ("Pod", Some("web"), 2));
}

#[test]
fn hostile_texts_end_in_an_error_not_in_an_abort() {
    let deep_flow = format!("image: {}", "[".repeat(20_000));
    let deep_block: String =
        (0..20_000).map(|i| format!("{}a:\n", " ".repeat(i))).collect::<String>() + "image";
    let deep_json = format!("{{\"image\":{}", "[".repeat(200_000));
    let bomb = (1..40).fold("image: &a0 [x]\n".to_owned(), |text, i| {
        text + &format!("k{i}: &a{i} [*a{0}, *a{0}, *a{0}]\n", i - 1)
    });
    let merge_bomb = (1..40).fold("image: &a0 {x: y}\n".to_owned(), |text, i| {
        text + &format!("k{i}: &a{i} {{<<: [*a{0}, *a{0}, *a{0}]}}\n", i - 1)
    });
    let self_merge = "image: x\nb: &b\n  <<: *b\n";
    for text in [&*deep_flow, &deep_block, &deep_json, &bomb, &merge_bomb, self_merge] {
        assert_eq!(scan(text).errors.len(), 1, "{text:.60}");
    }
    assert!(scan("image: &a [*a]\n").errors.is_empty(), "holding itself harms nobody");
}

#[test]
fn a_document_that_does_not_parse_does_not_hide_the_others() {
    let text = "containers:\n- image: a\n---\nimage: [\n---\ncontainers:\n- image: b\n";
    let found = scan(text);
    assert_eq!(found.errors.len(), 1);
    assert_eq!(found.errors[0].document, 1);
    let documents: Vec<_> = found.occurrences.iter().map(|o| o.document).collect();
    assert_eq!(documents, [0, 2]);
}
