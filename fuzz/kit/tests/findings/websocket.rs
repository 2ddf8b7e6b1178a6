//! WebSocket frames.

use std::io::{self, Read, Write};

use tungstenite::protocol::{Role, WebSocket};

/// What a server sends; what is said to it is dropped.
struct Server<'a>(&'a [u8]);

impl Read for Server<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Write for Server<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A frame with a reserved bit ends the connection (RFC 6455, sections 5.2 and 7.1.7). Theirs can be asked again, and goes on as if nothing
/// had been.
pub fn the_next_message_is_given(stream: &[u8]) {
    let mut socket = WebSocket::from_raw_socket(Server(stream), Role::Client, None);
    assert!(socket.read().is_err());
    assert_eq!(socket.read().expect("the second frame"), tungstenite::Message::text("b"));
}
