//! HTTP answers as text.

/// A whole answer with a JSON body, as a sound endpoint gives it.
pub fn json(body: &str) -> Vec<u8> {
    with_headers(200, &[("Content-Type", "application/json"), ("Cache-Control", "no-store")], body.as_bytes())
}

/// A whole answer.
pub fn with_headers(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut answer = head(status, headers);
    answer.truncate(answer.len() - 2);
    answer.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    answer.extend_from_slice(body);
    answer
}

/// A head without a length: the body goes on until the connection ends.
pub fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} Whatever\r\nConnection: close\r\n").into_bytes();
    for (name, value) in headers {
        text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    text.extend_from_slice(b"\r\n");
    text
}
