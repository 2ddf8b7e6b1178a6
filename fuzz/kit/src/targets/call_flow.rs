//! A whole call, signalling and media, against a scripted hostile peer that never has our keys.

use ringfence_wire::hello::{ClientHello, Extension, Version};

use crate::generators::peer::{Act, acts, is_deliberate, letters};
use crate::machines::{Call, Record};
use crate::oracles::GRAMMAR;
use crate::oracles::calling::{KEYLESS, SCOPE};
use crate::oracles::machine::{DRAINING, PROGRESS};
use crate::oracles::signalling::{
    ANSWERING, BELIEF, ECONOMY, ENDING, LOGIN, REGISTERING, SECRECY, SILENCE, TRANSACTIONS, WRITING,
};
use crate::target::{Seed, Target};
use crate::targets::sip_transaction::dialogue;

/// Both machines of a call, joined.
pub const TARGET: Target = Target {
    name: "call_flow",
    reads: "a script of a call and its datagrams, a line for each act",
    oracles: &[
        &DRAINING,
        &PROGRESS,
        &KEYLESS,
        &SCOPE,
        &WRITING,
        &GRAMMAR,
        &TRANSACTIONS,
        &ANSWERING,
        &BELIEF,
        &REGISTERING,
        &LOGIN,
        &SECRECY,
        &SILENCE,
        &ECONOMY,
        &ENDING,
    ],
    run,
    accepts: is_deliberate,
    show: |script| Record::of(|record| played(script, record)),
    seeds,
    dictionary: Some("sdp"),
    max_len: 8_192,
    covers: &["harness/client/src/signalling", "harness/client/src/media"],
};

/// One run.
pub fn run(script: &[u8]) {
    played(script, &Record::default());
}

/// One run, with what happens in it. Whatever the script says, we begin by calling.
fn played(script: &[u8], record: &Record) {
    let mut acts = acts(script);
    let letters = letters(&acts);
    let mut call = Call::of(dialogue(&acts, record), letters, record.clone());
    if !acts.iter().any(|act| matches!(act, Act::Invite)) {
        acts.insert(0, Act::Invite);
    }
    for act in &acts {
        record.act(act);
        call.play(act);
    }
    call.fall_silent();
}

/// A point of P-256: its generator. SEC 2, section 2.4.2.
const POINT: &[u8; 65] = b"\x04\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\
\xd8\x98\xc2\x96\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";
/// The description of a target that wants to be the client of DTLS.
const ACTIVE: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 40000 UDP/TLS/RTP/SAVPF 0\r\n\
c=IN IP4 127.0.0.1\r\na=ice-ufrag:abcdef\r\na=ice-pwd:0123456789012345678901\r\na=setup:active\r\na=rtcp-mux\r\n\
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host\r\n";

fn seeds() -> Vec<Seed> {
    let seed = |name: &str, script: &str| Seed::valid(name, script);
    let answered = "I\na0 200 t|Contact: <sip:b@far.test>|+";
    let datagrams = |name: &str, begins: &str, all: &[&[u8]]| {
        let lines =
            all.iter().flat_map(|line| [b"\n:", &line.iter().copied().map(folded).collect::<Vec<_>>()[..]].concat());
        Seed::valid(name, begins.bytes().chain(lines).chain(*b"\n.20").collect::<Vec<_>>())
    };
    let with_ice = format!("Pi\n{answered}\n.5");
    let active = format!("Pi\n{answered}!{}\n.5", ACTIVE.replace("\r\n", "~"));
    let (server_hello, client_hello) = (server_hello(), client_hello());
    let exchange = [b"h0\x0c\x03\0\x17\x41", &POINT[..], b"\x04\x03\0\x02xx"].concat();
    let shared = [b"h0\x10\x41", &POINT[..]].concat();
    let finished = b"t0\x16xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    vec![
        // The first answer makes the pair valid, the second one is to the check that nominates it (RFC 8445, 8.1.1).
        seed("answered", &format!("{answered}\n.1\n:a0\n.1\n:a0\n.5\n:s0\n.20\nB\na0 200")),
        seed("answered-once", &format!("{answered}\n.1\n:a0\n.20")),
        seed("checked-by-another", &format!("{answered}\n.1\n:A0\n:S0\n:a1\n:a2\n.20")),
        seed("early-media", "Pi\nI\na0 183 t|+\n.5\n:r0xxxxxxxx\na0 200 t\n.20"),
        seed("clear-media", &format!("{with_ice}\n:r0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n:c0\n.20")),
        datagrams("dtls-nonsense", &with_ice, &[b"d0\x02xxxxxxxxxxxxxxxxxxxxxxxxxx", b"x0\x16\xfe\xfd"]),
        datagrams("dtls-alert", &with_ice, &[b"t0\x15\x02\x28"]),
        datagrams("dtls-closed", &with_ice, &[b"t0\x15\x01\x00"]),
        datagrams("dtls-asks-twice", &with_ice, &[b"h0\x03\xfe\xfd\x04cook", &server_hello, b"h0\x0e"]),
        datagrams(
            "dtls-flight",
            &with_ice,
            &[
                &server_hello,
                b"h0\x0b\0\0\x06\0\0\x03\x30\x01\x00",
                &exchange,
                b"h0\x0d\x01\x40\0\x02\x04\x03\0\0",
                b"h0\x0e",
            ],
        ),
        datagrams(
            "dtls-data-too-soon",
            &with_ice,
            &[&server_hello, b"t0\x14\x01", b"t0\x17xxxx", b"h0\x14xxxxxxxxxxxx"],
        ),
        datagrams(
            "setup-active",
            &active,
            &[&client_hello, &client_hello, b"h0\x0b\0\0\0", &shared, b"t0\x14\x01", finished],
        ),
        seed("setup-active-silent", &format!("{active}\n.120")),
        seed(
            "candidates-elsewhere",
            &format!(
                "{answered}a=candidate:2 1 udp 2130706430 192.0.2.66 40000 typ host~a=candidate:3 1 udp 1 127.0.0.1 40001 typ host~\n.20\n:s2\n:s1\n.5"
            ),
        ),
        seed("nobody-in-scope", &format!("Pz\n{answered}\n.20\n:s0\n.5")),
        seed(
            "no-fingerprint",
            "I\na0 200 t|+!v=0~o=- 1 1 IN IP4 127.0.0.1~s=-~t=0 0~m=audio 40000 UDP/TLS/RTP/SAVPF 0~c=IN IP4 127.0.0.1~\n.20",
        ),
        seed(
            "plain-profile",
            "I\na0 200 t|+!v=0~o=- 1 1 IN IP4 127.0.0.1~s=-~t=0 0~m=audio 40000 RTP/AVP 0~c=IN IP4 127.0.0.1~\n:r0xxxxxxxx\n.20",
        ),
        seed(
            "offered-anew",
            &format!(
                "{with_ice}\npd INVITE 2 t|+\npd ACK 2 t\n.5\npd UPDATE 3 t|+a=inactive~\n.5\npd INVITE 4 t\npd ACK 4 t|+\n.5"
            ),
        ),
        seed("hung-up-by-far", &format!("{with_ice}\npd BYE 2 t\n.5\n:a0")),
        seed("refused", "I\na0 603 t\n.5\n:s0"),
        seed("session-timer", &format!("Ps\n{answered}\n.1\n:a0\n.5")),
    ]
}

/// A line has no line end in it.
fn folded(byte: u8) -> u8 {
    if byte == b'\n' { b'~' } else { byte }
}

/// What takes up our hello: a suite, a profile of SRTP, and the extended master secret. RFC 5246, section 7.4.1.3.
fn server_hello() -> Vec<u8> {
    let extensions = b"\0\x17\0\0\xff\x01\0\x01\0\0\x0e\0\x05\0\x02\0\x07\0";
    [b"h0\x02\xfe\xfd", &[7; 32][..], b"\0\xc0\x2b\0\0", &[extensions.len() as u8], extensions].concat()
}

/// A hello that we could answer.
fn client_hello() -> Vec<u8> {
    let mut hello = ClientHello::new(Version::DTLS12, [9; 32]);
    hello.suites = vec![0xc02b];
    let lists =
        [Extension::supported_groups(&[23]), Extension::signature_algorithms(&[0x0403]), Extension::use_srtp(&[7])];
    hello.extensions = lists.into_iter().flatten().collect();
    hello.extensions.extend([Extension::ec_point_formats(), Extension::extended_master_secret()]);
    let datagram = hello.to_dtls(0, 0, 1 << 14).unwrap_or_default().concat();
    [b"h0\x01", datagram.get(25..).unwrap_or_default()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracles::signalling::ASKED;

    #[test]
    fn a_call_is_asked_what_every_dialogue_is() {
        let has = |name| TARGET.oracles.iter().any(|oracle| oracle.name == name);
        assert!(ASKED.iter().all(|oracle| has(oracle.name)));
    }

    #[test]
    fn seeds_reach_what_they_are_named_for() {
        for (name, event) in [
            ("answered", "media: IceConnected"),
            ("answered", "media: sends Dtls"),
            ("early-media", "media: sends Dtls"),
            ("dtls-alert", "media: PeerAlert("),
            ("dtls-closed", "media: RemoteClosed"),
            ("dtls-flight", "media: Failed(\"dtls: "),
            ("setup-active", "media: sends Dtls"),
            ("setup-active-silent", "media: Failed(\"dtls: the target never began"),
            ("checked-by-another", "media: Failed(\"ice: "),
            ("candidates-elsewhere", "Answered { status: 200"),
            ("no-fingerprint", "media: Failed("),
            ("offered-anew", "media: Description(Some("),
            ("hung-up-by-far", "RemoteBye"),
        ] {
            let all = seeds();
            let text = (TARGET.show)(&all.iter().find(|seed| seed.name == name).expect(name).bytes);
            assert!(text.contains(event), "{name} does not come to {event}:\n{text}");
        }
        for (name, event) in [("answered-once", "IceConnected"), ("checked-by-another", "IceConnected")] {
            let all = seeds();
            let text = (TARGET.show)(&all.iter().find(|seed| seed.name == name).expect(name).bytes);
            assert!(!text.contains(event), "{name} comes to {event}:\n{text}");
        }
    }

    /// Credentials, transactions and signatures are drawn anew in each run, so texts and lengths differ. What happens does not: a file
    /// that finds something finds it again.
    #[test]
    fn the_same_script_plays_the_same() {
        let words = |line: &str| line.split('(').next().unwrap_or_default().replace(|c: char| c.is_ascii_digit(), "");
        let shape = |script: &[u8]| (TARGET.show)(script).lines().map(words).collect::<Vec<_>>();
        for seed in seeds() {
            let once = shape(&seed.bytes);
            assert!(once.len() > 2, "{}: {once:?}", seed.name);
            assert_eq!(once, shape(&seed.bytes), "{}", seed.name);
        }
    }
}
