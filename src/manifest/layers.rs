//! How a value is spelled in a text that stands within scalars of another.

use std::borrow::Cow;

use super::ScalarStyle;

/// How many texts may stand one within the other.
pub(super) const DEPTH_MAX: usize = 3;

/// The styles of the scalars that a text stands in, each within the next: most texts stand in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layers {
    /// The innermost first.
    styles: [Option<ScalarStyle>; DEPTH_MAX],
}

impl Layers {
    /// The same, within one more scalar; `None` where there is no room for one, or its style cannot spell an image.
    pub(super) fn within(mut self, style: ScalarStyle) -> Option<Self> {
        let free = self.styles.iter_mut().find(|layer| layer.is_none())?;
        // A plain scalar cannot hold what makes a text a manifest.
        *free = Some(style).filter(|style| *style != ScalarStyle::Plain);
        free.is_some().then_some(self)
    }

    /// `text` (an image reference, or one in quotes) as it is spelled within these scalars.
    pub(super) fn spell<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut spelled = Cow::Borrowed(text);
        for style in self.styles.iter().flatten() {
            if let Cow::Owned(again) = spell(&spelled, *style) {
                spelled = Cow::Owned(again);
            }
        }
        spelled
    }
}

/// `text` as it is spelled within a scalar of `style`.
fn spell(text: &str, style: ScalarStyle) -> Cow<'_, str> {
    match style {
        // In a folded one, too: a longer word moves no line break that is written, and an image has no space to fold at.
        ScalarStyle::Literal | ScalarStyle::Folded | ScalarStyle::Plain => Cow::Borrowed(text),
        ScalarStyle::SingleQuoted if !text.contains('\'') => Cow::Borrowed(text),
        ScalarStyle::SingleQuoted => Cow::Owned(text.replace('\'', "''")),
        ScalarStyle::DoubleQuoted if !text.contains(['"', '\\']) => Cow::Borrowed(text),
        ScalarStyle::DoubleQuoted => Cow::Owned(text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_within_each_style() {
        use ScalarStyle::{DoubleQuoted, Literal, SingleQuoted};
        for (text, styles, want) in [
            ("\"a\"", &[Literal][..], "\"a\""),
            ("\"a\"", &[DoubleQuoted], "\\\"a\\\""),
            ("\"a\"", &[DoubleQuoted, Literal, DoubleQuoted], "\\\\\\\"a\\\\\\\""),
            ("'a'", &[SingleQuoted], "''a''"),
            ("m.io/a:1", &[DoubleQuoted, SingleQuoted], "m.io/a:1"),
        ] {
            let layers = styles.iter().try_fold(Layers::default(), |layers, style| layers.within(*style));
            assert_eq!(layers.unwrap().spell(text), want, "{text} in {styles:?}");
        }
        assert_eq!(Layers::default().within(ScalarStyle::Plain), None);
        let full = Layers { styles: [Some(Literal); DEPTH_MAX] };
        assert_eq!(full.within(Literal), None);
    }
}
