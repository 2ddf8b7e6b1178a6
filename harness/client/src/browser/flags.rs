//! How the browser is started: headless, with a made-up microphone, on its own and in no network of its own.

use std::net::SocketAddr;
use std::path::Path;

/// What a browser is started with.
pub(super) struct Flags<'a> {
    /// Its profile folder.
    pub profile: &'a Path,
    /// Its only way to HTTP and WebSocket servers.
    pub proxy: SocketAddr,
    /// Certificates are verified elsewhere, see `proxy`.
    pub ignore_certificates: bool,
    /// Names that may be resolved for media, `*.` in front for all below; `None` for all names.
    pub resolvable: Option<&'a [String]>,
}

/// Always: what changes nothing about a page.
const FIXED: &[&str] = &[
    "--headless",
    "--no-startup-window",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    // Connections of its own: updates, metrics, lists, sign-in, crash reports, guesses at what will be needed.
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--dns-prefetch-disable",
    "--metrics-recording-only",
    "--no-pings",
    "--disable-search-engine-choice-screen",
    "--password-store=basic",
    // The last two keep frames of other sites in the page's process.
    "--disable-features=AutofillServerCommunication,CertificateTransparencyComponentUpdater,DialMediaRouteProvider,\
     InterestFeedContentSuggestions,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,Translate,\
     IsolateOrigins,site-per-process",
    "--disable-site-isolation-trials",
    // UDP beside the proxy is for media only.
    "--disable-quic",
    // Containers have a small /dev/shm.
    "--disable-dev-shm-usage",
    // No window is ever in front: without these, timers of the page would run late.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    // A microphone that beeps, and a visitor who allows it.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--mute-audio",
    "--window-size=1280,900",
];

impl Flags<'_> {
    /// The command line.
    pub fn list(&self) -> Vec<String> {
        let mut list: Vec<String> = FIXED.iter().map(|flag| (*flag).to_owned()).collect();
        list.push(format!("--user-data-dir={}", self.profile.display()));
        list.push(format!("--proxy-server=http://{}", self.proxy));
        // Without this Chromium would go to loopback addresses directly.
        list.push("--proxy-bypass-list=<-loopback>".into());
        if let Some(names) = self.resolvable {
            let excluded: String = names.iter().map(|name| format!(", EXCLUDE {name}")).collect();
            list.push(format!("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {}{excluded}", self.proxy.ip()));
        }
        if self.ignore_certificates {
            list.push("--ignore-certificate-errors".into());
        }
        // The sandbox wants user namespaces, and root inside a container has no right to them: Chromium refuses to start.
        if rustix::process::geteuid().is_root() {
            list.push("--no-sandbox".into());
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_scope_are_resolved() {
        let names = ["*.example.test".to_owned(), "turn.test".to_owned()];
        let flags = Flags {
            profile: Path::new("/p"),
            proxy: "127.0.0.1:9".parse().unwrap(),
            ignore_certificates: false,
            resolvable: Some(&names),
        };
        let list = flags.list();
        assert!(
            list.contains(
                &"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE *.example.test, EXCLUDE turn.test"
                    .into()
            )
        );
        assert!(!list.iter().any(|flag| flag.contains("certificate-errors")));
        assert!(list.contains(&"--proxy-server=http://127.0.0.1:9".into()));
    }
}
