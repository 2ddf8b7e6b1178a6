//! A target file, written part by part.

use std::fmt::Write;

/// The text of a target file. Everything that is not said is as generous as a test can bear, so that on a busy machine
/// only what a test shortens runs out.
#[derive(Clone)]
pub struct TargetFile {
    adapter: &'static str,
    config: Option<String>,
    ca_pem: Option<String>,
    limits: Vec<(&'static str, f64)>,
    top: String,
    tables: String,
    endpoints: String,
}

impl TargetFile {
    /// Adapter `cognigy` with this configuration endpoint.
    pub fn cognigy(config: impl Into<String>) -> Self {
        Self::new("cognigy", Some(config.into()))
    }

    /// Adapter `sip`; where the values come from is said with [`TargetFile::table`].
    pub fn sip(config: Option<String>) -> Self {
        Self::new("sip", config)
    }

    fn new(adapter: &'static str, config: Option<String>) -> Self {
        let limits = vec![
            ("connect_s", 20.0),
            ("tls_s", 20.0),
            ("idle_s", 20.0),
            ("exchange_s", 20.0),
            ("ring_s", 20.0),
            ("media_s", 20.0),
        ];
        Self {
            adapter,
            config,
            ca_pem: None,
            limits,
            top: String::new(),
            tables: String::new(),
            endpoints: String::new(),
        }
    }

    /// Trusts this authority.
    pub fn trusting(mut self, ca_pem: &str) -> Self {
        self.ca_pem = Some(ca_pem.to_owned());
        self
    }

    /// Shortens one limit of `[limits]`.
    pub fn limit(mut self, key: &'static str, seconds: f64) -> Self {
        self.limits.retain(|(known, _)| *known != key);
        self.limits.push((key, seconds));
        self
    }

    /// One more endpoint.
    pub fn endpoint(mut self, name: &str, url: &str) -> Self {
        writeln!(self.endpoints, "{name} = \"{url}\"").expect("text takes text");
        self
    }

    /// Lines before the first table.
    pub fn top(mut self, lines: &str) -> Self {
        writeln!(self.top, "{lines}").expect("text takes text");
        self
    }

    /// Whole tables.
    pub fn table(mut self, lines: &str) -> Self {
        writeln!(self.tables, "{lines}").expect("text takes text");
        self
    }

    /// The authority's certificate, to be written beside the target file as `ca.pem`.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The text.
    pub fn text(&self) -> String {
        let Self { adapter, config, ca_pem, limits, top, tables, endpoints } = self;
        let mut text = format!("name = \"fake\"\nadapter = \"{adapter}\"\n");
        if ca_pem.is_some() {
            text.push_str("ca_file = \"ca.pem\"\n");
        }
        text.push_str("at_once = { calls = 4, connections = 16, allocations = 4, mints_per_s = 50 }\n");
        text.push_str(top);
        text.push_str("\n[limits]\n");
        limits.iter().for_each(|(key, seconds)| text.push_str(&format!("{key} = {seconds:.2}\n")));
        if let Some(config) = config {
            text.push_str(&format!("\n[endpoints]\nconfig = \"{config}\"\n{endpoints}"));
        }
        text.push_str("\n[destinations.call]\nuri = \"configured\"\n\n");
        text.push_str(tables);
        text
    }
}
