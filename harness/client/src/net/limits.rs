//! The bounds on everything that a target sends or withholds.

use std::time::Duration;

use ringfence_model::target::TimeLimits;

/// Bounds in time, bytes and count. The defaults are the documented ones; tests shorten them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One DNS answer.
    pub dns: Duration,
    /// One TCP connection, over all addresses of a name.
    pub connect: Duration,
    /// One TLS handshake.
    pub tls: Duration,
    /// Silence inside an exchange; also how long one write may take.
    pub idle: Duration,
    /// One whole exchange: request to last byte of the answer, or one WebSocket upgrade.
    pub exchange: Duration,
    /// Addresses that are kept of one DNS answer.
    pub addresses: usize,
    /// Names that are resolved in one run.
    pub names: usize,
    /// Bytes of a body. No encoding is asked for, so those on the wire and the decoded ones are the same.
    pub body_bytes: usize,
    /// Header fields of one answer.
    pub headers: usize,
    /// Bytes of all header fields of one answer.
    pub headers_bytes: usize,
    /// Bytes of one header field.
    pub header_bytes: usize,
    /// Bytes of one WebSocket frame.
    pub ws_frame_bytes: usize,
    /// Bytes of one WebSocket message.
    pub ws_message_bytes: usize,
}

impl Limits {
    /// The bounds in time of a target file, and our own in bytes and count.
    pub fn of(times: &TimeLimits) -> Self {
        let seconds = Duration::from_secs_f64;
        Self {
            dns: seconds(times.connect_s),
            connect: seconds(times.connect_s),
            tls: seconds(times.tls_s),
            idle: seconds(times.idle_s),
            exchange: seconds(times.exchange_s),
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        const KIB: usize = 1024;
        Self {
            dns: Duration::from_secs(5),
            connect: Duration::from_secs(5),
            tls: Duration::from_secs(10),
            idle: Duration::from_secs(10),
            exchange: Duration::from_secs(30),
            addresses: 32,
            names: 256,
            body_bytes: 1024 * KIB,
            headers: 100,
            headers_bytes: 64 * KIB,
            header_bytes: 16 * KIB,
            ws_frame_bytes: 256 * KIB,
            ws_message_bytes: 1024 * KIB,
        }
    }
}
