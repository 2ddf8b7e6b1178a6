//! The page with the call button, over HTTPS: one document, its modules, one style sheet, and a strict policy.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};

use crate::Urls;
use crate::fault::{Fault, Faults};
use crate::figures::{MAX_PHONE_BYTES, TEST_USER};
use crate::https::{OverTls, Source};
use crate::log::{Line, Log};

const DOCUMENT: &str = include_str!("page/call.html");
const STYLE: &str = include_str!("page/call.css");
/// Where the document holds what its script has to know, as `data-` attributes of the body.
const SETTINGS_PLACE: &str = "{{settings}}";
/// The page's own phone; another one takes its place as a whole.
const PHONE: (&str, &str) = ("/phone.js", include_str!("page/phone.js"));
/// The other modules, by path.
const MODULES: [(&str, &str); 11] = [
    ("/page.js", include_str!("page/page.js")),
    ("/words.js", include_str!("page/words.js")),
    ("/notice.js", include_str!("page/notice.js")),
    ("/config.js", include_str!("page/config.js")),
    ("/user-id.js", include_str!("page/user-id.js")),
    ("/signalling.js", include_str!("page/signalling.js")),
    ("/message.js", include_str!("page/message.js")),
    ("/digest.js", include_str!("page/digest.js")),
    ("/media.js", include_str!("page/media.js")),
    ("/random.js", include_str!("page/random.js")),
    ("/fault.js", include_str!("page/fault.js")),
];

/// The settings of a client of another make, which the document names by itself.
const SERVERS: (&str, &str) = ("/servers.js", include_str!("page/servers.js"));
/// A year, which is the least that policies ask for.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

/// What the page with a password in it has behind its words: an account that nobody has.
const WRITTEN_ACCOUNT: (&str, &str) = (
    "/words.js",
    "export const SIP_ACCOUNT = { uri: \"sip:frontdesk@pbx.example.com\", sipPassword: \"Xk7-pQ2vR9-mW4tZ\" };\n",
);

/// What the handler needs.
pub(crate) struct PageService {
    faults: Arc<Faults>,
    log: Arc<Log>,
    config_url: String,
    signalling: String,
    relay_only: bool,
    phone: String,
    policy: HeaderValue,
    /// Visits so far, for the page that counts its visitors.
    visits: AtomicU64,
}

impl PageService {
    /// For a lab at these addresses. `relay_only` is what the page tells its browser, and `phone` a script of
    /// [`read_phone`] in place of the page's own.
    pub fn new(urls: &Urls, relay_only: bool, phone: Option<String>, faults: Arc<Faults>, log: Arc<Log>) -> Self {
        let config_origin = urls.config.rsplit_once('/').map_or("", |(origin, _)| origin);
        // `connect-src` names the two servers that the script talks to; everything else is the page's own or nothing.
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src {config_origin} {}; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
            urls.signalling
        );
        // Addresses are ASCII, so this cannot fail; if it did, nothing would be allowed.
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        let phone = phone.unwrap_or_else(|| PHONE.1.to_owned());
        let (config_url, signalling) = (urls.config.clone(), urls.signalling.clone());
        Self { faults, log, config_url, signalling, relay_only, phone, policy, visits: AtomicU64::new(0) }
    }

    /// The document of one visit. What the script needs stands in attributes: the policy allows no inline script.
    fn document(&self) -> String {
        let transports = if self.relay_only { "relay" } else { "all" };
        let mut settings = format!("data-config=\"{}\" data-ice-transport-policy=\"{transports}\"", self.config_url);
        let fault = self.fault();
        if let Some(fault) = fault {
            settings += &format!(" data-fault=\"{}\"", fault.name());
        }
        // A browser that comes again in an empty profile has no count of its own, so the server counts.
        let visit = self.visits.fetch_add(1, Ordering::Relaxed) + 1;
        match fault {
            Some(Fault::PageUserIdEmail) => settings += &format!(" data-user-id=\"{TEST_USER}\""),
            Some(Fault::UserIdCounter) => settings += &format!(" data-user-id=\"visitor-{visit}\""),
            _ => {}
        }
        DOCUMENT.replace(SETTINGS_PLACE, &settings)
    }

    /// What is wrong with the page. Every one is asked for, since whoever loads the page could meet any of them.
    fn fault(&self) -> Option<Fault> {
        let faults = &self.faults;
        [
            (faults.broken(Fault::ConsoleDump), Fault::ConsoleDump),
            (faults.broken(Fault::MicrophoneOnLoad), Fault::MicrophoneOnLoad),
            (faults.broken(Fault::PageAutoAnswers), Fault::PageAutoAnswers),
            (faults.broken(Fault::PageReusesCertificate), Fault::PageReusesCertificate),
            (faults.broken(Fault::PageUserIdEmail), Fault::PageUserIdEmail),
            (faults.broken(Fault::TokenInUrl), Fault::TokenInUrl),
            (faults.broken(Fault::UserIdCounter), Fault::UserIdCounter),
        ]
        .into_iter()
        .find_map(|(broken, fault)| broken.then_some(fault))
    }

    /// Every server is said to be safe, and is.
    fn servers(&self) -> String {
        let https = self.config_url.rsplit_once('/').map_or("", |(origin, _)| origin);
        let clear = https.replacen("https:", "http:", 1);
        let recording = if self.faults.broken(Fault::SecureFlagLies) { &clear } else { https };
        let text = SERVERS.1.replace("{{https}}", https).replace("{{wss}}", &self.signalling);
        text.replace("{{recording}}", recording)
    }

    /// What every answer over TLS says, and none in the clear. RFC 6797, section 7.
    fn hsts(&self, over_tls: bool) -> HeaderMap {
        let said = over_tls && !self.faults.broken(Fault::HstsMissing);
        said.then_some((header::STRICT_TRANSPORT_SECURITY, HSTS)).into_iter().collect()
    }

    fn find(&self, path: &str) -> Option<(&'static str, String)> {
        match path {
            "/call" => Some(("text/html", self.document())),
            "/call.css" => Some(("text/css", STYLE.to_owned())),
            path if path == SERVERS.0 => Some(("text/javascript", self.servers())),
            path if path == PHONE.0 => Some(("text/javascript", self.phone.clone())),
            path => {
                let (_, text) = MODULES.iter().find(|(known, _)| *known == path)?;
                let account = self.faults.broken(Fault::PasswordInPage) && path == WRITTEN_ACCOUNT.0;
                let account = if account { WRITTEN_ACCOUNT.1 } else { "" };
                Some(("text/javascript", format!("{text}{account}")))
            }
        }
    }
}

/// Reads a script that is to be served in place of the page's own phone: a module with the same interface.
///
/// # Errors
/// It cannot be read, is longer than [`MAX_PHONE_BYTES`], or is not UTF-8.
pub(crate) fn read_phone(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?.take(MAX_PHONE_BYTES + 1).read_to_string(&mut text)?;
    if length as u64 > MAX_PHONE_BYTES {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "longer than a phone may be"));
    }
    Ok(text)
}

/// The routes of the page's listener.
pub(crate) fn router(service: Arc<PageService>) -> Router {
    Router::new().fallback(answer).with_state(service)
}

async fn answer(
    State(service): State<Arc<PageService>>,
    Extension(Source(source)): Extension<Source>,
    Extension(OverTls(over_tls)): Extension<OverTls>,
    method: Method,
    uri: Uri,
) -> Response {
    let (status, kind, body) = match method {
        Method::GET | Method::HEAD => match service.find(uri.path()) {
            Some((kind, body)) => (StatusCode::OK, kind, body),
            None => (StatusCode::NOT_FOUND, "text/plain", "Not Found\n".to_owned()),
        },
        _ => (StatusCode::METHOD_NOT_ALLOWED, "text/plain", "Method Not Allowed\n".to_owned()),
    };
    service.log.write(Line { part: "page", method: method.as_str(), status: status.as_u16(), user: "", source });
    let kind = format!("{kind}; charset=utf-8");
    let fixed = [
        (header::CONTENT_TYPE, kind.as_str()),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("permissions-policy"), "microphone=(self), camera=(), geolocation=()"),
        (header::ALLOW, "GET, HEAD"),
    ];
    let mut response = (status, fixed, service.hsts(over_tls), body).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, service.policy.clone());
    if status == StatusCode::OK {
        response.headers_mut().remove(header::ALLOW);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const BROKEN_PAGES: [Fault; 7] = [
        Fault::ConsoleDump,
        Fault::MicrophoneOnLoad,
        Fault::PageAutoAnswers,
        Fault::PageReusesCertificate,
        Fault::PageUserIdEmail,
        Fault::TokenInUrl,
        Fault::UserIdCounter,
    ];

    fn page(fault: Option<Fault>, relay_only: bool, phone: Option<&str>) -> PageService {
        let urls = Urls {
            page: "https://localhost:1/call".into(),
            page_origin: "https://localhost:1".into(),
            config: "https://localhost:2/a".into(),
            second: "https://localhost:2/b".into(),
            runtime: "https://localhost:2/c".into(),
            runtime_second: "https://localhost:2/d".into(),
            signalling: "wss://localhost:3".into(),
            turn: "turn:127.0.0.1:4?transport=udp".into(),
            turn_tcp: "turn:127.0.0.1:4?transport=tcp".into(),
            turns: "turns:127.0.0.1:5?transport=tcp".into(),
        };
        let log = Arc::new(Log::create(Path::new("/dev/null")).unwrap());
        PageService::new(&urls, relay_only, phone.map(str::to_owned), Arc::new(Faults::new(fault)), log)
    }

    #[test]
    fn the_document_says_what_the_script_needs() {
        let healthy = page(None, false, None);
        let document = healthy.document();
        assert!(document.contains(r#"<body data-config="https://localhost:2/a" data-ice-transport-policy="all">"#));
        assert_eq!(healthy.faults.met(), BTreeSet::from(BROKEN_PAGES), "whoever loads the page may meet them");
        assert!(page(None, true, None).document().contains(r#"data-ice-transport-policy="relay""#));
    }

    #[test]
    fn a_broken_page_is_told_so() {
        for fault in BROKEN_PAGES {
            let document = page(Some(fault), false, None).document();
            assert!(document.contains(&format!("data-fault=\"{}\"", fault.name())), "{document}");
            let used = MODULES.iter().chain([&PHONE]).any(|(_, text)| text.contains(&format!("\"{}\"", fault.name())));
            assert!(used, "a script of the page knows {}", fault.name());
        }
        let counting = page(Some(Fault::UserIdCounter), false, None);
        for visitor in ["visitor-1", "visitor-2"] {
            assert!(counting.document().contains(&format!("data-user-id=\"{visitor}\"")));
        }
    }

    #[test]
    fn every_module_that_is_imported_is_served() {
        let healthy = page(None, false, None);
        assert!(healthy.document().contains(SERVERS.0));
        for (path, text) in MODULES.iter().chain([&PHONE]) {
            assert_eq!(healthy.find(path).unwrap(), ("text/javascript", (*text).to_owned()), "{path}");
            for import in text.split("from \".").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(healthy.find(import).is_some(), "{path} imports {import}");
            }
        }
    }

    #[test]
    fn the_settings_of_its_servers_are_sound_unless_broken() {
        for (fault, addresses) in [(None, 0), (Some(Fault::SecureFlagLies), 1)] {
            let (_, text) = page(fault, false, None).find("/servers.js").unwrap();
            assert_eq!(text.matches("http://localhost:2/").count(), addresses, "{text}");
            assert_eq!(text.matches("https://localhost:2/").count(), 5 - addresses, "{text}");
            assert_eq!((text.matches("isSecure: true").count(), text.matches("isSecure").count()), (6, 6));
            assert!(text.contains("\"wss://localhost:3\"") && !text.contains("{{"), "{text}");
        }
    }

    #[test]
    fn hsts_is_said_over_tls_alone() {
        let healthy = page(None, false, None);
        assert_eq!(healthy.hsts(true).get("strict-transport-security"), Some(&HSTS));
        assert!(healthy.hsts(false).is_empty() && page(Some(Fault::HstsMissing), false, None).hsts(true).is_empty());
    }

    #[test]
    fn another_phone_takes_the_place_of_the_own_one() {
        assert_eq!(page(None, false, Some("other")).find("/phone.js"), Some(("text/javascript", "other".to_owned())));
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            read_phone(&folder.path().join(name))
        };
        assert_eq!(file("phone.js", b"export").unwrap(), "export");
        assert!(file("latin", b"\xff").is_err());
        assert!(file("long", &vec![b' '; MAX_PHONE_BYTES as usize + 1]).is_err());
        assert!(read_phone(&folder.path().join("none")).is_err());
    }
}
