//! Adding the digests to plans, and what is to be said about that.

use crate::image::ImageReference;
use crate::lock::Pair;
use crate::report::Level;
use crate::rewrite::{Engine, Pinner, Plan, Site};

use super::super::args::OnPinError;
use super::Pinning;

/// Adds digests to plans, for one thread: what becomes of an image is found out once.
pub struct Settler<'p> {
    pinning: &'p Pinning,
    pinner: Pinner<'p>,
}

/// Something about a digest that is to be said.
pub struct Remark {
    pub site: Site,
    pub level: Level,
    /// `unpinned` or `torn`.
    pub status: &'static str,
    pub text: String,
}

impl<'p> Settler<'p> {
    pub(super) fn new(pinning: &'p Pinning) -> Self {
        Self { pinning, pinner: Pinner::new(&pinning.policy, pinning) }
    }

    /// Whether the images of files with the engine of this number are pinned.
    pub fn is_for(&self, engine: usize) -> bool {
        self.pinning.is_for(engine)
    }

    /// Adds digests to the images of `plan`, and says what is to be said about them. `check`: a tag and a digest that do
    /// not belong together are an error.
    pub fn settle(&mut self, engine: &Engine, plan: &mut Plan, check: bool) -> Vec<Remark> {
        let torn = self.torn(plan, if check { Level::Error } else { Level::Warning });
        plan.list_unpinnable(&self.pinning.policy);
        self.pinner.pin(engine, plan);
        let mut remarks = self.missing_digests(plan);
        remarks.extend(torn);
        remarks
    }

    /// The images of `plan` whose digest was not found.
    fn missing_digests(&self, plan: &Plan) -> Vec<Remark> {
        let level = match self.pinning.on_error {
            OnPinError::Fail => Level::Error,
            OnPinError::Warn => Level::Warning,
            OnPinError::Skip => return Vec::new(),
        };
        let remarks = plan.missing_digests.iter().map(|missing| Remark {
            site: missing.site.clone(),
            level,
            status: "unpinned",
            text: missing.message(),
        });
        remarks.collect()
    }

    /// The images of `plan` whose tag and digest do not belong together by the lock file.
    fn torn(&self, plan: &Plan, level: Level) -> Vec<Remark> {
        let Some(file) = &self.pinning.lock else { return Vec::new() };
        let torn = images_with_digest(plan).filter_map(|(site, to)| {
            let image = ImageReference::parse(to).ok()?;
            let Some(Pair::Differs(entry)) = file.index.pair(image) else { return None };
            let text = format!(
                "tag and digest of {to} do not belong together: {} has {} for {}",
                file.name(),
                entry.digest,
                entry.target
            );
            Some(Remark { site: site.clone(), level, status: "torn", text })
        });
        torn.collect()
    }
}

/// The images of `plan` that have a digest, with what they become.
fn images_with_digest(plan: &Plan) -> impl Iterator<Item = (&Site, &str)> {
    let changes = plan.changes.iter().filter(|change| change.site.place.is_site());
    let changes = changes.map(|change| (&change.site, &*change.to));
    let kept = plan.kept.iter().map(|kept| (&kept.site, kept.site.image.as_str()));
    let entries = plan.entry_images.iter().filter(|entry| entry.sets_tag);
    let entries = entries.map(|entry| (&entry.site, entry.to.as_str()));
    changes.chain(kept).chain(entries).filter(|(_, to)| to.contains('@'))
}
