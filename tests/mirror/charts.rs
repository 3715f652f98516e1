//! Images that charts put together from values.

use std::fs;

use crate::registry_support::real::Kind;
use crate::run::Stage;

#[test]
fn what_values_make_is_copied() {
    let Some(stage) = Stage::new(Kind::Docker, Kind::Docker) else { return };
    let (app, _) = stage.source.push_index("team/app", "v1", false);
    let (side, _) = stage.source.push_image("side", Some("2"), false, "side");
    let chart = stage.folder.path().join("chart");
    fs::create_dir(&chart).unwrap();
    fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: a\nversion: 1.0.0\n").unwrap();
    let host = &stage.source.host;
    let values = format!(
        "image: {{registry: '{host}', repository: team/app, tag: v1}}\n\
         side: {{image: '{host}/side:2'}}\n\
         filled: {{image: {{repository: '{host}/team/filled'}}}}\n"
    );
    fs::write(chart.join("values.yaml"), values).unwrap();
    let run =
        stage.run("mirror", &["chart", "--helm-values", "--maps", "maps", "--format", "json"]).succeeded();
    assert_eq!(run.summary()["copied"], 2, "{}", run.stdout);
    assert!(
        run.stdout.contains("the chart fills in its tag") && run.stdout.contains("left out"),
        "{}",
        run.stdout
    );
    assert_eq!(stage.at_target("mirror/team/app", "v1"), Some(app));
    assert_eq!(stage.at_target("mirror/side", "2"), Some(side));
    let images = stage.run("images", &["chart", "--helm-values", "--maps", "maps", "--unique"]).succeeded();
    assert_eq!(images.stdout.lines().count(), 2, "{}", images.stdout);
    assert!(
        images.stderr.contains("filled: the chart fills in its tag: it is left out"),
        "{}",
        images.stderr
    );
    // What was not asked for is not looked at.
    let run = stage.run("mirror", &["chart", "--maps", "maps", "--format", "json"]).succeeded();
    assert_eq!(run.images().len(), 0);
}
