//! JSON from a hostile server: bounded before it is built, then read by path.

use ringfence_model::Secret;
use serde_json::Value;

use super::{IceServer, MAX_ICE_SERVERS, MAX_ICE_URLS};

const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 10_000;

/// Reads a document of at most 64 levels and 10,000 values.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, String> {
    check_bounds(bytes)?;
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

/// Counts brackets and commas outside strings, which is all that bounds need; whether it is JSON is not asked here.
fn check_bounds(bytes: &[u8]) -> Result<(), String> {
    let (mut depth, mut nodes) = (0_usize, 1_usize);
    let (mut quoted, mut escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => (depth, nodes) = (depth + 1, nodes + 1),
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            b',' if !quoted => nodes += 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} levels"));
        }
        if nodes > MAX_NODES {
            return Err(format!("more than {MAX_NODES} values"));
        }
    }
    Ok(())
}

/// The text at a JSON pointer (RFC 6901): a string that is not empty, a number or a yes/no.
pub(super) fn text(document: &Value, pointer: &str) -> Option<String> {
    match document.pointer(pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}

/// A list in the form of RTCConfiguration.iceServers; what has another form is left out.
pub(super) fn ice_servers(list: Option<&Value>) -> Vec<IceServer> {
    let entries = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read = |entry: &Value| {
        let urls = match entry.get("urls").or_else(|| entry.get("url"))? {
            Value::String(url) => vec![url.clone()],
            Value::Array(urls) => urls.iter().filter_map(Value::as_str).take(MAX_ICE_URLS).map(str::to_owned).collect(),
            _ => return None,
        };
        let credential = text(entry, "/credential").map(Secret::new);
        Some(IceServer { urls, username: text(entry, "/username"), credential })
    };
    entries.iter().take(MAX_ICE_SERVERS).filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_bounded() {
        assert!(parse(&[b"[".repeat(64), b"]".repeat(64)].concat()).is_ok());
        assert!(parse(&b"[".repeat(1_000_000)).unwrap_err().contains("levels"));
        assert!(parse(format!("[{}1]", "1,".repeat(20_000)).as_bytes()).unwrap_err().contains("values"));
        assert!(parse(br#"{"a":"[[[[\"{{{,,,,","b":1}"#).is_ok());
        for wrong in [&b""[..], b"<html>", b"{\"a\":1e999}", b"\xff", b"{} {}"] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn ice_servers_in_both_forms() {
        let list = parse(
            br#"[{"urls":"stun:a"},{"urls":["turn:b","turn:c",1],"username":"u","credential":"p"},{"urls":{}},7]"#,
        );
        let servers = ice_servers(Some(&list.unwrap()));
        assert_eq!(servers.len(), 2);
        assert_eq!(servers[1].urls, ["turn:b", "turn:c"]);
        assert_eq!(servers[1].credential.as_ref().map(|secret| secret.expose().as_str()), Some("p"));
        let many = Value::Array(vec![serde_json::json!({"urls": "stun:a"}); 100]);
        assert_eq!(ice_servers(Some(&many)).len(), MAX_ICE_SERVERS);
        assert!(ice_servers(None).is_empty());
    }
}
