//! A server that accepts what it is told to, and what can be got out of it, found by trying everything.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use ringfence_wire::Error;
use ringfence_wire::hello::{ClientHello, Extension, Reply, ServerHello, Version};

use super::super::{Ask, Told};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Rsa,
    Ecdsa,
    None,
}

/// Suites of the model: number, group in the answer, signature in the answer, key.
const SUITES: [(u16, bool, bool, Key); 24] = [
    (0x0004, false, false, Key::Rsa),
    (0x0005, false, false, Key::Rsa),
    (0x000a, false, false, Key::Rsa),
    (0x0016, false, true, Key::Rsa),
    (0x0018, false, false, Key::None),
    (0x002f, false, false, Key::Rsa),
    (0x0033, false, true, Key::Rsa),
    (0x0035, false, false, Key::Rsa),
    (0x003c, false, false, Key::Rsa),
    (0x009c, false, false, Key::Rsa),
    (0x009e, false, true, Key::Rsa),
    (0x009f, false, true, Key::Rsa),
    (0xc009, true, true, Key::Ecdsa),
    (0xc00a, true, true, Key::Ecdsa),
    (0xc013, true, true, Key::Rsa),
    (0xc014, true, true, Key::Rsa),
    (0xc018, true, false, Key::None),
    (0xc023, true, true, Key::Ecdsa),
    (0xc027, true, true, Key::Rsa),
    (0xc02b, true, true, Key::Ecdsa),
    (0xc02c, true, true, Key::Ecdsa),
    (0xc02f, true, true, Key::Rsa),
    (0xc030, true, true, Key::Rsa),
    (0xcca9, true, true, Key::Ecdsa),
];
const SUITES_13: [u16; 5] = [0x1301, 0x1302, 0x1303, 0x1304, 0x1305];
const GROUPS: [u16; 9] = [29, 23, 30, 25, 24, 22, 26, 14, 0xff01];
const GROUPS_13: [u16; 6] = [0x11ec, 29, 23, 24, 0x0100, 0x0101];
const RSA_SCHEMES: [u16; 7] = [0x0804, 0x0401, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201];
const ECDSA_SCHEMES: [u16; 4] = [0x0403, 0x0503, 0x0603, 0x0203];
const PROFILES: [u16; 6] = [7, 8, 1, 2, 5, 6];

/// A list and whose order counts.
#[derive(Clone, Debug)]
pub struct Choice {
    pub accepts: Vec<u16>,
    pub own_order: bool,
}

impl Choice {
    fn new(accepts: &[u16], own_order: bool) -> Self {
        Self { accepts: accepts.to_vec(), own_order }
    }

    fn pick(&self, offered: &[u16], fits: impl Fn(u16) -> bool) -> Option<u16> {
        let good = |code: &&u16| offered.contains(code) && self.accepts.contains(code) && fits(**code);
        if self.own_order { self.accepts.iter().find(good).copied() } else { offered.iter().find(good).copied() }
    }
}

/// One version.
#[derive(Clone, Debug)]
pub struct Spec {
    pub suites: Choice,
    pub groups: Choice,
    pub schemes: Choice,
    pub profiles: Choice,
    /// Goes on without SRTP where no profile fits, as OpenSSL; else alert 71, as rtc-dtls.
    pub goes_without: bool,
    /// The curve of the ECDSA certificate: has to be offered.
    pub curve: Option<u16>,
    /// ECDSA suites use no other groups.
    pub ecdsa_groups: Option<Vec<u16>>,
    /// The scheme that all certificates are signed with: has to be offered in 1.2.
    pub chain: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Alert,
    Silence,
    Close,
}

#[derive(Clone, Debug)]
pub struct Server {
    pub versions: Vec<(Version, Spec)>,
    pub cookie: bool,
    pub refusal: Refusal,
    /// A hello with more suites is refused.
    pub most_suites: usize,
}

#[derive(Default)]
struct Offered {
    groups: Vec<u16>,
    schemes: Vec<u16>,
    profiles: Vec<u16>,
}

impl Offered {
    fn of(hello: &ClientHello) -> Self {
        let list = |kind: u16, end: usize| -> Vec<u16> {
            let data = hello.extensions.iter().find(|extension| extension.kind == kind).map(|found| &found.data);
            let data = data.map_or(&[][..], |data| &data[2..data.len() - end]);
            data.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
        };
        Self { groups: list(10, 0), schemes: list(13, 0), profiles: list(14, 1) }
    }
}

/// What a server chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub suite: u16,
    pub group: Option<u16>,
    pub scheme: Option<u16>,
    pub profile: Option<u16>,
}

impl Spec {
    fn choose(&self, version: Version, suites: &[u16], offered: &Offered) -> Result<Chosen, u8> {
        let of = |code| SUITES.iter().find(|suite| suite.0 == code).copied().unwrap_or((code, true, false, Key::None));
        let explicit = matches!(version, Version::TLS12 | Version::DTLS12);
        let group = |key: Key| {
            let own = |code| key != Key::Ecdsa || self.ecdsa_groups.as_ref().is_none_or(|own| own.contains(&code));
            self.groups.pick(&offered.groups, own)
        };
        let scheme = |key: Key| {
            let own = if key == Key::Ecdsa { &ECDSA_SCHEMES[..] } else { &RSA_SCHEMES[..] };
            self.schemes.pick(&offered.schemes, |code| own.contains(&code))
        };
        let fits = |code| {
            let (_, grouped, signed, key) = of(code);
            let curve = self.curve.is_none_or(|curve| key != Key::Ecdsa || offered.groups.contains(&curve));
            let chain =
                !explicit || key == Key::None || self.chain.is_none_or(|chain| offered.schemes.contains(&chain));
            curve && chain && (!grouped || group(key).is_some()) && (!signed || !explicit || scheme(key).is_some())
        };
        let suite = self.suites.pick(suites, fits).ok_or(40)?;
        let (_, grouped, signed, key) = of(suite);
        let srtp = version.is_dtls() && !version.is_13();
        let profile = self.profiles.pick(&offered.profiles, |_| srtp);
        if srtp && profile.is_none() && !self.goes_without {
            return Err(71);
        }
        Ok(Chosen {
            suite,
            group: group(key).filter(|_| grouped),
            scheme: scheme(key).filter(|_| signed && explicit),
            profile,
        })
    }

    /// What can be got out of the server at all: each entry for which there is a hello that makes it choose that.
    pub fn truth(&self, version: Version) -> Truth {
        let all = || Offered {
            groups: GROUPS.iter().chain(&GROUPS_13).copied().collect(),
            schemes: RSA_SCHEMES.iter().chain(&ECDSA_SCHEMES).copied().collect(),
            profiles: PROFILES.to_vec(),
        };
        let mut truth = Truth::default();
        for suite in &self.suites.accepts {
            let suite = *suite;
            if self.choose(version, &[suite], &all()).is_err() {
                continue;
            }
            truth.suites.push(suite);
            let mut note = |offered: Offered| {
                let Ok(chosen) = self.choose(version, &[suite], &offered) else { return };
                truth.groups.extend(chosen.group);
                truth.schemes.extend(chosen.scheme);
                truth.profiles.extend(chosen.profile);
            };
            // Nothing else can make a difference: what is accepted, beside what is accepted or has to be there.
            let pairs = |own: &Choice, needed: Option<u16>| -> Vec<Vec<u16>> {
                let list: Vec<u16> = own.accepts.iter().copied().chain(needed).collect();
                let beside = |a: u16| list.iter().map(move |b| vec![a, *b]);
                list.iter().flat_map(|a| beside(*a)).chain(list.iter().map(|a| vec![*a])).collect()
            };
            pairs(&self.groups, self.curve).into_iter().for_each(|groups| note(Offered { groups, ..all() }));
            pairs(&self.schemes, self.chain).into_iter().for_each(|schemes| note(Offered { schemes, ..all() }));
            PROFILES.into_iter().for_each(|profile| note(Offered { profiles: vec![profile], ..all() }));
        }
        truth.sorted()
    }
}

/// Sets, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    pub suites: Vec<u16>,
    pub groups: Vec<u16>,
    pub schemes: Vec<u16>,
    pub profiles: Vec<u16>,
}

impl Truth {
    pub fn sorted(mut self) -> Self {
        for list in [&mut self.suites, &mut self.groups, &mut self.schemes, &mut self.profiles] {
            list.sort_unstable();
            list.dedup();
        }
        self
    }
}

impl Server {
    /// A usual one: TLS 1.0, 1.2, 1.3, DTLS 1.2; the client's order, RSA certificate.
    pub fn openssl() -> Self {
        let spec = |suites: &[u16], groups: &[u16]| Spec {
            suites: Choice::new(suites, false),
            groups: Choice::new(groups, false),
            schemes: Choice::new(&RSA_SCHEMES, false),
            profiles: Choice::new(&PROFILES[..4], true),
            goes_without: true,
            curve: None,
            ecdsa_groups: None,
            chain: None,
        };
        let (old, new) =
            ([0x002f, 0x0035, 0xc013, 0xc014], [0xc02f, 0xc030, 0x009c, 0xc027, 0xc013, 0x009e, 0xc014, 0x002f]);
        Self {
            versions: vec![
                (Version::TLS10, spec(&old, &[29, 23])),
                (Version::TLS12, spec(&new, &[29, 23, 24])),
                (Version::TLS13, spec(&SUITES_13[..3], &GROUPS_13)),
                (Version::DTLS12, spec(&new, &[29, 23, 24])),
            ],
            cookie: true,
            refusal: Refusal::Alert,
            most_suites: usize::MAX,
        }
    }

    pub fn spec(&self, version: Version) -> Option<&Spec> {
        self.versions.iter().find(|(own, _)| *own == version).map(|(_, spec)| spec)
    }

    pub fn truth(&self, version: Version) -> Truth {
        self.spec(version).map(|spec| spec.truth(version)).unwrap_or_default()
    }

    /// What comes of a question over a good network.
    pub fn told(&self, ask: &Ask) -> Told {
        let (Ask::Hello(hello) | Ask::Cookie(hello, _)) = ask else { panic!("nothing was asked") };
        match (self.reply(hello), self.refusal) {
            (Reply::Alert { .. }, Refusal::Silence) => Told::Silence,
            (Reply::Alert { .. }, Refusal::Close) => Told::Closed,
            (reply, _) => Told::Reply(reply),
        }
    }

    pub fn reply(&self, hello: &ClientHello) -> Reply {
        let alert = |code| Reply::Alert { fatal: true, code };
        if self.cookie && hello.version.is_dtls() && hello.cookie != hello.random[..8] {
            return Reply::HelloVerifyRequest { version: Version::DTLS10, cookie: hello.random[..8].to_vec() };
        }
        if hello.suites.len() > self.most_suites {
            return alert(47);
        }
        // Older than asked for will do, where the hello does not say exactly which.
        let older = |own: &Version| if own.is_dtls() { *own >= hello.version } else { *own <= hello.version };
        let fits = |own: &Version| {
            own.is_dtls() == hello.version.is_dtls()
                && if hello.version.is_13() { *own == hello.version } else { older(own) && !own.is_13() }
        };
        let best =
            self.versions.iter().map(|(own, _)| *own).filter(fits).min_by_key(|own| own.0.abs_diff(hello.version.0));
        let Some((version, spec)) = best.and_then(|best| Some((best, self.spec(best)?))) else { return alert(70) };
        match spec.choose(version, &hello.suites, &Offered::of(hello)) {
            Ok(chosen) => server_hello(version, chosen),
            Err(code) => alert(code),
        }
    }
}

pub fn server_hello(version: Version, chosen: Chosen) -> Reply {
    let use_srtp = |profile: u16| Extension::new(14, [&[0, 2][..], &profile.to_be_bytes(), &[0]].concat());
    let hello = Box::new(ServerHello {
        version,
        legacy_version: version.legacy(),
        record_version: version,
        random: [9; 32],
        session_id: Vec::new(),
        suite: chosen.suite,
        compression: 0,
        extensions: chosen.profile.map(use_srtp).into_iter().collect(),
        group: chosen.group,
        dh_bits: None,
        signature_scheme: chosen.scheme,
        certificates: Vec::new(),
        ocsp_response: None,
        certificate_requested: false,
        done: true,
        alert: None,
        broken: None,
    });
    if version.is_13() { Reply::HelloRetryRequest(hello) } else { Reply::ServerHello(hello) }
}

/// The same flight with what stands behind the ServerHello lost.
pub fn cut(reply: Reply) -> Reply {
    match reply {
        Reply::ServerHello(mut hello) => {
            (hello.group, hello.signature_scheme, hello.done) = (None, None, false);
            hello.broken = Some(Error::Truncated("DTLS flight"));
            Reply::ServerHello(hello)
        }
        other => other,
    }
}

fn choice(all: Vec<u16>, least: usize) -> impl Strategy<Value = Choice> {
    let most = all.len();
    let list = subsequence(all, least..=most).prop_shuffle();
    (list, any::<bool>()).prop_map(|(accepts, own_order)| Choice { accepts, own_order })
}

pub fn spec(version: Version) -> impl Strategy<Value = Spec> {
    let suites = if version.is_13() { SUITES_13.to_vec() } else { SUITES.iter().map(|suite| suite.0).collect() };
    let groups = if version.is_13() { GROUPS_13.to_vec() } else { GROUPS.to_vec() };
    let schemes = [&RSA_SCHEMES[..], &ECDSA_SCHEMES[..]].concat();
    let curve = prop_oneof![3 => Just(None), 1 => select(vec![23u16, 24, 25]).prop_map(Some)];
    let ecdsa_groups = prop_oneof![3 => Just(None), 1 => subsequence(groups.clone(), 1..3).prop_map(Some)];
    let chain = prop_oneof![3 => Just(None), 1 => select(vec![0x0401u16, 0x0403, 0x0501]).prop_map(Some)];
    let lists = (choice(suites, 1), choice(groups, 0), choice(schemes, 0), choice(PROFILES.to_vec(), 0));
    (lists, any::<bool>(), curve, ecdsa_groups, chain).prop_map(
        |((suites, groups, schemes, profiles), goes_without, curve, ecdsa_groups, chain)| Spec {
            suites,
            groups,
            schemes,
            profiles,
            goes_without,
            curve,
            ecdsa_groups,
            chain,
        },
    )
}

pub fn server(version: Version, refusal: Refusal) -> impl Strategy<Value = Server> {
    (spec(version), any::<bool>()).prop_map(move |(spec, cookie)| Server {
        versions: vec![(version, spec)],
        cookie,
        refusal,
        most_suites: usize::MAX,
    })
}
