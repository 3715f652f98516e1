//! `imageswap explain`

use std::fmt::Write as _;
use std::io::{self, Read, Write as _};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::image::ImageReference;
use crate::manifest::encoding;
use crate::maps::{Explanation, Maps};
use crate::report::json;
use crate::report::record::RuleRecord;
use crate::report::text::quoted;
use crate::rewrite::{Engine, Site};

use super::args::{ExplainArgs, ReportFormat};
use super::exit_code::ExitCode;
use super::{rules, settings, speech};

/// What `--format json` says of an image.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    image: &'a str,
    result: &'a str,
    matched: bool,
    changed: bool,
    rule: Option<RuleRecord<'a>>,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// Where in a manifest an image stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    file: &'a str,
    site: &'a Site,
}

/// Explains the images of the arguments, or those of a manifest.
pub fn run(args: &ExplainArgs) -> Result<ExitCode> {
    let from_stdin = args.file.as_deref() == Some(Path::new("-"));
    let here = Path::new(".");
    let first = args.file.as_deref().filter(|_| !from_stdin).unwrap_or(here);
    let maps = rules::load(&args.maps, Some(first), !from_stdin, false)?.ok_or_else(rules::none_given)?;
    let mut out = String::new();
    let mut failed = false;
    match &args.file {
        None => {
            for image in &args.images {
                failed |= !explain(&mut out, &maps, image, args.format)?;
            }
        }
        Some(file) => failed = explain_file(&mut out, args, maps, file)?,
    }
    io::stdout().lock().write_all(out.as_bytes())?;
    Ok(if failed { ExitCode::Error } else { ExitCode::Done })
}

/// Explains one image; false when it is none.
fn explain(out: &mut String, maps: &Maps, image: &str, format: ReportFormat) -> Result<bool> {
    match ImageReference::parse(image) {
        Ok(reference) => {
            answer(out, &maps.explain(&reference), None, format);
            Ok(true)
        }
        Err(error) => {
            speech::error(&format!("{image:?} is no image reference: {error}"));
            Ok(false)
        }
    }
}

/// Explains every image of a manifest, those that are left alone too; true when it cannot be read.
fn explain_file(out: &mut String, args: &ExplainArgs, maps: Maps, file: &Path) -> Result<bool> {
    let name = file.display().to_string();
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
    } else {
        bytes =
            std::fs::read(file).map_err(|error| speech::failure(&format!("cannot read {name}"), &error))?;
    }
    let text = encoding::decode(&bytes).with_context(|| name.clone())?;
    let engine: Engine = settings::engine(&args.find, maps);
    let plan = engine.plan_alone(text);
    if plan.documents == 0 && plan.errors.is_empty() {
        bail!("{name}: no documents in it");
    }
    let maps = &engine.maps;
    let decided = (plan.changes.iter().map(|change| &change.site))
        .chain(plan.kept.iter().map(|kept| &kept.site))
        .chain(plan.problems.iter().map(|problem| &problem.site));
    let mut sites: Vec<(&Site, Option<String>)> = decided.map(|site| (site, None)).collect();
    sites.extend(plan.skips.iter().map(|skip| (&skip.site, Some(skip.reason.message()))));
    sites.sort_by_key(|(site, _)| site.span);
    for (site, skipped) in sites {
        let place = Some(Place { file: &name, site });
        match (skipped, ImageReference::parse(&site.image)) {
            (None, Ok(reference)) => answer(out, &maps.explain(&reference), place, args.format),
            (reason, _) => left_alone(out, &site.image, &reason.unwrap_or_default(), place, args.format),
        }
    }
    for error in &plan.errors {
        speech::error(&format!("{name}:{error}"));
    }
    Ok(!plan.errors.is_empty())
}

fn answer(out: &mut String, explanation: &Explanation<'_>, place: Option<Place<'_>>, format: ReportFormat) {
    let decision = &explanation.decision;
    if format == ReportFormat::Json {
        json::line(
            out,
            &Answer {
                image: &explanation.image,
                result: explanation.result(),
                matched: explanation.matched(),
                changed: explanation.changed(),
                rule: decision.rule.map(RuleRecord::from),
                reason: explanation.reason(),
                file: place.map(|p| p.file),
                line: place.map(|p| p.site.position.line),
                path: place.map(|p| p.site.path.to_string()),
            },
        );
        return;
    }
    header(out, place);
    let arrow = if explanation.changed() { "->" } else { "stays" };
    let _ = writeln!(out, "{} {arrow} {}", explanation.image, explanation.result());
    let _ = writeln!(out, "  {}", explanation.reason());
    for candidate in &explanation.candidates {
        let _ = writeln!(out, "  not {}: {}", candidate.rule, candidate.why);
    }
    if let Some(rule) = explanation.other_spelling {
        let _ =
            writeln!(out, "  note: {rule} names the same image in another spelling, and so does not apply");
    }
}

fn left_alone(out: &mut String, image: &str, reason: &str, place: Option<Place<'_>>, format: ReportFormat) {
    if format == ReportFormat::Json {
        json::line(
            out,
            &Answer {
                image,
                result: image,
                matched: false,
                changed: false,
                rule: None,
                reason: format!("left alone: {reason}"),
                file: place.map(|p| p.file),
                line: place.map(|p| p.site.position.line),
                path: place.map(|p| p.site.path.to_string()),
            },
        );
        return;
    }
    header(out, place);
    let _ = writeln!(out, "{} stays {}", quoted(image), quoted(image));
    let _ = writeln!(out, "  left alone: {reason}");
}

fn header(out: &mut String, place: Option<Place<'_>>) {
    if let Some(Place { file, site }) = place {
        let _ = writeln!(out, "{file}:{}:{}: {}", site.position.line, site.position.column, site.path);
    }
}
