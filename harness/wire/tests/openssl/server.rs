//! `openssl s_server` as a child, and one question at a time to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ringfence_wire::hello::{ClientHello, Depth, DtlsReader, Reply, TlsReader};

/// A test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the command wrote to stdout, or `None` if there is no such program.
pub fn openssl(arguments: &[&str]) -> Option<Vec<u8>> {
    match Command::new("openssl").args(arguments).stdin(Stdio::null()).output() {
        Ok(output) => {
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            Some(output.stdout)
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "CI has openssl: {error}; apt-get install openssl");
            eprintln!("left out, no openssl: apt-get install openssl");
            None
        }
    }
}

/// A self-signed certificate and its key, in files.
pub struct Certificate {
    pub directory: tempfile::TempDir,
    pub der: Vec<u8>,
}

impl Certificate {
    pub fn rsa(name: &str) -> Option<Self> {
        Self::new(name, &["-newkey", "rsa:2048"])
    }

    pub fn ec(name: &str) -> Option<Self> {
        Self::new(name, &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
    }

    fn new(name: &str, key: &[&str]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let path = |file| directory.path().join(file).to_str().unwrap().to_owned();
        let (key_file, pem, subject) = (path("key.pem"), path("certificate.pem"), format!("/CN={name}.example.test"));
        let rest = ["-nodes", "-keyout", &key_file, "-out", &pem, "-subj", &subject, "-days", "2"];
        openssl(&[&["req", "-x509"], key, &rest].concat())?;
        let der = openssl(&["x509", "-in", &pem, "-outform", "DER"])?;
        Some(Self { directory, der })
    }

    pub fn certificate(&self) -> String {
        self.directory.path().join("certificate.pem").to_str().unwrap().to_owned()
    }

    fn key(&self) -> String {
        self.directory.path().join("key.pem").to_str().unwrap().to_owned()
    }
}

/// Ends with its value.
pub struct Server {
    child: Child,
    address: SocketAddr,
    /// How many datagrams it sent.
    pub datagrams: std::cell::Cell<usize>,
}

impl Server {
    pub fn start(arguments: &[&str], certificates: &[&Certificate]) -> Self {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0"]).args(arguments);
        for (certificate, flags) in certificates.iter().zip([["-cert", "-key"], ["-dcert", "-dkey"]]) {
            command.args([flags[0], &certificate.certificate(), flags[1], &certificate.key()]);
        }
        // It ends when its stdin does.
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = pipes.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).find_map(|x| x.strip_prefix("ACCEPT ")?.parse().ok());
        let Some(address) = ready else { panic!("s_server {arguments:?} did not start: {:?}", child.wait()) };
        std::thread::spawn(move || lines.for_each(drop)); // or its pipe fills up
        Self { child, address, datagrams: Default::default() }
    }

    pub fn ask_tls(&self, hello: &ClientHello, depth: Depth) -> Reply {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&hello.to_tls().unwrap()).unwrap();
        let (mut reader, mut piece) = (TlsReader::new(depth), [0; 1000]);
        loop {
            let count = stream.read(&mut piece).unwrap();
            if count == 0 {
                return reader.end();
            }
            if let Some(reply) = reader.feed(&piece[..count]) {
                return reply;
            }
        }
    }

    pub fn udp(&self) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    }

    /// Follows the cookie that every `s_server` wants.
    pub fn ask_dtls(&self, hello: &ClientHello, depth: Depth, fragment: usize) -> Reply {
        let (socket, mut hello) = (self.udp(), hello.clone());
        match self.ask_dtls_from(&socket, &hello, 0, depth, fragment) {
            Reply::HelloVerifyRequest { cookie, .. } => hello.cookie = cookie,
            reply => return reply,
        }
        self.ask_dtls_from(&socket, &hello, 1, depth, fragment)
    }

    /// `hello` as the client's message number `sequence`.
    pub fn ask_dtls_from(
        &self,
        socket: &UdpSocket,
        hello: &ClientHello,
        sequence: u16,
        depth: Depth,
        fragment: usize,
    ) -> Reply {
        let record = u64::from(sequence) * 10_000; // behind all fragments of the first
        for datagram in hello.to_dtls(sequence, record, fragment).unwrap() {
            socket.send(&datagram).unwrap();
        }
        let (mut reader, mut datagram) = (DtlsReader::new(depth), [0; 2000]);
        loop {
            let count = socket.recv(&mut datagram).unwrap();
            self.datagrams.update(|x| x + 1);
            if let Some(reply) = reader.feed(&datagram[..count]) {
                return reply;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
