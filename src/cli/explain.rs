//! `imageswap explain`

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::image::ImageReference;
use crate::manifest::encoding;
use crate::maps::Maps;
use crate::report::explanation::{self, DigestAnswer, Explained, InFile};
use crate::report::{JsonReport, Level, Location, Message, Pages, Report, TextReport, why_unchecked};
use crate::rewrite::{Engine, Memory, Plan, Site, SkipReason};

use super::args::{ExplainArgs, ReportFormat};
use super::exit_code::ExitCode;
use super::file_kind::FileKind;
use super::pin::{Pinning, online};
use super::rules::Ruleset;
use super::{rules, settings, stderr, stdio};

/// Explains the images of the arguments, or those of a manifest.
pub fn run(args: &ExplainArgs) -> Result<ExitCode> {
    let from_stdin = args.file.as_deref() == Some(Path::new("-"));
    let here = Path::new(".");
    let first = args.file.as_deref().filter(|_| !from_stdin).unwrap_or(here);
    let ruleset = rules::load(&args.maps, Some(first), !from_stdin, true)?.ok_or_else(rules::none_given)?;
    let mut out = String::new();
    let mut pages = Pages::default();
    ruleset.warnings().for_each(|warning| warning.report(Level::Warning, report(args.format), &mut pages));
    stderr::print(&pages.messages);
    out.push_str(&pages.report);
    let mut failed = false;
    match &args.file {
        None => {
            let pinning = Pinning::new(&args.pin, &ruleset.settings, &args.registry)?;
            let engine = settings::engine(&args.find, &ruleset)?;
            for image in &args.images {
                failed |= !explain(&mut out, &ruleset.maps, image, args.format);
            }
            if args.online.online {
                online::refuse_without(pinning.as_ref())?;
            }
            if let Some(mut pinning) = pinning {
                failed |= !explain_digests(&mut out, args, &engine, &mut pinning)?;
            }
        }
        Some(file) => failed = explain_file(&mut out, args, &ruleset, file)?,
    }
    io::stdout().lock().write_all(out.as_bytes())?;
    Ok(if failed { ExitCode::Error } else { ExitCode::Done })
}

/// How errors and warnings are told.
fn report(format: ReportFormat) -> &'static dyn Report {
    match format {
        ReportFormat::Text => &TextReport { verbose: false, quiet: false },
        ReportFormat::Json => &JsonReport,
    }
}

/// Tells an error or a warning about `file`, or about what was asked.
fn tell(out: &mut String, format: ReportFormat, message: &Message<'_>) {
    let mut pages = Pages::default();
    report(format).message(&mut pages, message);
    stderr::print(&pages.messages);
    out.push_str(&pages.report);
}

/// Explains one image; false when it is none.
fn explain(out: &mut String, maps: &Maps, image: &str, format: ReportFormat) -> bool {
    match ImageReference::parse(image) {
        // As in manifests, where Istio fills this in.
        Ok(_) if image == "auto" && !maps.names_exactly(image) => {
            let reason = SkipReason::Auto.message();
            say(out, &Explained::LeftAlone { image, reason }, None, format);
            true
        }
        Ok(reference) => {
            if Path::new(image).is_file() {
                let text = format!(
                    "{image} is taken for an image, and there is a file of that name: explain --file {image} is \
                     about the images in it"
                );
                let level = Level::Warning;
                tell(out, format, &Message { level, file: None, location: None, text: &text });
            }
            say(out, &Explained::Decided(maps.explain(&reference)), None, format);
            true
        }
        Err(error) => {
            let text = format!("{image:?} is not a valid image reference: {error}");
            tell(out, format, &Message { level: Level::Error, file: None, location: None, text: &text });
            false
        }
    }
}

/// Says which digests the images get, and where these come from; false when there is none for one of them.
fn explain_digests(
    out: &mut String,
    args: &ExplainArgs,
    engine: &Engine,
    pinning: &mut Pinning,
) -> Result<bool> {
    let plan = |image: &str| {
        engine.plan_alone(&format!(
            "{{\"kind\": \"Pod\", \"spec\": {{\"containers\": [{{\"image\": \"{image}\"}}]}}}}"
        ))
    };
    let images = args.images.iter().filter(|image| ImageReference::parse(image).is_ok());
    let plans: Vec<(&String, Plan)> = images.map(|image| (image, plan(image))).collect();
    plans.iter().for_each(|(_, plan)| pinning.note(plan));
    let pullers = online::pullers_of_arguments(&args.online);
    pinning.ask_registries(pullers.map(|pullers| || pullers), stderr::is_watched())?;
    let mut good = true;
    for (image, mut plan) in plans {
        let needs = pinning.needs(&plan);
        pinning.settler().settle(engine, &mut plan, false);
        let change = plan.changes.iter().find(|change| change.pinned);
        let origin = needs.first().and_then(|need| pinning.origin(need));
        let digest = match (change, plan.missing_digests.first()) {
            (Some(change), _) => DigestAnswer::Pinned { to: &change.to, origin: origin.as_ref() },
            (None, Some(missing)) => {
                good = false;
                DigestAnswer::Failed(missing.message())
            }
            (None, None) => DigestAnswer::LeftAlone,
        };
        match args.format {
            ReportFormat::Text => explanation::digest_text(out, image, &digest),
            ReportFormat::Json => explanation::digest_json(out, image, &digest),
        }
    }
    Ok(good)
}

/// Explains every image of a manifest, those that are left alone too; true when it cannot be read.
fn explain_file(out: &mut String, args: &ExplainArgs, ruleset: &Ruleset, file: &Path) -> Result<bool> {
    let name = file.display().to_string();
    let bytes = if file == Path::new("-") {
        stdio::read()?
    } else {
        std::fs::read(file).map_err(|error| stderr::failure(&format!("cannot read {name}"), &error))?
    };
    let text = encoding::decode(&bytes).with_context(|| name.clone())?;
    let mut engine: Engine = settings::engine_of_files(&args.find, &args.formats, ruleset)?;
    engine.lists_mentions = true;
    let kind = if file == Path::new("-") {
        FileKind::Manifest
    } else {
        FileKind::of(file, &engine).with_context(|| format!("{name}: cannot read the chart around it"))?
    };
    let plan = match kind {
        FileKind::Manifest => {
            let mut plan = engine.plan_alone(text);
            engine.list_mentions(text, &mut plan);
            plan
        }
        kind => kind.plan(&engine, &name, text, &mut Memory::default()),
    };
    if plan.documents == 0 && plan.errors.is_empty() {
        bail!("{name}: contains no documents");
    }
    let maps = &engine.maps;
    let decided = (plan.changes.iter().map(|change| &change.site))
        .chain(plan.kept.iter().map(|kept| &kept.site))
        .chain(plan.problems.iter().map(|problem| &problem.site));
    let mut sites: Vec<(&Site, Option<String>)> = decided.map(|site| (site, None)).collect();
    sites.extend(plan.skips.iter().map(|skip| (&skip.site, Some(skip.reason.message()))));
    sites.extend(plan.unchecked.iter().map(|site| (site, Some(why_unchecked(&name, site)))));
    sites.sort_by_key(|(site, _)| site.span);
    for (site, skipped) in sites {
        let answer = match (skipped, ImageReference::parse(&site.image)) {
            (None, Ok(reference)) => Explained::Decided(maps.explain(&reference)),
            (reason, _) => Explained::LeftAlone { image: &site.image, reason: reason.unwrap_or_default() },
        };
        say(out, &answer, Some(InFile { file: &name, site }), args.format);
    }
    for error in &plan.errors {
        let location = Some(Location::from(error));
        let text = &error.message;
        tell(out, args.format, &Message { level: Level::Error, file: Some(&name), location, text });
    }
    Ok(!plan.errors.is_empty())
}

fn say(out: &mut String, answer: &Explained<'_>, place: Option<InFile<'_>>, format: ReportFormat) {
    match format {
        ReportFormat::Text => explanation::text(out, answer, place),
        ReportFormat::Json => explanation::json(out, answer, place),
    }
}
