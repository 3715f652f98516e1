//! What has to be done next, from what the Secret holds and the time: the same for every replica, whoever comes
//! first.

use rcgen::{KeyPair, PublicKeyData};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use time::OffsetDateTime;
use x509_parser::parse_x509_certificate;

use super::certificate;
use super::secret::Stored;

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BootstrapStep {
    /// Nothing is due.
    Done,
    /// A new CA is due, beside those that are there.
    Authority,
    /// A new serving certificate of the newest CA is due.
    Serving,
    /// A new serving certificate of the cluster's signer is due.
    Request,
}

/// The next step where imageswap signs.
pub(super) fn next(stored: &Stored, names: &[String], now: OffsetDateTime) -> BootstrapStep {
    let Some((authority, key)) = stored.authority() else {
        return BootstrapStep::Authority;
    };
    let Ok(dates) = certificate::dates(&authority) else {
        return BootstrapStep::Authority;
    };
    if dates.renew_at() <= now || !is_key_of(&key, &authority) {
        return BootstrapStep::Authority;
    }
    let Some((chain, serving_key)) = stored.serving() else {
        return BootstrapStep::Serving;
    };
    if !is_good(&chain, &serving_key, &stored.ca_pem(), names, now) {
        return BootstrapStep::Serving;
    }
    let old = !is_good(&chain, &serving_key, &authority, names, now);
    let due = certificate::dates(&chain).is_ok_and(|dates| dates.renew_at() <= now);
    // A new CA signs only when every API server has had the time to hear of it.
    if (old || due) && dates.settled_at() <= now { BootstrapStep::Serving } else { BootstrapStep::Done }
}

/// The next step where a signer of the cluster signs.
pub(super) fn next_of_signer(stored: &Stored, names: &[String], now: OffsetDateTime) -> BootstrapStep {
    let Some((chain, key)) = stored.serving() else {
        return BootstrapStep::Request;
    };
    let due = certificate::dates(&chain).is_ok_and(|dates| dates.renew_at() <= now);
    let own = stored.authority().is_some();
    if due || own || !is_good(&chain, &key, &stored.ca_pem(), names, now) {
        BootstrapStep::Request
    } else {
        BootstrapStep::Done
    }
}

/// Whether the serving certificate is good for every name, by one of the CAs.
pub(super) fn serving_is_good(stored: &Stored, names: &[String], now: OffsetDateTime) -> bool {
    let serving = stored.serving();
    serving.is_some_and(|(chain, key)| is_good(&chain, &key, &stored.ca_pem(), names, now))
}

fn is_good(chain: &str, key: &str, ca: &str, names: &[String], now: OffsetDateTime) -> bool {
    names.iter().all(|name| certificate::check(chain, key, ca, name, now).is_ok())
}

fn is_key_of(key: &str, authority: &str) -> bool {
    let Ok(key) = KeyPair::from_pem(key) else { return false };
    let Ok(der) = CertificateDer::from_pem_slice(authority.as_bytes()) else { return false };
    parse_x509_certificate(&der)
        .is_ok_and(|(_, parsed)| parsed.public_key().subject_public_key.data.as_ref() == key.der_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::super::authority::{Lives, authority, serving};
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const LIVES: Lives = Lives {
        authority: Duration::from_secs(365 * 24 * 60 * 60),
        serving: Duration::from_secs(90 * 24 * 60 * 60),
    };

    fn names() -> Vec<String> {
        ["imageswap.imageswap-system.svc", "imageswap", "127.0.0.1"].map(str::to_owned).to_vec()
    }

    fn start() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
    }

    /// Does what is due at `now`, as `Bootstrap::stored` does.
    fn settle(stored: &mut Stored, now: OffsetDateTime) -> Vec<BootstrapStep> {
        let mut steps = Vec::new();
        loop {
            let step = next(stored, &names(), now);
            let sign = |stored: &Stored| {
                let (certificate, key) = stored.authority().unwrap();
                serving(&certificate, &key, &names(), &LIVES, now).unwrap()
            };
            match step {
                BootstrapStep::Authority => {
                    stored.add_authority(authority(&LIVES, now).unwrap(), now);
                    if !serving_is_good(stored, &names(), now) {
                        stored.set_serving(sign(stored));
                    }
                }
                BootstrapStep::Serving => stored.set_serving(sign(stored)),
                BootstrapStep::Done => return steps,
                BootstrapStep::Request => unreachable!(),
            }
            steps.push(step);
            assert!(steps.len() < 4, "{steps:?}");
        }
    }

    #[test]
    fn an_empty_secret_gets_everything_at_once() {
        let mut stored = Stored::default();
        assert_eq!(settle(&mut stored, start()), [BootstrapStep::Authority]);
        assert!(serving_is_good(&stored, &names(), start()));
        assert_eq!(settle(&mut stored, start() + DAY * 59), []);
    }

    #[test]
    fn the_serving_certificate_is_renewed_after_two_thirds_of_its_life() {
        let mut stored = Stored::default();
        settle(&mut stored, start());
        let before = stored.serving();
        assert_eq!(settle(&mut stored, start() + DAY * 60 - HOUR), []);
        assert_eq!(settle(&mut stored, start() + DAY * 60 + HOUR), [BootstrapStep::Serving]);
        assert_ne!(stored.serving(), before);
        assert_eq!(stored.ca_pem().matches("BEGIN").count(), 1);
    }

    #[test]
    fn a_new_authority_is_trusted_before_it_signs_and_the_old_one_stays() {
        let mut stored = Stored::default();
        for day in 0..243 {
            settle(&mut stored, start() + DAY * day);
        }
        let (old, serving) = (stored.authority().unwrap().0, stored.serving());
        let renewed = start() + DAY * 730 / 3 + HOUR;
        assert_eq!(settle(&mut stored, renewed), [BootstrapStep::Authority]);
        assert_ne!(stored.authority().unwrap().0, old);
        assert!(stored.ca_pem().contains(&old));
        assert_eq!(stored.serving(), serving, "still that of the old one");

        assert_eq!(settle(&mut stored, renewed + Duration::from_secs(60)), []);
        assert_eq!(settle(&mut stored, renewed + Duration::from_secs(601)), [BootstrapStep::Serving]);
        let (chain, key) = stored.serving().unwrap();
        assert!(is_good(&chain, &key, &stored.authority().unwrap().0, &names(), renewed + HOUR));
        assert!(stored.ca_pem().contains(&old), "until it expires");
    }

    /// For ten years, looked at once a day: what is served is always good, by a CA that was published the day
    /// before already.
    #[test]
    fn there_is_no_gap_in_ten_years() {
        let mut stored = Stored::default();
        settle(&mut stored, start());
        let mut published = stored.ca_pem();
        for day in 1..3650 {
            let now = start() + DAY * day;
            settle(&mut stored, now);
            let (chain, key) = stored.serving().unwrap();
            if !is_good(&chain, &key, &published, &names(), now) {
                panic!("on day {day} what is served is by nobody that was known on the day before");
            }
            published = stored.ca_pem();
            assert!(published.matches("BEGIN").count() <= 2, "day {day}");
        }
    }

    #[test]
    fn what_is_damaged_is_made_anew() {
        let mut good = Stored::default();
        settle(&mut good, start());
        let mut other = Stored::default();
        settle(&mut other, start());
        let (authority, authority_key) = other.authority().unwrap();
        let (chain, key) = other.serving().unwrap();
        let pair = |certificate: &str, key: &str| super::super::authority::Pair {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        };
        let serving = |certificate: &str, key: &str| {
            let mut stored = good.clone();
            stored.set_serving(pair(certificate, key));
            stored
        };
        let own_key = good.serving().unwrap().1;
        let cases = [
            ("no text", serving("", ""), BootstrapStep::Serving),
            ("no certificate", serving("x", &own_key), BootstrapStep::Serving),
            ("somebody else's", serving(&chain, &key), BootstrapStep::Serving),
            ("another's key", serving(&good.serving().unwrap().0, &key), BootstrapStep::Serving),
            (
                "a key of another CA",
                {
                    let mut stored = Stored::default();
                    stored.add_authority(pair(&good.authority().unwrap().0, &authority_key), start());
                    stored
                },
                BootstrapStep::Authority,
            ),
            (
                "a broken key of the CA",
                {
                    let mut stored = Stored::default();
                    stored.add_authority(pair(&authority, "x"), start());
                    stored
                },
                BootstrapStep::Authority,
            ),
        ];
        for (what, mut stored, wanted) in cases {
            assert_eq!(next(&stored, &names(), start()), wanted, "{what}");
            settle(&mut stored, start());
            assert!(serving_is_good(&stored, &names(), start()), "{what}");
        }
    }

    #[test]
    fn another_name_takes_another_certificate() {
        let mut stored = Stored::default();
        settle(&mut stored, start());
        assert_eq!(next(&stored, &["imageswap.elsewhere.svc".to_owned()], start()), BootstrapStep::Serving);
        assert_eq!(next(&stored, &["10.0.0.1".to_owned()], start()), BootstrapStep::Serving);
    }

    #[test]
    fn a_certificate_after_its_end_is_not_good() {
        let mut stored = Stored::default();
        settle(&mut stored, start());
        assert!(serving_is_good(&stored, &names(), start() + DAY * 89));
        assert!(!serving_is_good(&stored, &names(), start() + DAY * 91));
    }
}
