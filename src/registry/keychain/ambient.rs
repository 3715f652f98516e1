//! Credentials that lie around on a machine without a Docker configuration: those of the clouds' programs and of
//! GitHub Actions. Each is given to its own registries alone, by the end of the host's name.

use std::path::Path;

use serde::Deserialize;

use super::super::{Credential, FoundCredential, Secret};
use super::helper::{self, Answered};
use super::program::{self, Ended};
use super::surroundings::Surroundings;
use super::{Tried, metadata};

/// The user of a Google access token.
const GOOGLE_USER: &str = "oauth2accesstoken";

/// The user of a Google service-account key.
const GOOGLE_KEY_USER: &str = "_json_key";

/// The user of an ECR password.
const AWS_USER: &str = "AWS";

/// The user of an ACR token.
const AZURE_USER: &str = "00000000-0000-0000-0000-000000000000";

/// Whose registry it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cloud<'r> {
    GitHub,
    Google,
    Aws { region: &'r str },
    Azure { name: &'r str },
}

/// Whose registry `registry` is, when it is one that has credentials of its own kind.
fn cloud(registry: &str) -> Option<Cloud<'_>> {
    let host = registry.split_once(':').map_or(registry, |(host, _)| host);
    if host == "ghcr.io" {
        return Some(Cloud::GitHub);
    }
    if host == "gcr.io" || host.ends_with(".gcr.io") || host.ends_with(".pkg.dev") {
        return Some(Cloud::Google);
    }
    if let Some(name) =
        [".azurecr.io", ".azurecr.cn", ".azurecr.us"].iter().find_map(|end| host.strip_suffix(end))
    {
        return (!name.is_empty()).then_some(Cloud::Azure { name });
    }
    // 123456789012.dkr.ecr.eu-central-1.amazonaws.com[.cn], and dkr.ecr-fips
    let amazon = [".amazonaws.com", ".amazonaws.com.cn"].iter().find_map(|end| host.strip_suffix(end))?;
    let mut parts = amazon.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(account), Some("dkr"), Some("ecr" | "ecr-fips"), Some(region), None)
            if !account.is_empty() && account.bytes().all(|b| b.is_ascii_digit()) =>
        {
            Some(Cloud::Aws { region })
        }
        _ => None,
    }
}

/// Looks for a credential of `registry`'s own kind. What was looked at and gave none is added to `tried`: nobody asked
/// for these programs by name, so their failing is no error.
pub(super) fn find(
    registry: &str,
    surroundings: &Surroundings,
    tried: &mut Vec<Tried>,
) -> Option<FoundCredential> {
    let mut ambient = Ambient { registry, surroundings, tried };
    match cloud(registry)? {
        Cloud::GitHub => ambient.github(),
        Cloud::Google => ambient
            .service_account()
            .or_else(|| ambient.helper("gcr"))
            .or_else(|| ambient.gcloud())
            .or_else(|| ambient.metadata()),
        Cloud::Aws { region } => ambient.helper("ecr-login").or_else(|| ambient.aws(region)),
        Cloud::Azure { name } => ambient.helper("acr-env").or_else(|| ambient.az(name)),
    }
}

struct Ambient<'a> {
    registry: &'a str,
    surroundings: &'a Surroundings,
    tried: &'a mut Vec<Tried>,
}

impl Ambient<'_> {
    fn no(&mut self, what: impl Into<String>, why: impl Into<String>) -> Option<FoundCredential> {
        self.tried.push(Tried { what: what.into(), why: why.into() });
        None
    }

    fn github(&mut self) -> Option<FoundCredential> {
        let Some(token) = self.surroundings.text("GITHUB_TOKEN") else {
            return self.no("GITHUB_TOKEN", "is not set");
        };
        // Any user will do.
        let user = self.surroundings.text("GITHUB_ACTOR").unwrap_or("imageswap");
        Some(basic(user, token, "GITHUB_TOKEN"))
    }

    fn helper(&mut self, name: &str) -> Option<FoundCredential> {
        let program = format!("docker-credential-{name}");
        match helper::ask(name, self.registry, self.surroundings) {
            Ok(Answered::Credential(found)) => Some(found),
            Ok(Answered::Missing) => self.no(program, "is not on PATH"),
            Ok(Answered::Nothing) => self.no(program, "knows nothing of the registry"),
            Err(error) => self.no(program, error.message),
        }
    }

    /// What a program of a cloud writes to standard output.
    fn output(&mut self, name: &str, arguments: &[&str]) -> Option<String> {
        let why = match program::run(name, arguments, "", self.surroundings) {
            Ended::Missing => "is not on PATH".to_owned(),
            Ended::Well(output) => match String::from_utf8(output) {
                Ok(text) => return Some(text),
                Err(_) => "gave no text".to_owned(),
            },
            Ended::Badly(failure) => failure.message,
        };
        self.no(name, why);
        None
    }

    /// The key file that Google's libraries read, too.
    fn service_account(&mut self) -> Option<FoundCredential> {
        const VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
        #[derive(Deserialize)]
        struct Key {
            r#type: String,
        }
        let file = self.surroundings.path(VARIABLE)?;
        let what = format!("{VARIABLE} ({})", file.display());
        let Ok(text) = read(&file) else { return self.no(what, "cannot be read") };
        match serde_json::from_str::<Key>(&text) {
            Ok(Key { r#type }) if r#type == "service_account" => Some(basic(GOOGLE_KEY_USER, &text, &what)),
            Ok(_) => self.no(what, "is no service-account key"),
            Err(_) => self.no(what, "is no JSON of a key"),
        }
    }

    fn gcloud(&mut self) -> Option<FoundCredential> {
        #[derive(Deserialize)]
        struct Answer {
            credential: Token,
        }
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
        }
        let output = self.output("gcloud", &["config", "config-helper", "--format=json(credential)"])?;
        match serde_json::from_str(&output) {
            Ok(Answer { credential: Token { access_token } }) if !access_token.is_empty() => {
                Some(basic(GOOGLE_USER, &access_token, "gcloud config config-helper"))
            }
            _ => self.no("gcloud config config-helper", "gave no access token"),
        }
    }

    fn metadata(&mut self) -> Option<FoundCredential> {
        let host = self.surroundings.metadata.clone()?;
        let what = format!("the metadata server {host}");
        match metadata::access_token(&host) {
            Ok(token) => Some(basic(GOOGLE_USER, token.expose(), &what)),
            Err(why) => self.no(what, why),
        }
    }

    fn aws(&mut self, region: &str) -> Option<FoundCredential> {
        let output = self.output("aws", &["ecr", "get-login-password", "--region", region])?;
        match output.trim() {
            password if !password.is_empty() && !password.contains(char::is_whitespace) => {
                Some(basic(AWS_USER, password, "aws ecr get-login-password"))
            }
            _ => self.no("aws ecr get-login-password", "gave no password"),
        }
    }

    fn az(&mut self, name: &str) -> Option<FoundCredential> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            access_token: String,
        }
        let arguments = ["acr", "login", "--name", name, "--expose-token", "--output", "json"];
        let output = self.output("az", &arguments)?;
        match serde_json::from_str(&output) {
            Ok(Answer { access_token }) if !access_token.is_empty() => {
                Some(basic(AZURE_USER, &access_token, "az acr login --expose-token"))
            }
            _ => self.no("az acr login --expose-token", "gave no access token"),
        }
    }
}

fn basic(user: &str, password: &str, origin: &str) -> FoundCredential {
    let credential = Credential::Basic { user: user.to_owned(), password: Secret::new(password) };
    FoundCredential { credential, origin: origin.to_owned() }
}

fn read(file: &Path) -> std::io::Result<String> {
    super::files::read_limited(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_whose_registry_it_is() {
        for (registry, want) in [
            ("ghcr.io", Some(Cloud::GitHub)),
            ("gcr.io", Some(Cloud::Google)),
            ("eu.gcr.io", Some(Cloud::Google)),
            ("europe-docker.pkg.dev", Some(Cloud::Google)),
            ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", Some(Cloud::Aws { region: "eu-central-1" })),
            (
                "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                Some(Cloud::Aws { region: "us-gov-west-1" }),
            ),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", Some(Cloud::Aws { region: "cn-north-1" })),
            ("team.azurecr.io", Some(Cloud::Azure { name: "team" })),
            ("notgcr.io", None),
            ("gcr.io.evil.example", None),
            ("ghcr.io.evil.example", None),
            ("evil-pkg.dev", None),
            ("azurecr.io", None),
            ("123456789012.dkr.ecr.x.evil.amazonaws.com", None),
            ("evil.dkr.ecr.eu-central-1.amazonaws.com", None),
            ("docker.io", None),
        ] {
            assert_eq!(cloud(registry), want, "{registry}");
        }
    }
}
