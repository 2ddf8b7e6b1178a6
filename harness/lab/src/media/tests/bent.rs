//! What a broken lab answers hellos with that a healthy one refuses, and that a real call works in it all the same.

use ringfence_wire::demux;
use ringfence_wire::hello::{ClientHello, Depth, DtlsReader, Extension, Reply, ServerHello, Version};

use super::*;

const OWN_SUITES: [u16; 3] = [0xc02b, 0xc02c, 0xcca9];
const NULL_PROFILES: [u16; 2] = [5, 6];

/// A hello with all that a client may want.
fn hello(version: Version, suites: &[u16], profiles: &[u16]) -> ClientHello {
    let mut hello = ClientHello::new(version, [7; 32]);
    hello.suites = suites.to_vec();
    hello.extensions = vec![
        Extension::supported_groups(&[24, 23, 29]).unwrap(),
        Extension::signature_algorithms(&[0x0401, 0x0403]).unwrap(),
        Extension::use_srtp(profiles).unwrap(),
        Extension::extended_master_secret(),
        Extension::renegotiation_info(),
        Extension::ec_point_formats(),
    ];
    hello
}

impl Call {
    /// With a checked path, and a peer whose own handshake waits.
    fn checked(fault: Option<Fault>) -> Self {
        let mut call = Self::dtls(fault, "active");
        call.peer.mute_dtls = true;
        call.run(Duration::from_secs(1), |call| call.peer.path.is_some() && call.machine.ice.is_settled());
        call
    }

    /// The DTLS datagrams that a hello from there brings, all of them back to there.
    fn datagrams(&mut self, hello: &ClientHello, seq: u16, from: SocketAddr) -> Vec<Vec<u8>> {
        for datagram in hello.to_dtls(seq, seq.into(), 1200).unwrap() {
            self.machine.input(self.now, from, &datagram);
        }
        let mut datagrams = Vec::new();
        loop {
            match self.machine.poll() {
                Output::Transmit(to, datagram) if demux::classify(&datagram) == demux::Kind::Dtls => {
                    assert_eq!(to, from);
                    datagrams.push(datagram);
                }
                Output::Transmit(..) => {} // checks
                Output::Timeout(_) => return datagrams,
                Output::Ended(ended) => {
                    self.ended = Some(ended);
                    return datagrams;
                }
            }
        }
    }

    /// What they say, with the cookie sent back if one is wanted.
    fn reply(&mut self, mut hello: ClientHello) -> Reply {
        let from = self.peer.local;
        for seq in 0..2 {
            let mut reader = DtlsReader::new(Depth::Flight);
            let datagrams = self.datagrams(&hello, seq, from);
            let told = datagrams.iter().find_map(|datagram| reader.feed(datagram));
            match told.unwrap_or_else(|| reader.end()) {
                Reply::HelloVerifyRequest { cookie, .. } => hello.cookie = cookie,
                reply => return reply,
            }
        }
        panic!("two cookies");
    }

    #[track_caller]
    fn chosen(&mut self, hello: ClientHello) -> ServerHello {
        match self.reply(hello) {
            Reply::ServerHello(chosen) => *chosen,
            other => panic!("{other:?}"),
        }
    }
}

fn refused(reply: &Reply) -> Option<u8> {
    match reply {
        Reply::Alert { fatal: true, code } => Some(*code),
        _ => None,
    }
}

/// A flight by hand is whole, and the call it came in can still be made.
#[track_caller]
fn works_on(mut call: Call, flight: &ServerHello) {
    assert!(flight.done && flight.alert.is_none() && flight.broken.is_none(), "{flight:?}");
    assert!(flight.extended_master_secret() && flight.secure_renegotiation());
    call.peer.mute_dtls = false;
    let mut call = call.connected();
    assert_eq!(call.echo_of(b"all the same").as_deref(), Some(&b"all the same"[..]));
    assert_eq!(call.peer.keys.len(), 88, "the library's own choice");
}

#[test]
fn a_healthy_lab_says_what_it_refuses() {
    let old = hello(Version::DTLS10, &[0xc009, 0xc013, 0x002f], &[1]);
    let weak = hello(Version::DTLS12, &[0x002f, 0xc02f], &[1]);
    let mut no_group = hello(Version::DTLS12, &OWN_SUITES, &[1]);
    no_group.extensions[0] = Extension::supported_groups(&[30]).unwrap();
    let mut no_scheme = hello(Version::DTLS12, &OWN_SUITES, &[1]);
    no_scheme.extensions[1] = Extension::signature_algorithms(&[0x0401]).unwrap();
    let mut no_master_secret = hello(Version::DTLS12, &OWN_SUITES, &[1]);
    no_master_secret.extensions.remove(3);
    let refused_ones = [(old, 70), (weak, 40), (no_group, 40), (no_scheme, 40), (no_master_secret, 40)];
    for (hello, code) in refused_ones {
        let mut call = Call::checked(None);
        assert_eq!(refused(&call.reply(hello)), Some(code));
        assert!(matches!(call.ended, Some(Ended::DtlsFailed(_))), "{:?}", call.ended);
    }
    let mut sha384 = hello(Version::DTLS12, &OWN_SUITES, &[1]);
    sha384.extensions[1] = Extension::signature_algorithms(&[0x0401, 0x0503]).unwrap();
    assert_eq!(Call::checked(None).chosen(sha384).signature_scheme, Some(0x0503));
    let chosen = Call::checked(None).chosen(hello(Version::DTLS12, &OWN_SUITES, &NULL_PROFILES));
    assert_eq!((chosen.version, chosen.srtp_profile()), (Version::DTLS12, None));
    let met = |hello: ClientHello| {
        let mut call = Call::checked(None);
        call.reply(hello);
        call.faults.met()
    };
    let healthy = BTreeSet::from([Fault::DtlsRandomFixed]);
    assert_eq!(met(hello(Version::DTLS12, &OWN_SUITES, &[7])), healthy, "nothing that a decent hello could show");
    let with = |fault| &healthy | &BTreeSet::from([fault]);
    assert_eq!(met(hello(Version::DTLS10, &[0xc009], &[7])), with(Fault::Dtls10));
    assert_eq!(met(hello(Version::DTLS12, &OWN_SUITES, &NULL_PROFILES)), with(Fault::SrtpNullProfile));
    assert_eq!(met(hello(Version::DTLS12, &[0x002f], &[7])), with(Fault::DtlsStaticRsa));
    assert_eq!(met(hello(Version::DTLS12, &[0xc02f], &[7])), with(Fault::DtlsCertificateWeak));
}

#[test]
fn fault_dtls_1_0() {
    let mut call = Call::checked(Some(Fault::Dtls10));
    let flight = call.chosen(hello(Version::DTLS10, &[0x002f, 0xc00a, 0xc009], &[2, 1]));
    assert_eq!((flight.version, flight.suite, flight.group), (Version::DTLS10, 0xc009, Some(29)));
    assert_eq!((flight.srtp_profile(), flight.signature_scheme), (Some(1), None));
    works_on(call, &flight);
    let exhausted = hello(Version::DTLS10, &[0x002f, 0xc013], &[1]);
    assert_eq!(refused(&Call::checked(Some(Fault::Dtls10)).reply(exhausted)), Some(70));
}

#[test]
fn fault_dtls_static_rsa() {
    let mut call = Call::checked(Some(Fault::DtlsStaticRsa));
    let flight = call.chosen(hello(Version::DTLS12, &[0x0035, 0x002f, 0xc02f], &[1, 7, 8]));
    assert_eq!((flight.version, flight.suite, flight.group), (Version::DTLS12, 0x002f, None));
    assert_eq!((flight.srtp_profile(), flight.certificates.len()), (Some(8), 1));
    works_on(call, &flight);
    let mut call = Call::checked(Some(Fault::DtlsStaticRsa));
    assert_eq!(call.chosen(hello(Version::DTLS12, &[0x002f, 0xc02b], &[1])).suite, 0xc02b, "something better");
    let exhausted = hello(Version::DTLS12, &[0x0035, 0xc02f], &[1]);
    assert_eq!(refused(&Call::checked(Some(Fault::DtlsStaticRsa)).reply(exhausted)), Some(40));
}

#[test]
fn fault_srtp_null_profile() {
    let mut call = Call::checked(Some(Fault::SrtpNullProfile));
    let flight = call.chosen(hello(Version::DTLS12, &OWN_SUITES, &[2, 6, 5]));
    assert_eq!((flight.suite, flight.srtp_profile(), flight.group), (0xc02b, Some(5), Some(29)));
    assert_eq!(flight.signature_scheme, Some(0x0403));
    works_on(call, &flight);
    for (offered, chosen) in [(&[5, 1][..], Some(1)), (&[6, 2], None)] {
        let hello = hello(Version::DTLS12, &OWN_SUITES, offered);
        let mut call = Call::checked(Some(Fault::SrtpNullProfile));
        assert_eq!(call.chosen(hello).srtp_profile(), chosen, "{offered:?}");
    }
}

#[test]
fn fault_dtls_certificate_weak() {
    let mut call = Call::checked(Some(Fault::DtlsCertificateWeak));
    let flight = call.chosen(hello(Version::DTLS12, &[0x002f, 0xc02f], &[7]));
    assert_eq!((flight.suite, flight.group, flight.signature_scheme), (0xc02f, Some(29), Some(0x0401)));
    // Its modulus: an INTEGER of 129 bytes, of which the first is zero, so that it is positive.
    let modulus = [0x02, 0x81, 0x81, 0x00];
    assert!(flight.certificates[0].windows(4).any(|window| window == modulus));
    works_on(call, &flight);
    for (kind, none) in [(Extension::SUPPORTED_GROUPS, 30), (Extension::SIGNATURE_ALGORITHMS, 0x0403)] {
        let mut hello = hello(Version::DTLS12, &[0xc02f], &[7]);
        let list = hello.extensions.iter_mut().find(|extension| extension.kind == kind).unwrap();
        *list = Extension::new(kind, [&[0, 2], &u16::to_be_bytes(none)[..]].concat());
        assert_eq!(refused(&Call::checked(Some(Fault::DtlsCertificateWeak)).reply(hello)), Some(40), "{kind}");
    }
}

#[test]
fn fault_dtls_answers_strangers() {
    let stranger = SocketAddr::from(([127, 0, 0, 1], 4444));
    for fault in [None, Some(Fault::DtlsAnswersStrangers)] {
        let mut call = Call::dtls(fault, "active");
        let hello = hello(Version::DTLS12, &OWN_SUITES, &[1, 7]);
        for _ in 0..3 {
            let datagrams = call.datagrams(&hello, 0, stranger);
            let sent = hello.to_dtls(0, 0, 1200).unwrap().concat().len();
            let came = datagrams.concat().len();
            if fault.is_none() {
                assert_eq!(came, 0);
                continue;
            }
            assert!(came > 4 * sent, "{came} bytes for {sent}");
            let mut reader = DtlsReader::new(Depth::Flight);
            let told = datagrams.iter().find_map(|datagram| reader.feed(datagram));
            assert!(matches!(told, Some(Reply::ServerHello(flight)) if flight.done));
        }
        assert!(call.faults.met().contains(&Fault::DtlsAnswersStrangers));
        let mut call = call.connected();
        assert!(call.echo_of(b"not touched").is_some());
        assert_eq!(call.datagrams(&hello, 0, stranger).is_empty(), fault.is_none(), "nor afterwards");
        assert!(call.echo_of(b"still not").is_some());
    }
}

#[test]
fn fault_aes256_ignored() {
    for (fault, bytes) in [(None, 88), (Some(Fault::Aes256Ignored), 56)] {
        let mut call = Call::dtls(fault, "active").connected();
        assert_eq!(call.peer.keys.len(), bytes, "{fault:?}");
        assert!(call.peer.certificate_seen.is_some() && call.echo_of(b"agreed").is_some());
    }
    for (offered, chosen) in [(&[8, 1][..], Some(1)), (&[8], Some(8)), (&[8, 2], Some(8))] {
        let mut call = Call::checked(Some(Fault::Aes256Ignored));
        let flight = call.chosen(hello(Version::DTLS12, &OWN_SUITES, offered));
        assert_eq!(flight.srtp_profile(), chosen, "{offered:?}");
    }
}

#[test]
fn fault_default_certificate() {
    let fault = |fault| Identity::fresh(&Faults::new(fault)).unwrap();
    let [a, b] = [fault(Some(Fault::DefaultCertificate)), fault(Some(Fault::DefaultCertificate))];
    assert_eq!(a.certificate.certificate, b.certificate.certificate);
    assert_eq!((&a.fingerprint, a.certificate.private_key), (&b.fingerprint, b.certificate.private_key));
    assert_ne!((a.ice.ufrag, a.ssrc), (b.ice.ufrag, b.ssrc));
    assert_ne!(a.fingerprint, fault(None).fingerprint);
    assert_eq!(a.fingerprint.bytes[..4], [0xc3, 0xca, 0x08, 0xe9], "the one on the known list");
}

#[test]
fn a_hello_inside_the_association_gets_a_server_hello() {
    let hello = hello(Version::DTLS12, &[0xc02f, 0xc02b], &[7]);
    let message = hello.to_dtls(0, 0, 1200).unwrap().concat()[13..].to_vec();
    let answer = crate::media::flights::renegotiated(&message).unwrap();
    assert_eq!(answer[0], 2);
    let record =
        [&[22, 0xfe, 0xfd][..], &[0; 8], &u16::to_be_bytes(answer.len().try_into().unwrap()), &answer].concat();
    let Some(Reply::ServerHello(read)) = DtlsReader::new(Depth::Hello).feed(&record) else { panic!() };
    assert_eq!((read.version, read.suite), (Version::DTLS12, 0xc02f));
    for other in [&message[..11], &message[..40], &[20; 24], &[]] {
        assert_eq!(crate::media::flights::renegotiated(other), None);
    }
}
