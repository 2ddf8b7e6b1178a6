//! Where a run may go: the `[[scope]]` of the target file, asked before every connection.

use std::net::IpAddr;
use std::str::FromStr;

use ringfence_model::target::{Endpoint, Endpoints, Target, Value};
use url::Url;

use super::NetError;
use super::special::{effective, is_special};

/// A network in CIDR notation (RFC 4632); an address alone is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Bits that are the same for all of its addresses.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether the address lies in this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let same_bits = |ours: u128, theirs: u128, width: u32| {
            let shift = width - u32::from(self.prefix);
            shift == width || ours >> shift == theirs >> shift
        };
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same_bits(u32::from(a).into(), u32::from(b).into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same_bits(a.into(), b.into(), 128),
            _ => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let wrong = || format!("`{text}` is no network; expected one like 192.0.2.0/24 or 2001:db8::/32");
        let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(width), |prefix| prefix.trim().parse().map_err(|_| wrong()))?;
        if prefix > width { Err(wrong()) } else { Ok(Self { address, prefix }) }
    }
}

/// The scope of one target file.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Lower case; `*.` at the front stands for any name below.
    hosts: Vec<String>,
    networks: Vec<Cidr>,
    /// Special-purpose networks that are the deployment's own.
    own_special: Vec<Cidr>,
}

impl Scope {
    /// Reads the scope. A file without one allows the hosts of its own endpoints and TURN servers and the declared
    /// networks, nothing else.
    ///
    /// # Errors
    /// A network that cannot be read, with its key.
    pub fn new(target: &Target) -> Result<Self, NetError> {
        let read = |key: &'static str, texts: &[String]| -> Result<Vec<Cidr>, NetError> {
            texts.iter().map(|text| text.parse().map_err(|message| NetError::Network { key, message })).collect()
        };
        let declared = read("declared.networks", &target.declared.networks)?;
        let mut scope = Self {
            hosts: Vec::new(),
            networks: Vec::new(),
            own_special: read("declared.allowed_private", &target.declared.allowed_private)?,
        };
        for entry in &target.scope {
            scope.networks.extend(read("scope.networks", &entry.networks)?);
            entry.hosts.iter().for_each(|host| scope.add_host(host));
        }
        if target.scope.is_empty() {
            scope.networks.extend(&declared);
            own_hosts(target).iter().for_each(|host| scope.add_host(host));
        }
        scope.own_special.extend(declared);
        Ok(scope)
    }

    /// An address in the place of a name is a network of one: who writes it means it.
    fn add_host(&mut self, host: &str) {
        let host = plain(host);
        match host.parse() {
            Ok(network) => self.networks.push(network),
            Err(_) => self.hosts.push(host),
        }
    }

    /// Whether a name is worth asking a name server about.
    pub(super) fn may_resolve(&self, host: &str) -> bool {
        self.names(host) || !self.networks.is_empty()
    }

    /// The names, where nothing but names is in scope.
    pub(super) fn names_only(&self) -> Option<Vec<String>> {
        self.networks.is_empty().then(|| self.hosts.clone())
    }

    /// Whether the address may be dialled, for `host` if it came from that name.
    ///
    /// # Errors
    /// Why not, in words for the operator.
    pub fn admit(&self, host: Option<&str>, address: IpAddr) -> Result<(), String> {
        let address = effective(address);
        let listed = |networks: &[Cidr]| networks.iter().any(|network| network.contains(address));
        if listed(&self.networks) {
            return Ok(());
        }
        let named = host.is_some_and(|host| self.names(host));
        let shown = host.map_or_else(|| address.to_string(), |host| format!("{host} ({address})"));
        if !named {
            return Err(outside(&shown));
        }
        // RFC 6761, section 6.3: this name is loopback by definition, so it hides nothing.
        let loopback = address.is_loopback() && host.is_some_and(|host| host == "localhost");
        if is_special(address) && !loopback && !listed(&self.own_special) {
            return Err(format!(
                "{shown} is a special-purpose address outside declared.allowed_private; add its network there, if it is the \
                 deployment's own"
            ));
        }
        Ok(())
    }

    /// Whether a name or an address stands in the scope.
    pub(super) fn holds(&self, host: &str) -> bool {
        let host = plain(host);
        host.parse().map_or_else(|_| self.names(&host), |address| self.admit(None, address).is_ok())
    }

    /// Whether the name, as [`plain`] writes it, stands in the scope.
    pub(super) fn names(&self, host: &str) -> bool {
        self.hosts.iter().any(|pattern| matches(pattern, host))
    }
}

/// Why something is left alone, and what would let it be tested.
pub(super) fn outside(host: &str) -> String {
    format!("{host} is in no [[scope]] of the target file; add it to the hosts or networks of one, if you may test it")
}

/// Whether a name is this one, or lies below it where the pattern begins with `*.`.
pub(super) fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        None => host == pattern,
    }
}

/// A host name as it is compared: lower case, no trailing dot, no brackets.
pub(super) fn plain(host: &str) -> String {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn own_hosts(target: &Target) -> Vec<String> {
    let endpoints = Endpoints::NAMES.iter().filter_map(|name| match target.endpoints.get(name) {
        Endpoint::Url(url) => Some(url),
        Endpoint::Absent | Endpoint::DeclaredNone => None,
    });
    let signalling = match &target.sip.ws_uri {
        Some(Value::Text(url)) => Some(url.as_str()),
        _ => None,
    };
    let urls = endpoints.chain(target.endpoints.sessions.values().map(String::as_str)).chain(signalling);
    let hosts = urls.filter_map(|url| Some(Url::parse(url).ok()?.host_str()?.to_owned()));
    let relays = target.turn.urls.iter().filter_map(|url| {
        // RFC 7065: `turn:host:port?transport=udp`, no slashes.
        let (_, rest) = url.split_once(':')?;
        let authority = rest.split('?').next()?;
        Some(Url::parse(&format!("http://{authority}")).ok()?.host_str()?.to_owned())
    });
    hosts.chain(relays).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn scope(text: &str) -> Scope {
        let head = "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://Conf.example.test/t\"\n";
        Scope::new(&Target::parse(&format!("{head}{text}"), Path::new("t.toml")).unwrap()).unwrap()
    }

    #[track_caller]
    fn case(scope: &Scope, host: &str, address: &str, admitted: bool) {
        let host = (!host.is_empty()).then_some(host);
        assert_eq!(scope.admit(host, address.parse().unwrap()).is_ok(), admitted, "{host:?} {address}");
    }

    #[test]
    fn names_and_networks_of_the_file() {
        let scope = scope("[[scope]]\nhosts = [\"*.b.test\", \"c.test\"]\nnetworks = [\"1.2.0.0/16\", \"10.0.0.0/8\"]");
        case(&scope, "a.b.test", "8.8.8.8", true);
        case(&scope, "x.a.b.test", "8.8.8.8", true);
        case(&scope, "b.test", "8.8.8.8", false);
        case(&scope, "evilb.test", "8.8.8.8", false);
        case(&scope, ".b.test", "8.8.8.8", false);
        case(&scope, "c.test", "8.8.8.8", true);
        case(&scope, "c.test", "192.168.0.1", false);
        case(&scope, "c.test", "10.0.0.1", true);
        case(&scope, "", "1.2.3.4", true);
        case(&scope, "", "::ffff:1.2.3.4", true);
        case(&scope, "", "1.3.0.0", false);
        case(&scope, "other.test", "1.2.3.4", true);
        case(&scope, "conf.example.test", "8.8.8.8", false);
    }

    #[test]
    fn without_a_scope_only_its_own_endpoints() {
        let own = scope("page = \"https://127.0.0.1:8443/\"\n[turn]\nurls = [\"turn:turn.test:3478?transport=udp\"]");
        case(&own, "conf.example.test", "8.8.8.8", true);
        case(&own, "turn.test", "8.8.8.8", true);
        case(&own, "", "127.0.0.1", true);
        case(&own, "", "127.0.0.2", false);
        case(&own, "www.example.test", "8.8.8.8", false);
    }

    #[test]
    fn a_public_name_that_leads_inside_is_refused_unless_declared() {
        for address in ["127.0.0.1", "169.254.169.254", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1"] {
            case(&scope(""), "conf.example.test", address, false);
        }
        let declared = scope("[declared]\nallowed_private = [\"10.0.0.0/8\"]");
        case(&declared, "conf.example.test", "10.0.0.1", true);
        case(&declared, "conf.example.test", "64:ff9b::10.0.0.1", true);
        case(&declared, "", "10.0.0.1", false);
    }

    #[test]
    fn networks_are_read_with_care() {
        for wrong in ["", "x", "1.2.3.4/33", "1.2.3/8", "::/129", "1.2.3.4/-1", "1.2.3.4/"] {
            assert!(wrong.parse::<Cidr>().is_err(), "{wrong}");
        }
        assert!("0.0.0.0/0".parse::<Cidr>().unwrap().contains("9.9.9.9".parse().unwrap()));
        assert!(!"0.0.0.0/0".parse::<Cidr>().unwrap().contains("::1".parse().unwrap()));
        assert!("::/0".parse::<Cidr>().unwrap().contains("::1".parse().unwrap()));
    }
}
