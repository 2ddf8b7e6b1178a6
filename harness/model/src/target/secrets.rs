//! Where the secrets of a target file come from.

use super::{SecretSource, SecretValue, Target};

impl Target {
    /// Every source of a secret, by its key.
    pub fn secret_sources(&self) -> Vec<(String, &SecretSource)> {
        let mut all = Vec::new();
        for (name, login) in &self.logins {
            let own = [
                ("bearer", &login.bearer),
                ("password", &login.password),
                ("cookie", &login.cookie),
                ("key", &login.key),
            ];
            let given = own.into_iter().filter_map(|(key, source)| Some((key, source.as_ref()?)));
            all.extend(given.map(|(key, source)| (format!("logins.{name}.{key}"), source)));
        }
        for (key, value) in [("sip.password", &self.sip.password), ("sip.token", &self.sip.token)] {
            if let Some(SecretValue::Source(source)) = value {
                all.push((key.into(), source));
            }
        }
        all.extend(self.turn.credential.iter().map(|source| ("turn.credential".into(), source)));
        let expired = self.turn.expired_login.iter().map(|login| &login.credential);
        all.extend(expired.map(|source| ("turn.expired_login.credential".into(), source)));
        all
    }
}
