//! The lab: an embedded click-to-call deployment on one machine, healthy or with one named fault.
//!
//! | file | subject |
//! |---|---|
//! | `fault` | what can be wrong, one at a time |
//! | `figures` | the healthy figures, with their sources |
//! | `pki` | a certificate authority per lab |
//! | `front`, `https` | accepting connections: TLS, or somebody in the clear |
//! | `by_hand` | what TLS listeners answer that no sound library does |
//! | `page`, `config` | the page with the call button, and the configuration endpoint |
//! | `accounts` | SIP pairs: one per configuration, one call each |
//! | `signalling`, `sip` | WebSocket, registrar and answering agent |
//! | `outage` | all of signalling gone at once, where that is the fault |
//! | `media` | the echo: ICE, DTLS, SRTP |
//! | `turn` | the relay |
//! | `target_file`, `log` | what an operator gets: a ready target file, a log without secrets |
//!
//! Many labs run in one process: each has its own authority, ports, secrets and folder, and nothing is global. What a
//! lab shows is a simulator's word.
//!
//! ```
//! # let runtime = tokio::runtime::Runtime::new().unwrap();
//! # runtime.block_on(async {
//! # let folder = std::env::temp_dir().join(format!("ringfence-lab-doc-{}", std::process::id()));
//! use ringfence_lab::{Lab, LabOptions};
//! let lab = Lab::start(LabOptions::healthy(&folder)).await?;
//! assert!(lab.target_file().contains(&lab.urls().config));
//! lab.stop().await;
//! # std::fs::remove_dir_all(&folder).ok();
//! # Ok::<(), ringfence_lab::LabError>(())
//! # }).unwrap();
//! ```

mod accounts;
mod by_hand;
mod config;
pub mod fault;
pub mod figures;
mod front;
mod https;
mod limits;
mod log;
pub mod media;
mod outage;
mod page;
mod pki;
mod random;
mod signalling;
mod sip;
mod target_file;
mod turn;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_model::Secret;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use accounts::Accounts;
use config::{ConfigService, Endpoint};
use fault::{Fault, Faults};
use https::Plain;
use log::Log;
use media::external::Program;
use media::{Callee, MediaSettings};
use page::PageService;
use signalling::Signalling;
use sip::Shared;
use turn::{Door, Turn};

/// What a lab is to be.
#[derive(Clone, Debug)]
pub struct LabOptions {
    /// Its one fault; `None` is healthy.
    pub fault: Option<Fault>,
    /// Where it listens.
    pub ip: IpAddr,
    /// Where `ca.pem`, `target.toml` and `lab.log` are written; made if it is not there.
    pub folder: PathBuf,
    /// On which ports it listens.
    pub ports: Ports,
    /// A script that the page serves in place of its own phone; `None` is its own.
    pub phone: Option<PathBuf>,
    /// Whether the page tells its browser to use relayed candidates only. RFC 9429, section 4.1.1.
    pub relay_only: bool,
    /// The program that answers calls, see [`media::external`]; `None` is the lab's own echo.
    pub callee: Option<Program>,
}

impl LabOptions {
    /// A healthy lab on 127.0.0.1 with ephemeral ports.
    pub fn healthy(folder: impl Into<PathBuf>) -> Self {
        Self {
            fault: None,
            ip: Ipv4Addr::LOCALHOST.into(),
            folder: folder.into(),
            ports: Ports::Ephemeral,
            phone: None,
            relay_only: false,
            callee: None,
        }
    }

    /// The same with a fault.
    pub fn broken(fault: Fault, folder: impl Into<PathBuf>) -> Self {
        Self { fault: Some(fault), ..Self::healthy(folder) }
    }
}

/// Which ports a lab listens on. Media and relays always take ephemeral ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ports {
    /// Whichever are free: many labs in one process.
    #[default]
    Ephemeral,
    /// Five in a row: page, configuration and signalling (TCP), TURN (UDP and TCP), TURN over TLS (TCP). 1 to 65531.
    From(u16),
}

impl Ports {
    fn nth(self, n: u16) -> u16 {
        match self {
            Ports::Ephemeral => 0,
            Ports::From(first) => first.saturating_add(n),
        }
    }
}

/// Where a lab's parts are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Urls {
    /// The page with the call button.
    pub page: String,
    /// Its origin, the only one that configuration and signalling allow.
    pub page_origin: String,
    /// The configuration endpoint.
    pub config: String,
    /// A second one, for another application.
    pub second: String,
    /// One that hands out no pair.
    pub runtime: String,
    /// Another such one, of another tenant.
    pub runtime_second: String,
    /// Signalling.
    pub signalling: String,
    /// TURN over UDP, as RFC 7065 writes it.
    pub turn: String,
    /// TURN over TCP.
    pub turn_tcp: String,
    /// TURN over TLS.
    pub turns: String,
}

/// Why a lab does not start.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The folder or a file in it cannot be written.
    #[error("lab folder {path}: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The phone cannot be read, is too long, or is not UTF-8.
    #[error("phone {path}: {source}")]
    Phone {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A listener cannot be bound.
    #[error("{part} listener on {address}: {source}")]
    Listener {
        /// Whose.
        part: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A certificate cannot be made.
    #[error("lab certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// rustls refuses the settings.
    #[error("lab tls settings: {0}")]
    Tls(#[from] rustls::Error),
}

/// A running lab. Dropping it closes every connection and ends every task.
#[derive(Debug)]
pub struct Lab {
    faults: Arc<Faults>,
    log: Arc<Log>,
    urls: Urls,
    target: String,
    target_path: PathBuf,
    tasks: JoinSet<()>,
}

impl Lab {
    /// Binds all listeners, writes the files and starts serving. When it returns, everything answers.
    ///
    /// # Errors
    /// Names the file or listener at fault.
    pub async fn start(options: LabOptions) -> Result<Self, LabError> {
        let LabOptions { fault, ip, folder, ports, phone, relay_only, callee } = options;
        std::fs::create_dir_all(&folder).map_err(at(&folder))?;
        let folder = folder.canonicalize().map_err(at(&folder))?;
        let (ca_path, log_path) = (folder.join("ca.pem"), folder.join("lab.log"));
        let target_path = folder.join("target.toml");

        let phone = phone.map(|path| page::read_phone(&path).map_err(|source| LabError::Phone { path, source }));
        let phone = phone.transpose()?;

        let faults = Arc::new(Faults::new(fault));
        let log = Arc::new(Log::create(&log_path).map_err(at(&log_path))?);
        let pki = pki::make(ip, faults.clone())?;
        let (page_listener, page_address) = listen("page", ip, ports.nth(0)).await?;
        let (config_listener, config_address) = listen("config", ip, ports.nth(1)).await?;
        let (ws_listener, ws_address) = listen("signalling", ip, ports.nth(2)).await?;
        let (turn_socket, turn_address) = listen_udp("turn", ip, ports.nth(3)).await?;
        let (turn_tcp, turn_tcp_address) = listen("turn over tcp", ip, ports.nth(3)).await?;
        let (turn_tls, turn_tls_address) = listen("turn over tls", ip, ports.nth(4)).await?;

        let endpoints = Arc::new(Endpoint::all());
        let turn_addresses = [turn_address, turn_tcp_address, turn_tls_address];
        let urls = urls(page_address, config_address, ws_address, turn_addresses, &endpoints);
        let turn_secret = Secret::new(random::bytes::<32>().to_vec());
        let accounts = Arc::new(Accounts::new(faults.clone()));
        let doors =
            vec![Door { listener: turn_tcp, tls: None }, Door { listener: turn_tls, tls: Some(pki.turn.clone()) }];
        let turn = Turn::new(turn_socket, doors, turn_secret.clone(), faults.clone(), log.clone());
        let turn = turn.map_err(|source| LabError::Listener { part: "turn", address: turn_address, source })?;
        let config = Arc::new(ConfigService {
            faults: faults.clone(),
            accounts: accounts.clone(),
            log: log.clone(),
            endpoints: endpoints.clone(),
            origin: urls.page_origin.clone(),
            ws_uri: urls.signalling.clone(),
            turn_urls: [urls.turn.clone(), urls.turn_tcp.clone(), urls.turns.clone()],
            turn_secret,
            mints: ConfigService::mint_limit(),
        });
        let echo = MediaSettings { local_ip: ip, faults: faults.clone() };
        let shared = Arc::new(Shared {
            faults: faults.clone(),
            accounts,
            log: log.clone(),
            endpoints,
            callee: callee.map_or(Callee::Echo(echo), Callee::Program),
            host: host_of(ws_address),
            wrong_logins: Shared::wrong_login_limit(),
            issued: std::sync::Mutex::default(),
            nobody: random::hex::<16>().into(),
            directory: sip::Directory::default(),
            outage: outage::Outage::new(),
        });
        let page = Arc::new(PageService::new(&urls, relay_only, phone, faults.clone(), log.clone()));
        let signalling = Signalling { shared, origin: urls.page_origin.clone(), tls: pki.server.clone() };

        let mut tasks = JoinSet::new();
        let (config_faults, page_faults) = (faults.clone(), faults.clone());
        let config_on_plain: https::OnPlain = Arc::new(move || {
            let (served, redirected) =
                (config_faults.broken(Fault::ConfigOnHttp), config_faults.broken(Fault::ApiRedirectsToHttps));
            match (served, redirected) {
                (true, _) => Plain::Served,
                (_, true) => Plain::Redirected,
                _ => Plain::Refused,
            }
        });
        let page_on_plain: https::OnPlain = Arc::new(move || match page_faults.broken(Fault::PageOnHttp) {
            true => Plain::Served,
            // People type addresses without a scheme: a page, other than an API, may send them on.
            false => Plain::Redirected,
        });
        tasks.spawn(https::serve(config_listener, pki.config.clone(), config_on_plain, config::router(config)));
        tasks.spawn(https::serve(page_listener, pki.server, page_on_plain, page::router(page)));
        tasks.spawn(signalling::serve(ws_listener, signalling));
        tasks.spawn(turn.serve());

        let mut target = target_file::text(&urls, ip, &ca_path, &log_path);
        if fault == Some(Fault::CertificateWrongName) {
            // Who knows of the certificate and wants the rest tested writes this.
            target = target.replacen("\nca_file", "\naccept_untrusted = true\nca_file", 1);
        }
        std::fs::write(&ca_path, &pki.ca_pem).map_err(at(&ca_path))?;
        std::fs::write(&target_path, &target).map_err(at(&target_path))?;
        Ok(Self { faults, log, urls, target, target_path, tasks })
    }

    /// The text of the target file.
    pub fn target_file(&self) -> String {
        self.target.clone()
    }

    /// Where the target file is.
    pub fn target_path(&self) -> &Path {
        &self.target_path
    }

    /// The fault, and which faults were met.
    pub fn faults(&self) -> Arc<Faults> {
        self.faults.clone()
    }

    /// Where the log is.
    pub fn log_path(&self) -> &Path {
        self.log.path()
    }

    /// Where the parts are.
    pub fn urls(&self) -> &Urls {
        &self.urls
    }

    /// Ends everything; when it returns, every port is free. The files stay.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> LabError {
    move |source| LabError::Folder { path: path.to_owned(), source }
}

async fn listen(part: &'static str, ip: IpAddr, port: u16) -> Result<(TcpListener, SocketAddr), LabError> {
    let address = SocketAddr::new(ip, port);
    let failed = |source| LabError::Listener { part, address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

async fn listen_udp(part: &'static str, ip: IpAddr, port: u16) -> Result<(UdpSocket, SocketAddr), LabError> {
    let address = SocketAddr::new(ip, port);
    let failed = |source| LabError::Listener { part, address, source };
    let socket = UdpSocket::bind(address).await.map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    Ok((socket, address))
}

fn urls(page: SocketAddr, config: SocketAddr, ws: SocketAddr, turn: [SocketAddr; 3], endpoints: &[Endpoint]) -> Urls {
    let page_origin = format!("https://{}", host_of(page));
    let address = |at: usize| {
        let token = endpoints.get(at).map_or("", |endpoint| endpoint.url_token.as_str());
        format!("https://{}/{token}", host_of(config))
    };
    let [udp, tcp, tls] = turn;
    Urls {
        page: format!("{page_origin}/call"),
        page_origin,
        config: address(0),
        second: address(1),
        runtime: address(2),
        runtime_second: address(3),
        signalling: format!("wss://{}", host_of(ws)),
        turn: format!("turn:{udp}?transport=udp"),
        turn_tcp: format!("turn:{tcp}?transport=tcp"),
        turns: format!("turns:{}?transport=tcp", host_of(tls)),
    }
}

/// `localhost` where that is what it resolves to, so that names are checked as in the field.
fn host_of(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}
