//! nginx with all that its OpenSSL can and with its defaults: the sets are those of OpenSSL's own list, and those that sslscan
//! finds.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ringfence_client::hello::{Report, Wanted};
use ringfence_wire::hello::Version;
use tempfile::TempDir;

use super::openssl::{EVERYTHING, identity, run, told};
use super::servers::{PATIENT, Process, sorted, suites, there, tls};

const WIDE: &str = "ssl_certificate ec.pem; ssl_certificate_key ec.key; ssl_dhparam dh.pem;\n\
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers ALL:COMPLEMENTOFALL:!PSK:!SRP:@SECLEVEL=0;";
/// Until nginx listens; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ends with its value.
struct Nginx {
    address: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl Nginx {
    /// One worker, with an RSA certificate, and these settings more.
    fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        for (kind, name) in [("rsa:2048", "rsa"), ("P-256", "ec")] {
            let (certificate, key) = identity(kind);
            put(&format!("{name}.pem"), &certificate);
            put(&format!("{name}.key"), &key);
        }
        if settings.contains("dh.pem") {
            put("dh.pem", &run(&["dhparam", "-dsaparam", "2048"]));
        }
        // It cannot choose a port itself: somebody else may take the one that was free just now.
        for _ in 0..10 {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            put(
                "nginx.conf",
                &format!(
                    "daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n\
                     client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;\n\
                     server {{ listen {address} ssl; ssl_certificate rsa.pem; ssl_certificate_key rsa.key;\n{settings}\n\
                     location / {{ return 204; }} }} }}\n"
                ),
            );
            let mut command = Command::new("nginx");
            command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "stderr"]);
            let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let mut process = Process(child);
            let begun = Instant::now();
            while begun.elapsed() < PATIENCE && process.0.try_wait().unwrap().is_none() {
                if TcpStream::connect(address).is_ok() {
                    return Self { address, _process: process, _folder: folder };
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        panic!("nginx does not start");
    }
}

type Sets = BTreeMap<Version, Vec<u16>>;

/// What sslscan finds: suites and groups of each version.
fn sslscan(server: SocketAddr) -> (Sets, Sets) {
    let output = Command::new("sslscan").args(["--xml=-", "--no-heartbleed", &server.to_string()]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let of = |element: &str| {
        let mut found = Sets::new();
        for line in text.lines().filter_map(|line| line.trim().strip_prefix(element)) {
            let value = |name: &str| line.split_once(name).unwrap().1.split_once('"').unwrap().0;
            let version = match value("sslversion=\"") {
                "TLSv1.0" => Version::TLS10,
                "TLSv1.1" => Version::TLS11,
                "TLSv1.2" => Version::TLS12,
                "TLSv1.3" => Version::TLS13,
                other => panic!("{other}"),
            };
            let code = u16::from_str_radix(value("id=\"0x"), 16).unwrap();
            found.entry(version).or_default().push(code);
        }
        found.values_mut().for_each(|codes| codes.sort_unstable());
        found
    };
    (of("<cipher "), of("<group "))
}

fn groups(report: &Report) -> Sets {
    report.accepted().map(|(version, findings)| (version, sorted(&findings.groups))).collect()
}

async fn check(settings: &str, accepted: Vec<(Version, Vec<u16>)>) {
    let server = Nginx::start(settings);
    let report = tls(server.address, Wanted::SUITES, PATIENT).await;
    assert_eq!(suites(&report), accepted);
    let count = report.suites().count();
    assert_eq!(report.hellos_sent() as usize, count + 5, "a hello for each suite, and one more for each version");
    let report = tls(server.address, Wanted::ALL, PATIENT).await;
    assert_eq!(suites(&report), accepted);
    assert!(report.accepted().all(|(_, findings)| findings.server_order == Some(false)), "{report:?}");
    if !there("sslscan", "sslscan") {
        return;
    }
    let (suites, found) = sslscan(server.address);
    assert_eq!(suites.into_iter().collect::<Vec<_>>(), accepted);
    let mut ours = groups(&report);
    // It asks for groups in 1.2 and 1.3 only.
    ours.retain(|version, _| found.contains_key(version));
    assert!(ours.contains_key(&Version::TLS13) && ours.contains_key(&Version::TLS12));
    assert_eq!(ours, found);
}

#[tokio::test]
async fn everything() {
    if !there("nginx", "nginx-light") || !there("openssl", "openssl") {
        return;
    }
    let list = format!("{EVERYTHING}:!aDSS");
    let accepted = vec![
        (Version::TLS10, told(&["-tls1"], &list)),
        (Version::TLS11, told(&["-tls1_1"], &list)),
        (Version::TLS12, told(&["-tls1_2"], &list)),
        (Version::TLS13, vec![0x1301, 0x1302, 0x1303]),
    ];
    assert!(accepted.iter().map(|(_, suites)| suites.len()).sum::<usize>() > 100);
    check(WIDE, accepted).await;
}

#[tokio::test]
async fn defaults() {
    if !there("nginx", "nginx-light") || !there("openssl", "openssl") {
        return;
    }
    // The versions are written out since distributions put others into their nginx.conf, and nginx's own have changed.
    let list = "HIGH:!aNULL:!MD5:!aECDSA:!aDSS:!PSK:!SRP:!kDHE";
    let accepted = vec![(Version::TLS12, told(&["-tls1_2"], list)), (Version::TLS13, vec![0x1301, 0x1302, 0x1303])];
    check("ssl_protocols TLSv1.2 TLSv1.3;", accepted).await;
}
