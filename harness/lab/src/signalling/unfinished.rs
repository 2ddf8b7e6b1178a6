//! A message that begins and does not end: tungstenite says nothing of it, so the frames are followed underneath.

use std::future::poll_fn;
use std::io::Result;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::figures::UNFINISHED_LIMIT;

/// A stream whose WebSocket frames are followed once [`Watched::follow`] was called.
pub(super) struct Watched<S> {
    inner: S,
    frames: Option<Frames>,
}

/// What came, or why nothing will.
pub(super) enum Next {
    /// A message.
    Message(Message),
    /// The message is larger than is read.
    TooLarge,
    /// A message was begun and not ended in time.
    Unfinished,
    /// The connection is gone, or its frames are none.
    Gone,
}

impl<S> Watched<S> {
    /// Not followed yet: the upgrade comes first.
    pub fn new(inner: S) -> Self {
        Self { inner, frames: None }
    }

    /// Frames begin here.
    pub fn follow(&mut self) {
        self.frames = Some(Frames::default());
    }

    fn begun(&self) -> Option<Instant> {
        self.frames.as_ref()?.begun
    }
}

/// The next message. May be dropped and asked again.
pub(super) async fn next<S>(socket: &mut WebSocketStream<Watched<S>>) -> Next
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut patience = pin!(sleep_until(Instant::now() + UNFINISHED_LIMIT));
    poll_fn(|cx| {
        if let Poll::Ready(came) = socket.poll_next_unpin(cx) {
            return Poll::Ready(match came {
                Some(Ok(Message::Close(_))) | None => Next::Gone,
                Some(Ok(message)) => Next::Message(message),
                Some(Err(WsError::Capacity(_))) => Next::TooLarge,
                Some(Err(_)) => Next::Gone,
            });
        }
        let Some(begun) = socket.get_ref().begun() else { return Poll::Pending };
        if patience.deadline() != begun + UNFINISHED_LIMIT {
            patience.as_mut().reset(begun + UNFINISHED_LIMIT);
        }
        patience.as_mut().poll(cx).map(|()| Next::Unfinished)
    })
    .await
}

/// Where in its frames a stream is. RFC 6455, section 5.2.
#[derive(Debug, Default)]
struct Frames {
    /// Of the frame that is coming; never more than 14 bytes.
    header: Vec<u8>,
    /// Bytes of its payload still to come.
    left: u64,
    /// A data frame without FIN came before.
    open: bool,
    /// Since when a message is on its way.
    begun: Option<Instant>,
}

impl Frames {
    fn feed(&mut self, mut bytes: &[u8], now: Instant) {
        while !bytes.is_empty() {
            self.begun.get_or_insert(now);
            if self.left > 0 {
                let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                bytes = bytes.get(here..).unwrap_or_default();
                self.left -= here as u64;
            } else if let Some((first, rest)) = bytes.split_first() {
                self.header.push(*first);
                bytes = rest;
                let Some(left) = payload_bytes(&self.header) else { continue };
                self.left = left;
            }
            if self.left == 0 {
                self.end_frame();
            }
        }
    }

    fn end_frame(&mut self) {
        let first = self.header.first().copied().unwrap_or_default();
        if first & 0x08 == 0 {
            self.open = first & 0x80 == 0; // control frames may stand between those of one message
        }
        self.header.clear();
        if !self.open {
            self.begun = None;
        }
    }
}

/// The length that a whole header states; `None` while it is not whole.
fn payload_bytes(header: &[u8]) -> Option<u64> {
    let (_, rest) = header.split_first()?;
    let (second, rest) = rest.split_first()?;
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let extended = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    if rest.len() < extended + mask {
        return None;
    }
    let stated = rest.get(..extended)?.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    Some(if extended == 0 { u64::from(second & 0x7f) } else { stated })
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if let Some(frames) = &mut self.frames {
            frames.feed(buffer.filled().get(before..).unwrap_or_default(), Instant::now());
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;
    use tokio_tungstenite::tungstenite::protocol::Role;

    #[test]
    fn a_message_is_on_its_way_until_its_last_byte() {
        let large = [vec![0x81, 0xfe, 1, 0, 1, 2, 3, 4], vec![0; 256]].concat();
        let fragments = [[0x01, 0x81, 0, 0, 0, 0, 9].as_slice(), &[0x89, 0x80, 0, 0, 0, 0], &[0x80, 0x80, 0, 0, 0, 0]];
        for (what, stream) in
            [("masked", &[0x81, 0x82, 1, 2, 3, 4, 5, 6][..]), ("long", &large), ("fragments", &fragments.concat())]
        {
            let (mut frames, now) = (Frames::default(), Instant::now());
            for byte in &stream[..stream.len() - 1] {
                frames.feed(&[*byte], now);
                assert_eq!(frames.begun, Some(now), "{what}");
                assert!(frames.header.len() <= 14);
            }
            frames.feed(&stream[stream.len() - 1..], now);
            assert_eq!(frames.begun, None, "{what}");
            frames.feed(&[stream, stream].concat(), now);
            assert_eq!(frames.begun, None, "{what}, twice at once");
        }
    }

    #[tokio::test]
    async fn what_drips_is_not_waited_for() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut socket = WebSocketStream::from_raw_socket(Watched::new(server), Role::Server, None).await;
        socket.get_mut().follow();
        client.write_all(&[0x81, 0x82, 1, 2, 3, 4, 5, 6]).await.unwrap();
        assert!(matches!(next(&mut socket).await, Next::Message(_)));
        let long_ago = Instant::now().checked_sub(UNFINISHED_LIMIT).unwrap();
        socket.get_mut().frames = Some(Frames { begun: Some(long_ago), ..Frames::default() });
        client.write_all(&[0x81, 0x8f, 0, 0, 0, 0]).await.unwrap();
        assert!(matches!(next(&mut socket).await, Next::Unfinished));
        client.write_all(&[b'x'; 15]).await.unwrap();
        assert!(matches!(next(&mut socket).await, Next::Message(_)), "what is whole counts, however late");
    }
}
