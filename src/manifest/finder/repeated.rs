//! Findings that an alias repeats.

use crate::manifest::finder::Reach;

use super::Finder;

impl Finder<'_, '_> {
    /// Takes findings from `first` on, of a mapping that just closed, for others that the same alias brought to an
    /// element before it: a list may name an anchor a million times. Whatever closes next concerns both.
    pub(super) fn count_repeated(&mut self, first: usize) {
        let findings = &mut self.found.findings;
        let list = self.frames.last().map_or(0, |frame| frame.first);
        let mut kept = first;
        for at in first..findings.len() {
            let known = self.repeated.get(&findings[at].start()).copied();
            let earlier = known
                .filter(|known| (list..first).contains(known) && findings[*known].repeats(&findings[at]));
            if let Some(earlier) = earlier {
                let container = findings[at].container.take();
                findings[earlier].times += 1;
                findings[earlier].other_containers.extend(container);
                continue;
            }
            if findings[at].reach == Reach::Alias {
                self.repeated.insert(findings[at].start(), kept);
            }
            findings.swap(kept, at);
            kept += 1;
        }
        findings.truncate(kept);
    }
}
