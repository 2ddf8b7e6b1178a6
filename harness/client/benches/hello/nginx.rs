//! The TLS server: one nginx process on loopback, with a status page that counts its connections.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::openssl;

/// Everything that OpenSSL can do without keys that were shared beforehand.
pub const EVERYTHING: &str = "ALL:COMPLEMENTOFALL:!PSK:!SRP:@SECLEVEL=0";

/// Addresses of loopback that it listens on: so many hosts.
pub const ADDRESSES: u8 = 16; // (house)

/// The addresses.
pub fn addresses() -> impl Iterator<Item = Ipv4Addr> {
    (1..=ADDRESSES).map(|last| Ipv4Addr::new(127, 0, 0, last))
}

/// How it is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// TLS 1.2 and 1.3, the default since nginx 1.23.4, with the suites that OpenSSL comes with, and an RSA certificate.
    Defaults,
    /// TLS 1.0 to 1.3 and [`EVERYTHING`], with an RSA and a P-256 certificate and 2048-bit Diffie-Hellman.
    Wide,
}

impl Setting {
    /// As the tables and the command line call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Defaults => "defaults",
            Self::Wide => "wide",
        }
    }
}

/// Whether there is an nginx.
pub fn there() -> bool {
    Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_ok()
}

/// A running nginx; ends with its value.
pub struct Nginx {
    child: Child,
    /// Where it speaks TLS, on all [`addresses`].
    pub port: u16,
    status: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// Starts it.
    ///
    /// # Errors
    /// No certificate can be made, or it does not listen within ten seconds.
    pub fn start(setting: Setting) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (port, status) = (free_port()?, SocketAddr::from(([127, 0, 0, 1], free_port()?)));
        let mut certificates = vec![openssl::certificate(folder.path(), "rsa:2048")?];
        let mut more = "ssl_protocols TLSv1.2 TLSv1.3;".to_owned();
        if setting == Setting::Wide {
            certificates.push(openssl::certificate(folder.path(), "P-256")?);
            let dh = openssl::dh_parameters(folder.path())?;
            more = format!("ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers {EVERYTHING}; ssl_dhparam {dh};");
        }
        for (pem, key) in &certificates {
            more += &format!(" ssl_certificate {pem}; ssl_certificate_key {key};");
        }
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|name| format!("{name}_temp_path {}; ", path(name)))
            .collect();
        let listen: String = addresses().map(|address| format!("listen {address}:{port} ssl; ")).collect();
        let text = format!(
            "daemon off; master_process off; pid {}; error_log {} crit;\nevents {{ worker_connections 4096; }}\n\
             http {{ access_log off; {temporary}\n\
             server {{ {listen} {more} return 204; }}\n\
             server {{ listen {status}; location / {{ stub_status; }} }} }}\n",
            path("pid"),
            path("errors"),
        );
        std::fs::write(path("nginx.conf"), text)?;
        let mut command = Command::new("nginx");
        command.args(["-p", &path(""), "-c", &path("nginx.conf"), "-e", &path("errors")]).stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let nginx = Self { child, port, status, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(10);
        while nginx.accepted().is_err() {
            if Instant::now() > deadline {
                let errors = std::fs::read_to_string(nginx._folder.path().join("errors")).unwrap_or_default();
                return Err(format!("nginx does not listen: {errors}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(nginx)
    }

    /// Connections that it has accepted, besides those that asked for this number.
    ///
    /// # Errors
    /// The status page does not answer.
    pub fn accepted(&self) -> Result<u64, Box<dyn Error>> {
        let mut stream = TcpStream::connect(self.status)?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        // "server accepts handled requests", and a line with the three. Each look at the page is a connection and a request.
        let line = page.lines().skip_while(|line| !line.starts_with("server accepts")).nth(1).unwrap_or_default();
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let [accepted, _, _] = numbers[..] else { return Err("nginx: its status page cannot be read".into()) };
        Ok(accepted)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of loopback that was free a moment ago.
pub fn free_port() -> Result<u16, Box<dyn Error>> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
