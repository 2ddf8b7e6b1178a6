//! A caller for tests: `is` and `dimpl` driven by hand, nothing of the callee's own code.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Config, Dtls, DtlsCertificate, Output};
use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceAgentEvent, IceCreds, Protocol};
use ringfence_srtp::{Context, MasterKeys, Profile};
use ringfence_wire::demux::{Kind, classify};
use ringfence_wire::rtcp;
use ringfence_wire::sdp::{Description, Setup};

pub const SHA256_OF_NOTHING: &str = "sha-256 E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:\
                                     27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55";

/// An RTP packet as the caller reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub ssrc: u32,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub payload: Vec<u8>,
}

pub struct Peer {
    pub local: SocketAddr,
    creds: IceCreds,
    ice: IceAgent,
    certificate: DtlsCertificate,
    dtls: Option<Dtls>,
    is_client: bool,
    pub contexts: Option<(Context, Context)>,
    pub path: Option<SocketAddr>,
    pub connected: bool,
    pub closed: bool,
    pub failed: Option<String>,
    pub server_random: Option<Vec<u8>>,
    pub certificate_seen: Option<Vec<u8>>,
    pub keys: Vec<u8>,
    pub heard: Vec<Heard>,
    pub reports: Vec<Vec<rtcp::Packet>>,
    /// Datagrams of RTP or RTCP that did not authenticate.
    pub strange: Vec<Vec<u8>>,
    out: Vec<(SocketAddr, Vec<u8>)>,
    sequence: u16,
    /// Lets ICE run, but opens no handshake.
    pub mute_dtls: bool,
}

impl Peer {
    pub fn new(local: SocketAddr) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        let certificate = DtlsCertificate { certificate: certificate.der().to_vec(), private_key: key.serialize_der() };
        let creds = IceCreds { ufrag: "peer".into(), pass: "the-peer/s+password+24chars".replace('-', "x") };
        let mut ice = IceAgent::new(creds.clone());
        ice.set_controlling(true);
        ice.set_timing_advance(Duration::from_millis(5));
        ice.add_local_candidate(Candidate::host(local, "udp").unwrap()).unwrap();
        Self {
            local,
            creds,
            ice,
            certificate,
            dtls: None,
            is_client: true,
            contexts: None,
            path: None,
            connected: false,
            closed: false,
            failed: None,
            server_random: None,
            certificate_seen: None,
            keys: Vec::new(),
            heard: Vec::new(),
            reports: Vec::new(),
            strange: Vec::new(),
            out: Vec::new(),
            sequence: 1,
            mute_dtls: false,
        }
    }

    pub fn fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(&self.certificate.certificate);
        let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        format!("sha-256 {}", pairs.join(":"))
    }

    /// An offer of PCMU and Opus; `more` are further lines of the audio section.
    pub fn offer(&self, profile: &str, more: &str) -> String {
        let (ufrag, pwd, port) = (&self.creds.ufrag, &self.creds.pass, self.local.port());
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio {port} {profile} 0 111\r\n\
             c=IN IP4 127.0.0.1\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n\
             a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host\r\n{more}"
        )
    }

    /// The usual offer, with `setup`.
    pub fn dtls_offer(&self, setup: &str) -> String {
        let lines =
            format!("a=setup:{setup}\r\na=fingerprint:{}\r\na=tls-id:{}\r\n", self.fingerprint(), "t".repeat(24));
        self.offer("UDP/TLS/RTP/SAVPF", &lines)
    }

    pub fn accept(&mut self, answer: &str, now: Instant) {
        let answer = Description::parse(answer.as_bytes()).unwrap();
        let audio = answer.section(0).unwrap();
        let (ufrag, pass) = (audio.ice_ufrag().unwrap().into(), audio.ice_pwd().unwrap().into());
        self.ice.set_remote_credentials(IceCreds { ufrag, pass });
        for candidate in audio.candidates() {
            let text = format!("candidate:{}", candidate.unwrap());
            self.ice.add_remote_candidate(Candidate::from_sdp_string(&text).unwrap());
        }
        if let Some(setup) = audio.setup() {
            self.is_client = setup.unwrap() == Setup::Passive;
            let config = Arc::new(Config::builder().build().unwrap());
            let mut dtls = Dtls::new_12(config, self.certificate.clone(), now);
            dtls.set_active(self.is_client);
            dtls.handle_timeout(now).unwrap();
            self.dtls = Some(dtls);
        }
        self.timeout(now);
    }

    pub fn input(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        match classify(datagram) {
            Kind::Stun => {
                let message = StunMessage::parse(datagram).unwrap();
                let packet = StunPacket { proto: Protocol::Udp, source: from, destination: self.local, message };
                self.ice.handle_packet(now, packet);
            }
            Kind::Dtls => {
                if datagram[0] == 22 && datagram[13] == 2 {
                    self.server_random = Some(datagram[27..59].to_vec()); // record 13, message 12, version 2
                }
                if let Some(dtls) = &mut self.dtls {
                    let result = dtls.handle_timeout(now).and_then(|()| dtls.handle_packet(datagram));
                    self.note(result);
                }
            }
            Kind::Rtp => self.rtp(datagram),
            Kind::Rtcp => self.rtcp(datagram),
            _ => panic!("{datagram:?}"),
        }
        self.timeout(now);
    }

    pub fn timeout(&mut self, now: Instant) {
        self.ice.handle_timeout(now);
        while let Some(event) = self.ice.poll_event() {
            if let IceAgentEvent::NominatedSend { destination, .. } = event {
                self.path = Some(destination);
            }
        }
        while let Some(transmit) = self.ice.poll_transmit() {
            self.out.push((transmit.destination, transmit.contents.to_vec()));
        }
        if let Some(dtls) = self.dtls.as_mut().filter(|_| self.failed.is_none()) {
            let result = dtls.handle_timeout(now);
            self.note(result);
            self.drain();
        }
    }

    /// What is to be sent, and when the next timeout is due.
    pub fn poll(&mut self) -> (Vec<(SocketAddr, Vec<u8>)>, Option<Instant>) {
        (std::mem::take(&mut self.out), self.ice.poll_timeout())
    }

    /// An RTP packet in the clear, the next of its stream.
    pub fn packet(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x80, 0];
        packet.extend_from_slice(&self.sequence.to_be_bytes());
        packet.extend_from_slice(&(u32::from(self.sequence) * 160).to_be_bytes());
        packet.extend_from_slice(&0xcafe_u32.to_be_bytes());
        packet.extend_from_slice(payload);
        self.sequence += 1;
        packet
    }

    pub fn protected(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut packet = self.packet(payload);
        self.contexts.as_mut().unwrap().1.protect_rtp(&mut packet).unwrap();
        packet
    }

    pub fn use_keys(&mut self, theirs: &ringfence_srtp::MasterKey, ours: &ringfence_srtp::MasterKey) {
        self.contexts = Some((Context::new(theirs), Context::new(ours)));
    }

    pub fn hang_up(&mut self) {
        self.dtls.as_mut().unwrap().close().unwrap();
        self.drain();
    }

    fn note(&mut self, result: Result<(), dimpl::Error>) {
        if let Err(error) = result {
            self.failed.get_or_insert(error.to_string());
        }
    }

    fn drain(&mut self) {
        let (Some(dtls), Some(path)) = (&mut self.dtls, self.path) else { return };
        let mut buffer = vec![0; 4096];
        while !self.mute_dtls {
            match dtls.poll_output(&mut buffer) {
                Output::Packet(packet) => self.out.push((path, packet.to_vec())),
                Output::Connected => self.connected = true,
                Output::PeerCert(certificate) => self.certificate_seen = Some(certificate.to_vec()),
                Output::KeyingMaterial(material, profile) => {
                    let profile = match profile.keying_material_len() {
                        60 => Profile::AesCm128HmacSha1_80,
                        56 => Profile::AeadAes128Gcm,
                        _ => Profile::AeadAes256Gcm,
                    };
                    self.keys = material.to_vec();
                    let keys = MasterKeys::from_exporter(profile, &material).unwrap();
                    let (theirs, ours) =
                        if self.is_client { (&keys.server, &keys.client) } else { (&keys.client, &keys.server) };
                    self.contexts = Some((Context::new(theirs), Context::new(ours)));
                }
                Output::CloseNotify => self.closed = true,
                Output::Timeout(_) => break,
                other => panic!("{other:?}"),
            }
        }
    }

    fn rtp(&mut self, datagram: &[u8]) {
        let mut packet = datagram.to_vec();
        let opened = self.contexts.as_mut().map(|(inbound, _)| inbound.unprotect_rtp(&mut packet));
        if opened != Some(Ok(())) {
            return self.strange.push(packet);
        }
        let packet = ringfence_wire::rtp::Packet::parse(&packet).unwrap();
        let ringfence_wire::rtp::Header { ssrc, payload_type, sequence, timestamp, .. } = packet.header;
        self.heard.push(Heard { ssrc, payload_type, sequence, timestamp, payload: packet.payload.to_vec() });
    }

    fn rtcp(&mut self, datagram: &[u8]) {
        let mut packet = datagram.to_vec();
        let opened = self.contexts.as_mut().map(|(inbound, _)| inbound.unprotect_rtcp(&mut packet));
        if opened != Some(Ok(())) {
            return self.strange.push(packet);
        }
        self.reports.push(rtcp::parse(&packet).unwrap());
    }
}
