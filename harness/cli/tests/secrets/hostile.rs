//! The deployment: it lets everybody in, and repeats whatever it knows wherever there is room for text.

use ringfence_wire::sip::Message;
use serde_json::{Value, json};

use crate::canaries::{ACTING, BASIC_USER, Canary, HARMLESS};
use crate::fakes::config::{self, URL_TOKEN};
use crate::fakes::https::{Https, Reply};
use crate::fakes::media::MediaPort;
use crate::fakes::pki::Pki;
use crate::fakes::sip::{Act, Agent, registered, reply};
use crate::fakes::{answers, media, turn};
use crate::support::TargetFile;

/// Bytes of target text after which evidence cuts.
const CUT_AT: usize = 4096;

/// A running deployment.
pub struct Hostile {
    pki: Pki,
    server: Https,
    turn: std::net::SocketAddr,
    document: Value,
}

impl Hostile {
    /// Starts everything.
    pub async fn start(canaries: &[Canary]) -> Self {
        let words = Words::new(canaries);
        let pki = Pki::naming(&words.plain);
        let turn = turn::refusing(words.acting_within(120)).await;
        let port = MediaPort::ice_lite().await;
        let address = agent(&words, &port).serve(&pki).await;
        let document = document(&format!("wss://{address}"), turn, canaries, &words);
        let (body, headers) = (document.to_string(), words.headers());
        let server = Https::serve(&pki, move |_| {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            Reply::Bytes(answers::with_headers(200, &headers, body.as_bytes()))
        })
        .await;
        Self { pki, server, turn, document }
    }

    /// As a Cognigy endpoint.
    pub fn cognigy(&self) -> TargetFile {
        self.common(TargetFile::cognigy(self.server.url(URL_TOKEN)))
    }

    /// As a token server with every kind of login, and secrets in its address.
    pub fn sip(&self) -> TargetFile {
        let url = format!("https://{}/config?key=Gp4urlKeyVl1Nd8Su5Cx", self.server.address);
        let turn = self.turn;
        let info = "/endpointSettings/sipConnectivityInfo";
        let pointers = ["ws_uri:wsUri", "username:username", "password:password", "realm:realm"].map(|pair| {
            let (key, name) = pair.split_once(':').expect("two names");
            format!("{key} = {{ pointer = \"{info}/{name}\" }}\n")
        });
        self.common(TargetFile::sip(Some(url)))
            .table(&format!("[sip]\n{}target = \"desk\"\nice_servers = {{ pointer = \"/iceServers\" }}\n", pointers.concat()))
            .table(
                "[logins.valid]\nbearer = { env = \"RINGFENCE_TEST_BEARER\" }\ncookie = { env = \"RINGFENCE_TEST_COOKIE\" }\n\
                 key = { env = \"RINGFENCE_TEST_KEY\" }\n[logins.other]\n",
            )
            .table(&format!("user = \"{BASIC_USER}\"\npassword = {{ env = \"RINGFENCE_TEST_PASSWORD\" }}\n"))
            .table(&format!(
                "[turn]\nurls = [\"turn:{turn}?transport=udp\"]\nusername = \"u\"\ncredential = {{ env = \"RINGFENCE_TEST_TURN\" }}\n"
            ))
    }

    /// As a Cognigy endpoint whose signalling shows a certificate for other names: those of the secrets.
    pub async fn behind_a_wrong_certificate(&self) -> TargetFile {
        let mut document = self.document.clone();
        let password = document["endpointSettings"]["sipConnectivityInfo"]["password"].as_str().unwrap_or_default();
        let wrong = Pki::for_host(&format!("{password}.invalid"), &self.pki);
        let address = Agent::new(|_| Vec::new()).serve(&wrong).await;
        document["endpointSettings"]["sipConnectivityInfo"]["wsUri"] = format!("wss://{address}").into();
        self.common(config::serving(&self.pki, document).await)
    }

    fn common(&self, target: TargetFile) -> TargetFile {
        target
            .trusting(&self.pki.ca_pem)
            .top("trusted_origins = [\"https://www.example.test\"]")
            .table("[declared]\nsession_end_s = 1\nsession_scope = true\n")
            .table("[[scope]]\nnetworks = [\"127.0.0.0/8\"]\n")
    }
}

/// What the deployment says.
#[derive(Clone)]
struct Words {
    /// Every secret in every form.
    plain: String,
    /// The same with characters that act.
    acting: String,
    /// A secret that lies across the place where evidence is cut.
    cut: String,
    values: Vec<&'static str>,
}

impl Words {
    fn new(canaries: &[Canary]) -> Self {
        let forms: Vec<String> = canaries.iter().flat_map(Canary::forms).collect();
        let plain = format!("{HARMLESS} {}", forms.join(" "));
        let values: Vec<&'static str> = canaries.iter().map(|canary| canary.value).collect();
        let acting = format!("{ACTING}{HARMLESS} {} {plain}", values.join(" "));
        let cut = format!("{}{}", "a".repeat(CUT_AT - 12), values[0]);
        Self { plain, acting, cut, values }
    }

    /// The acting text in at most so many characters. A secret is whole or not there: half of one, sent by whoever has all
    /// of it, is nothing that redaction could know.
    fn acting_within(&self, characters: usize) -> String {
        let mut text = String::new();
        for word in self.acting.split(' ') {
            if text.chars().count() + word.chars().count() >= characters {
                break;
            }
            text.push_str(word);
            text.push(' ');
        }
        text.trim_end().to_owned()
    }

    /// Header fields of an HTTP answer. These hold no C0 characters, but may hold every other one.
    fn headers(&self) -> Vec<(String, String)> {
        let legal: String = self.acting.chars().filter(|c| u32::from(*c) >= 0x20).collect();
        let names =
            ["Server", "X-Echo", "Set-Cookie", "Cache-Control", "Location", "Access-Control-Allow-Origin", "Vary"];
        let mut headers: Vec<(String, String)> = names.iter().map(|name| ((*name).to_owned(), legal.clone())).collect();
        headers.push(("X-Cut".into(), self.cut.clone()));
        // A name is a token, which some of the secrets are.
        let is_token = |value: &&&str| value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        headers.extend(self.values.iter().filter(is_token).map(|value| (format!("X-{value}"), "1".to_owned())));
        headers.push(("Content-Type".into(), format!("application/json; {}", self.plain)));
        headers
    }
}

fn document(ws_uri: &str, turn: std::net::SocketAddr, canaries: &[Canary], words: &Words) -> Value {
    let mut document = config::document(&format!("{ws_uri}/{}", words.acting.replace(['?', '#'], "")));
    let info = &mut document["endpointSettings"]["sipConnectivityInfo"];
    info["password"] = canaries[0].value.into();
    info["echo"] = words.acting.clone().into();
    document["endpointSettings"]["endpointName"] = words.acting.clone().into();
    document["iceServers"] = json!([
        { "urls": [format!("turn:{turn}?transport=udp")], "username": "2000000000:x", "credential": canaries[1].value },
        { "urls": [format!("turn:{}", words.acting), words.acting.clone()], "username": words.acting, "credential": "x" },
    ]);
    document[words.acting.as_str()] = words.acting.clone().into();
    document
}

/// Challenges each REGISTER, answers one INVITE in two, refuses the other; everything in hostile words.
fn agent(words: &Words, port: &MediaPort) -> Agent {
    let (on_invite, on_register) = (words.clone(), words.clone());
    let sdp = hostile_sdp(words, port);
    let calls = std::sync::atomic::AtomicU32::new(0);
    let reason = |words: &Words| words.acting_within(2000);
    Agent::new(move |invite| {
        let refuse = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 2 == 1;
        let (status, reason) = if refuse { (486, reason(&on_invite)) } else { (200, reason(&on_invite)) };
        let builder = echo(reply(invite, status, &reason), &on_invite);
        let builder = builder.header("Contact", "<sip:fake@fake.invalid;transport=ws>");
        let built = if refuse { builder.build() } else { builder.body("application/sdp", sdp.as_bytes()).build() };
        vec![Act::Say(built.expect("a message"))]
    })
    .registering(move |request| vec![Act::Say(register_answer(request, &on_register, &reason(&on_register)))])
}

fn register_answer(request: &Message, words: &Words, reason: &str) -> Vec<u8> {
    if request.header("Authorization").is_some() {
        return registered(request);
    }
    let quoted: String = words.acting_within(2000).chars().filter(|c| !matches!(c, '"' | '\\')).collect();
    let challenge = format!("Digest realm=\"{quoted}\", nonce=\"{quoted}\", algorithm=MD5, qop=\"auth\"");
    let builder = echo(reply(request, 401, reason), words).header("WWW-Authenticate", challenge);
    builder.header("Retry-After", quoted).build().expect("a message")
}

fn echo(builder: ringfence_wire::sip::Builder, words: &Words) -> ringfence_wire::sip::Builder {
    let text = words.acting_within(4000);
    ["Server", "Warning", "Reason", "X-Echo"].iter().fold(builder, |builder, name| builder.header(name, &text))
}

/// A description in which every free text is hostile.
fn hostile_sdp(words: &Words, port: &MediaPort) -> String {
    // A description with C0 characters is refused whole; these are all others.
    let text: String = words.acting.chars().filter(|c| !c.is_ascii_control()).collect();
    let word = text.replace(' ', "_");
    let more = format!(
        "a=ssrc:1 cname:{text}\r\na=tls-id:{word}\r\na=x-echo:{text}\r\na=candidate:2 1 udp 1 {word} 9 typ host\r\n\
         a=candidate:3 1 udp 1 127.0.0.1 9 typ host {text}\r\n"
    );
    media::answer(port.address, &more).replace("s=-", &format!("s={text}"))
}
