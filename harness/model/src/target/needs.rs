//! The words of `needs`: each is one function of the target file.

use super::{Endpoint, Owner, ScopeEntry, Target};

/// Whether a target file gives what a scenario needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Given.
    Given,
    /// Declared absent: the question does not arise.
    DeclaredNone,
    /// Not given; the line to add.
    Missing(&'static str),
}

type Rule = fn(&Target) -> Need;

/// Every word of the closed list, with its rule.
const RULES: &[(&str, Rule)] = &[
    // Whether there is a browser is the machine's affair; what to click is the target's.
    ("browser", |t| given(t.page.start.is_some(), "[page]\nstart = \"#call\"  # CSS selector of the call button")),
    ("call-destination", |t| given(t.destinations.call.is_some(), "[destinations.call]\nuri = \"configured\"")),
    ("callee-view", |t| given(t.destinations.callee.is_some(), "[destinations.callee]\nuri = \"sip:…\"")),
    ("disruptive-consent", |t| given(disruptive(t), "[disruptive]\nallow = true\nrate = 50  # requests per second")),
    ("echo", |t| {
        given(
            t.destinations.call.as_ref().is_some_and(|d| d.echo),
            "[destinations.call]\necho = true  # if it sends our audio back",
        )
    }),
    ("foreign-number", |t| {
        given(!t.destinations.foreign_numbers.is_empty(), "[destinations]\nforeign_numbers = [\"…\"]")
    }),
    ("injection-consent", |t| {
        given(disruptive(t) && t.disruptive.injection, "[disruptive]\nallow = true\nrate = 50\ninjection = true")
    }),
    // The browser puts what the server would send into the page's own WebSocket.
    ("inject-point", |_| Need::Given),
    ("log-files", |t| given(!t.files.log.is_empty(), "[files]\nlog = [\"…\"]")),
    ("login", |t| given(t.logins.contains_key("valid"), "[logins.valid]\nbearer = { env = \"…\" }")),
    ("page-url", |t| endpoint(t, "page", "[endpoints]\npage = \"https://…\"")),
    ("second-participant", |t| {
        given(
            t.participants.count().is_none_or(|n| n >= 2),
            "participants = [\"valid\", \"other\"]  # two logins, or \"unlimited\"",
        )
    }),
    ("session-end-wait", |t| {
        // Undeclared means the default of 10 s, which every budget of a minute holds.
        let fits = t.declared.session_end_s.unwrap_or(10) < i64::from(t.budget.minutes) * 60;
        given(fits, "[budget]\nminutes = …  # more than declared.session_end_s")
    }),
    ("trusted-origin", |t| {
        given(!t.trusted_origins.is_empty(), "trusted_origins = [\"https://…\"]  # the site that may call")
    }),
    // A configuration may name TURN servers, which only asking tells.
    ("turn", |_| Need::Given),
    // No vendor's host is meant where every entry says whose hosts its own are.
    ("vendor-permission", |t| {
        let permits = |entry: &ScopeEntry| entry.owner != Owner::Vendor || entry.vendor_permission.is_some();
        given(
            !t.scope.is_empty() && t.scope.iter().all(permits),
            "[[scope]]\nowner = \"vendor\"  # or whose they are\nvendor_permission = { reference = \"…\", expires = 2027-01-31 }",
        )
    }),
    ("webhook-consent", |t| {
        given(disruptive(t) && t.disruptive.webhook, "[disruptive]\nallow = true\nrate = 50\nwebhook = true")
    }),
];

/// Every word of the closed list.
pub const WORDS: [&str; RULES.len()] = {
    let mut words = [""; RULES.len()];
    let mut i = 0;
    while i < words.len() {
        words[i] = RULES[i].0;
        i += 1;
    }
    words
};

impl Target {
    /// Whether this file gives what the word asks for; `None` for a word that is not on the list.
    pub fn need(&self, word: &str) -> Option<Need> {
        RULES.iter().find(|(name, _)| *name == word).map(|(_, rule)| rule(self))
    }
}

/// Consent without a rate is none.
fn disruptive(target: &Target) -> bool {
    target.disruptive.allow && target.disruptive.rate > 0
}

fn given(yes: bool, line: &'static str) -> Need {
    if yes { Need::Given } else { Need::Missing(line) }
}

fn endpoint(target: &Target, name: &str, line: &'static str) -> Need {
    match target.endpoints.get(name) {
        Endpoint::Url(_) => Need::Given,
        Endpoint::DeclaredNone => Need::DeclaredNone,
        Endpoint::Absent => Need::Missing(line),
    }
}
