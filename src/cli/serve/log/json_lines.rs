//! Events as lines of JSON, written as they are visited: a review has such a line, and should not cost more than its
//! answer.

use std::fmt::{self, Write};

use time::OffsetDateTime;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// `{"timestamp":"2026-01-31T13:05:00.000123Z","level":"INFO","message":"review","uid":"…"}`
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str("{\"timestamp\":\"")?;
        write_time(&mut writer, OffsetDateTime::now_utc())?;
        write!(writer, "\",\"level\":\"{}\"", event.metadata().level())?;
        let mut fields = Fields { writer, result: Ok(()) };
        event.record(&mut fields);
        fields.result?;
        fields.writer.write_str("}\n")
    }
}

fn write_time(writer: &mut impl Write, time: OffsetDateTime) -> fmt::Result {
    let (date, clock) = (time.date(), time.time());
    write!(
        writer,
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second(),
        clock.microsecond()
    )
}

/// The fields of an event, each behind a comma.
struct Fields<'w> {
    writer: Writer<'w>,
    result: fmt::Result,
}

impl Fields<'_> {
    fn bare(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let writer = &mut self.writer;
        self.result = self.result.and_then(|()| write!(writer, ",\"{}\":{value}", field.name()));
    }

    fn quoted(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let writer = &mut self.writer;
        self.result = self.result.and_then(|()| {
            write!(writer, ",\"{}\":\"", field.name())?;
            Escaped(&mut *writer).write_fmt(value)?;
            writer.write_char('"')
        });
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.quoted(field, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field, format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field, format_args!("{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.bare(field, format_args!("{value}"));
        } else {
            self.quoted(field, format_args!("{value}"));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.quoted(field, format_args!("{value:?}"));
    }
}

/// Writes what may stand within the quotes of a JSON string.
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let is_special = |b: &u8| matches!(b, b'"' | b'\\' | 0..=0x1f);
        let mut rest = text;
        while let Some(at) = rest.as_bytes().iter().position(is_special) {
            self.0.write_str(&rest[..at])?;
            match rest.as_bytes()[at] {
                byte @ (b'"' | b'\\') => write!(self.0, "\\{}", char::from(byte))?,
                b'\n' => self.0.write_str("\\n")?,
                byte => write!(self.0, "\\u{byte:04x}")?,
            }
            rest = &rest[at + 1..];
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use time::{Date, Month};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(log: impl FnOnce()) -> Vec<Value> {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber =
            tracing_subscriber::fmt().event_format(JsonLines).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, log);
        let written = kept.0.lock().expect("no panic").clone();
        let text = String::from_utf8(written).expect("UTF-8");
        assert!(text.ends_with('\n'), "{text}");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    #[test]
    fn are_json_whatever_the_fields_hold() {
        let text = "a \"b\" \\ \n\t\u{7}\u{0} é \u{1f600}";
        let error = io::Error::other(text);
        let found = lines(|| {
            let (none, some): (Option<&str>, Option<u64>) = (None, Some(7));
            tracing::info!(text, number = -5_i64, yes = true, half = 0.5, none, some, %error, "said {}", text);
            tracing::error!(endless = f64::INFINITY, list = ?["x\"y"], "again");
        });
        let (mut first, mut second) = (found[0].clone(), found[1].clone());
        for line in [&mut first, &mut second] {
            let time = line.as_object_mut().and_then(|line| line.remove("timestamp"));
            assert!(time.is_some_and(|time| time.as_str().is_some_and(|time| time.ends_with('Z'))));
        }
        let message = format!("said {text}");
        let want = json!({"level": "INFO", "message": message, "text": text, "number": -5, "yes": true,
            "half": 0.5, "some": 7, "error": text});
        assert_eq!(first, want);
        let want = json!({"level": "ERROR", "message": "again", "endless": "inf", "list": "[\"x\\\"y\"]"});
        assert_eq!(second, want);
    }

    #[test]
    fn times_sort_as_text() {
        let date = Date::from_calendar_date(2026, Month::March, 5).expect("a date");
        let time = date.with_hms_micro(4, 3, 2, 1).expect("a time").assume_utc();
        let mut written = String::new();
        write_time(&mut written, time).expect("memory");
        assert_eq!(written, "2026-03-05T04:03:02.000001Z");
    }
}
