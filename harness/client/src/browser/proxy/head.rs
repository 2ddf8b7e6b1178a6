//! The head of a request to a proxy: RFC 9112, sections 3.2.2 and 3.2.3.

use url::Url;

/// Most bytes of a head (house).
pub(super) const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Fields between the browser and this proxy. RFC 9110, section 7.6.1. The connection is used once.
const HOP: [&str; 4] = ["proxy-connection", "connection", "keep-alive", "proxy-authorization"];

/// Where the browser wants to go, and how.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub host: String,
    pub port: u16,
    pub kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// CONNECT: bytes both ways.
    Tunnel,
    /// A request in the clear, as its server reads it.
    Request(Vec<u8>),
}

impl Head {
    /// Reads a head with its blank line. The browser wrote it, with addresses and fields that the page chose.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "head is no UTF-8")?;
        let mut lines = text.split("\r\n").take_while(|line| !line.is_empty());
        let first = lines.next().ok_or("no request line")?;
        let mut parts = first.split(' ');
        let (Some(method), Some(target), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("request line");
        };
        if method == "CONNECT" {
            let url = Url::parse(&format!("http://{target}")).map_err(|_| "authority")?;
            let (_, port) = target.rsplit_once(':').ok_or("port")?;
            let port = port.parse().map_err(|_| "port")?;
            return Ok(Self { host: url.host_str().ok_or("host")?.to_owned(), port, kind: Kind::Tunnel });
        }
        let url = Url::parse(target).map_err(|_| "request target")?;
        if url.scheme() != "http" {
            return Err("scheme");
        }
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut request = format!("{method} {}{query} HTTP/1.1\r\n", url.path());
        for line in lines {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            if !HOP.contains(&name.as_str()) {
                request.push_str(line);
                request.push_str("\r\n");
            }
        }
        request.push_str("Connection: close\r\n\r\n");
        let (host, port) = (url.host_str().ok_or("host")?.to_owned(), url.port_or_known_default().ok_or("port")?);
        Ok(Self { host, port, kind: Kind::Request(request.into_bytes()) })
    }

    /// `host:port`.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_read() {
        let tunnel = Head::parse(b"CONNECT [::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert_eq!((tunnel.host.as_str(), tunnel.port, tunnel.kind), ("[::1]", 443, Kind::Tunnel));
        let text = "GET http://a.test:81/b?c=d HTTP/1.1\r\nHost: a.test:81\r\nProxy-Connection: keep-alive\r\nAccept: */*\r\n\r\n";
        let request = Head::parse(text.as_bytes()).unwrap();
        assert_eq!(request.authority(), "a.test:81");
        let expected = "GET /b?c=d HTTP/1.1\r\nHost: a.test:81\r\nAccept: */*\r\nConnection: close\r\n\r\n";
        assert_eq!(request.kind, Kind::Request(expected.as_bytes().to_vec()));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "GET\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET ftp://a/ HTTP/1.1\r\n\r\n", "CONNECT a HTTP/1.1\r\n\r\n"]
        {
            assert!(Head::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
