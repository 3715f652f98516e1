//! Logging in: which credential, which token, in which header.

use std::collections::HashSet;

use tokio::time::Instant;

use super::challenge::Challenge;
use super::client::{Call, Client, may_pass, permit};
use super::flight::Made;
use super::host::{Host, Session};
use super::retry::backoff;
use super::token::{Login, Token, TokenKey, basic, bearer};
use super::transport::{RequestFailure, host_of};
use super::{Credential, FoundCredential, Reason, RegistryError, Step};

impl Client {
    /// What a request is sent with.
    pub(super) async fn login(
        &self,
        host: &Host,
        session: &Session,
        call: &Call<'_>,
        extra_scope: Option<&str>,
    ) -> Result<Login, RegistryError> {
        let mut login = Login::anonymous();
        let Challenge::Bearer { realm, service, scope: _ } = host.challenge(&session.challenge) else {
            if host.challenge(&session.challenge) == Challenge::Open {
                return Ok(login);
            }
            let found = self.credential(host, call).await?;
            login.origin = found.as_ref().map(|found| found.origin.clone());
            let header = match found.map(|found| found.credential) {
                Some(Credential::Basic { user, password }) => basic(&user, &password, &mut login.secrets),
                Some(Credential::Bearer(token)) => bearer(&token, &mut login.secrets),
                // An identity token is for token servers, and this registry has none.
                Some(Credential::IdentityToken(_)) | None => return Ok(login),
            };
            login.header = Some(header.map_err(|reason| call.error(&host.name, reason))?);
            return Ok(login);
        };
        let mut scopes = call.scopes.clone();
        scopes.extend(extra_scope.iter().flat_map(|scope| scope.split(' ')).map(str::to_owned));
        scopes.retain(|scope| !scope.is_empty());
        let mut seen = HashSet::new();
        scopes.retain(|scope| seen.insert(scope.clone()));
        let key = TokenKey { registry: host.name.clone(), realm, service, scopes };
        let found = self.credential(host, call).await?;
        login.origin = found.as_ref().map(|found| found.origin.clone());
        match found.as_ref().map(|found| &found.credential) {
            Some(Credential::Bearer(token)) => {
                let header = bearer(token, &mut login.secrets);
                login.header = Some(header.map_err(|reason| call.error(&host.name, reason))?);
                return Ok(login);
            }
            Some(Credential::Basic { password, .. }) => login.secrets.add(password.expose()),
            Some(Credential::IdentityToken(token)) => login.secrets.add(token.expose()),
            None => {}
        }
        let credential = found.as_ref().map(|found| &found.credential);
        let token = self.token(&key, session.base.scheme(), credential, call).await;
        let token = token.map_err(|mut error| {
            error.image = call.image.to_owned();
            if let Reason::Unauthorized { origin, .. } = &mut *error.reason {
                origin.clone_from(&login.origin);
                if origin.is_some() {
                    self.shared.keychain.refused(&host.name);
                }
            }
            error
        })?;
        let header = bearer(&token.text, &mut login.secrets);
        login.header = Some(header.map_err(|reason| call.error(&host.name, reason))?);
        login.token = Some((key, token));
        Ok(login)
    }

    async fn credential(
        &self,
        host: &Host,
        call: &Call<'_>,
    ) -> Result<Option<FoundCredential>, RegistryError> {
        let found = self.shared.keychain.find(&host.name, call.repository.path()).await;
        found.map_err(|error| {
            RegistryError::new(call.image, &host.name, Step::Credential, Reason::Credential(error))
        })
    }

    /// The token for a set of scopes: the one that is kept, or a new one, asked for once for all.
    async fn token(
        &self,
        key: &TokenKey,
        scheme: &str,
        credential: Option<&Credential>,
        call: &Call<'_>,
    ) -> Result<Token, RegistryError> {
        let make = || async {
            let made = self.fetch_token(key, scheme, credential).await;
            let now = Instant::now();
            match made {
                Ok(token) => Made { until: Some(now + token.lifetime), value: Ok(token) },
                Err(RequestFailure { host, reason }) => {
                    let error = RegistryError::new(call.image, &host, Step::Token, reason);
                    Made { value: Err(error), until: Some(now) }
                }
            }
        };
        self.shared.tokens.get(key, make).await
    }

    async fn fetch_token(
        &self,
        key: &TokenKey,
        scheme: &str,
        credential: Option<&Credential>,
    ) -> Result<Token, RequestFailure> {
        let url = key.url(scheme, &self.shared.options)?;
        let realm = self.host(&host_of(&url));
        let mut tries = 0;
        loop {
            realm.unpaused().await;
            tries += 1;
            let limit = self.shared.transport.answer_timeout();
            let fetched = {
                let _in_flight = permit(&self.shared.in_flight).await;
                tokio::time::timeout(limit, key.fetch(&self.shared.transport, &url, credential)).await
            };
            let failure = match fetched {
                Ok(Ok(token)) => return Ok(token),
                Ok(Err(failure)) => failure,
                Err(_) => RequestFailure { host: host_of(&url), reason: Reason::TimedOut { after: limit } },
            };
            let wait = match &failure.reason {
                Reason::RateLimited { retry_after } => {
                    let wait = retry_after.unwrap_or_default();
                    if wait > self.shared.options.longest_wait {
                        return Err(failure);
                    }
                    realm.pause(wait);
                    wait.max(backoff(tries))
                }
                reason if may_pass(reason) => backoff(tries),
                _ => return Err(failure),
            };
            if tries >= self.shared.options.tries {
                return Err(failure);
            }
            tokio::time::sleep(wait).await;
        }
    }
}
