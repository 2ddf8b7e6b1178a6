//! A SIP WebSocket whose frames are the caller's to write, sound or not; what comes is read as any client reads it.
//!
//! Pings are answered while it is read, and never within a frame of ours. Messages of the target are bounded by
//! [`Limits`](crate::net::Limits).

use std::collections::VecDeque;
use std::time::Duration;

use ringfence_wire::Error;
use ringfence_wire::websocket::{CLOSE, Frame, Message, Messages, PONG, Reader, Side};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::ws::{Stream, Upgrade, UpgradeRefused, open};
use crate::{Failure, Net};

/// Bytes of one read, and of one write between two looks at what came (house).
const PIECE_BYTES: usize = 16 * 1024;
/// Pieces that go out at once, and how long the next ones wait (house): some ten megabits a second, so that what is large does
/// not fill our own way out, on which others are to be served meanwhile.
const PIECES_AT_ONCE: usize = 4;
const PAUSE: Duration = Duration::from_millis(50);
/// Messages that were read and not taken yet; beyond that the target is read no further (house).
const MAX_WAITING: usize = 256;
/// Bytes of pongs that wait to be written: who pings without reading is answered no further (house).
const MAX_PONG_BYTES: usize = 16 * 1024;
/// How long the close frame may wait for a target that does not read (house).
const CLOSING: Duration = Duration::from_millis(500);

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// A message, text or binary.
    Message(Vec<u8>),
    /// A pong with its payload.
    Pong(Vec<u8>),
}

/// An open WebSocket without a writer of its own.
pub struct FrameLine {
    stream: Stream,
    net: Net,
    reader: Reader,
    messages: Messages,
    waiting: VecDeque<Came>,
    pongs: Vec<u8>,
    /// What was sent last is a part of a frame: control frames stand between frames only. RFC 6455, section 5.4.
    inside: bool,
    /// Why nothing comes any more.
    ended: Option<Failure>,
    close_code: Option<u16>,
}

impl FrameLine {
    /// Dials and upgrades.
    ///
    /// # Errors
    /// As [`open`].
    pub async fn open(net: &Net, upgrade: &Upgrade) -> Result<Self, UpgradeRefused> {
        let limits = *net.limits();
        Ok(Self {
            // What came right behind the upgrade's answer is lost here: a SIP server does not speak first.
            stream: open(net, upgrade).await?.stream.into_stream(),
            net: net.clone(),
            reader: Reader::new(limits.ws_frame_bytes),
            messages: Messages::new(Side::Server, limits.ws_message_bytes),
            waiting: VecDeque::new(),
            pongs: Vec::new(),
            inside: false,
            ended: None,
            close_code: None,
        })
    }

    /// Sends bytes as they are: frames of [`Frame::emit`], whatever is wrong with them. What is large takes its time.
    ///
    /// # Errors
    /// The connection is gone, or the target stopped reading for [`Limits::idle`](crate::net::Limits). What came before can
    /// still be received.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.send_part(bytes).await?;
        self.inside = false;
        Ok(())
    }

    /// Sends a part of a frame; until [`FrameLine::send`] ends it, no ping is answered.
    ///
    /// # Errors
    /// As [`FrameLine::send`].
    pub async fn send_part(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let idle = self.net.limits().idle;
        // One that was begun is ended first.
        if !self.inside && timeout(idle, self.pong()).await.is_err() {
            return Err(unread());
        }
        self.inside = true;
        for (number, piece) in bytes.chunks(PIECE_BYTES).enumerate() {
            if number > 0 && number % PIECES_AT_ONCE == 0 {
                sleep(PAUSE).await;
            }
            // A target that refuses says so before it has read all, and may close on who does not listen.
            let _ = timeout(Duration::ZERO, self.read()).await; // nothing there yet
            if let Some(failure) = &self.ended {
                return Err(failure.clone());
            }
            let writing = async {
                self.stream.write_all(piece).await?;
                self.stream.flush().await
            };
            match timeout(idle, writing).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(Failure::from_io("WebSocket", &error)),
                Err(_) => return Err(unread()),
            }
        }
        Ok(())
    }

    /// What came next. Nothing is lost where the future is dropped before it is ready.
    ///
    /// # Errors
    /// The connection is closed, broken, or over a limit; from then on always.
    pub async fn receive(&mut self) -> Result<Came, Failure> {
        loop {
            if let Some(came) = self.waiting.pop_front() {
                return Ok(came);
            }
            if let Some(failure) = &self.ended {
                return Err(failure.clone());
            }
            if !self.inside {
                self.pong().await;
            }
            self.read().await;
        }
    }

    /// Whether nothing comes any more and nothing waits.
    pub fn is_over(&self) -> bool {
        self.ended.is_some() && self.waiting.is_empty()
    }

    /// The code of the target's close frame. RFC 6455, section 7.4.
    pub fn close_code(&self) -> Option<u16> {
        self.close_code
    }

    /// Says good-bye; a target that does not listen is left.
    pub async fn close(mut self) {
        let goodbye = Frame::masked(CLOSE, [0x52, 0x46, 0x46, 0x52], 1000_u16.to_be_bytes());
        let goodbye = if self.inside { Vec::new() } else { [std::mem::take(&mut self.pongs), goodbye.emit()].concat() };
        let closing = async {
            if self.stream.write_all(&goodbye).await.is_ok() && self.stream.shutdown().await.is_ok() {
                let mut rest = [0; 1024];
                while self.stream.read(&mut rest).await.is_ok_and(|length| length > 0) {}
            }
        };
        let _ = timeout(CLOSING, closing).await; // a target that does not listen
    }

    /// Writes the pongs that wait. May be dropped at each await: what is left of one goes out first the next time.
    async fn pong(&mut self) {
        if self.pongs.is_empty() {
            return;
        }
        while !self.pongs.is_empty() {
            match self.stream.write(&self.pongs).await {
                Ok(length) if length > 0 => drop(self.pongs.drain(..length)),
                _ => self.pongs.clear(), // reading tells why
            }
        }
        let _ = self.stream.flush().await; // as above
    }

    /// One read, which may be dropped without loss.
    async fn read(&mut self) {
        if self.ended.is_some() || self.waiting.len() >= MAX_WAITING {
            return;
        }
        let mut piece = [0; PIECE_BYTES];
        let came = match self.stream.read(&mut piece).await {
            Ok(0) => return self.end(Failure::closed("the target closed the connection")),
            Ok(length) => piece.get(..length).unwrap_or_default(),
            Err(error) => return self.end(Failure::from_io("WebSocket", &error)),
        };
        self.net.note_answer();
        let frames = match self.reader.push(came) {
            Ok(frames) => frames,
            Err(error) => return self.end(unreadable(&error)),
        };
        for frame in frames {
            match self.messages.take(frame) {
                Ok(Some(message)) => self.take(message),
                Ok(None) => {}
                Err(error) => self.end(unreadable(&error)),
            }
            if self.ended.is_some() {
                return;
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Text(text) => self.waiting.push_back(Came::Message(text.into_bytes())),
            Message::Binary(bytes) => self.waiting.push_back(Came::Message(bytes)),
            Message::Pong(payload) => self.waiting.push_back(Came::Pong(payload)),
            Message::Ping(payload) if self.pongs.len() < MAX_PONG_BYTES => {
                self.pongs.extend(Frame::masked(PONG, [0x52, 0x46, 0x46, 0x52], payload).emit());
            }
            Message::Ping(_) => {}
            Message::Close { code, .. } => {
                self.close_code = code;
                self.end(Failure::closed("the target closed the WebSocket"));
            }
        }
    }

    fn end(&mut self, failure: Failure) {
        self.ended.get_or_insert(failure);
    }
}

fn unread() -> Failure {
    Failure::timeout("the target stopped reading its WebSocket")
}

fn unreadable(error: &Error) -> Failure {
    Failure::protocol(format!("unreadable WebSocket: {error}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ringfence_model::observation::Outcome;
    use ringfence_model::target::Target;
    use ringfence_wire::websocket::{CONTINUATION, PING, TEXT};
    use tokio::io::{AsyncRead, AsyncWrite};
    use tokio::net::TcpListener;
    use tokio_tungstenite::accept_async;
    use url::Url;

    use super::*;

    const MASK: [u8; 4] = [1, 2, 3, 4];

    async fn line<F, R>(server: F) -> FrameLine
    where
        F: FnOnce(tokio::net::TcpStream) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("ws://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            server(accept_async(stream).await.unwrap().into_inner()).await;
        });
        let target = "name = \"t\"\nadapter = \"sip\"\n[endpoints]\nconfig = \"https://127.0.0.1/\"\n\
                      [[scope]]\nnetworks = [\"127.0.0.0/8\"]\n";
        let net = Net::new(&Target::parse(target, Path::new("t.toml")).unwrap()).unwrap();
        let upgrade = Upgrade { url, origin: None, subprotocol: None, headers: vec![] };
        FrameLine::open(&net, &upgrade).await.unwrap()
    }

    async fn frames(stream: &mut (impl AsyncRead + Unpin), count: usize) -> Vec<Frame> {
        let (mut reader, mut found) = (Reader::new(1 << 20), Vec::new());
        let mut piece = [0; 1024];
        while found.len() < count {
            let length = stream.read(&mut piece).await.unwrap();
            assert!(length > 0, "closed after {found:?}");
            found.extend(reader.push(&piece[..length]).unwrap());
        }
        found
    }

    async fn say(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
        stream.write_all(bytes).await.unwrap();
    }

    #[tokio::test]
    async fn frames_go_out_as_they_are_and_messages_come_back() {
        let mut line = line(|mut stream| async move {
            let came = frames(&mut stream, 2).await;
            assert_eq!(
                came.iter().map(|frame| (frame.fin, frame.rsv, frame.mask)).collect::<Vec<_>>(),
                [(false, 4, Some(MASK)), (true, 0, None)]
            );
            say(&mut stream, &Frame::plain(PING, *b"p").emit()).await;
            let answer = frames(&mut stream, 1).await;
            assert_eq!((answer[0].opcode, answer[0].payload.as_slice()), (PONG, &b"p"[..]));
            let begins = Frame { fin: false, ..Frame::plain(TEXT, *b"SIP") };
            say(&mut stream, &begins.emit()).await;
            say(&mut stream, &Frame::plain(PONG, *b"q").emit()).await;
            say(&mut stream, &Frame::plain(CONTINUATION, *b"/2.0").emit()).await;
            say(&mut stream, &Frame::plain(CLOSE, 1009_u16.to_be_bytes()).emit()).await;
        })
        .await;
        let odd = Frame { fin: false, rsv: 4, ..Frame::masked(TEXT, MASK, *b"a") };
        line.send(&odd.emit()).await.unwrap();
        line.send(&Frame::plain(CONTINUATION, *b"b").emit()).await.unwrap();
        assert_eq!(line.receive().await.unwrap(), Came::Pong(b"q".to_vec()));
        assert_eq!(line.receive().await.unwrap(), Came::Message(b"SIP/2.0".to_vec()));
        assert_eq!(line.receive().await.unwrap_err().outcome, Outcome::Closed);
        assert!(line.is_over() && line.close_code() == Some(1009));
        line.close().await;
    }

    #[tokio::test]
    async fn what_is_no_websocket_ends_it() {
        // A masked frame of a server, a frame above the limit.
        for bytes in [Frame::masked(TEXT, MASK, *b"a").emit(), vec![0x81, 127, 0, 0, 0, 0, 0xff, 0, 0, 0]] {
            let mut line = line(move |mut stream| async move {
                frames(&mut stream, 1).await;
                say(&mut stream, &bytes).await;
            })
            .await;
            line.send(&Frame::masked(TEXT, MASK, *b"a").emit()).await.unwrap();
            assert_eq!(line.receive().await.unwrap_err().outcome, Outcome::Protocol);
            assert!(line.receive().await.is_err() && line.is_over());
        }
    }

    #[tokio::test]
    async fn an_answer_in_the_middle_of_much_is_heard() {
        let mut line = line(|mut stream| async move {
            frames(&mut stream, 1).await;
            say(&mut stream, &Frame::plain(TEXT, *b"too much").emit()).await;
            say(&mut stream, &Frame::plain(CLOSE, 1009_u16.to_be_bytes()).emit()).await;
            let mut rest = vec![0; 1 << 20];
            while stream.read(&mut rest).await.is_ok_and(|length| length > 0) {}
        })
        .await;
        line.send(&Frame::masked(TEXT, MASK, *b"a").emit()).await.unwrap();
        let mut sent = Ok(());
        while sent.is_ok() {
            sent = line.send(&[0; 1024]).await;
        }
        assert_eq!(line.receive().await.unwrap(), Came::Message(b"too much".to_vec()));
        assert!(line.receive().await.is_err());
    }

    /// RFC 6455, section 5.4: a pong within a frame would be a part of its payload, and what follows no frame any more.
    #[tokio::test]
    async fn pings_are_answered_between_frames_only() {
        let large = Frame::masked(TEXT, MASK, vec![b'r'; 1 << 20]).emit();
        let expected = large.len();
        let mut line = line(move |mut stream| async move {
            let mut came = vec![0; 100];
            stream.read_exact(&mut came).await.unwrap();
            say(&mut stream, &Frame::plain(PING, *b"p").emit()).await;
            came.resize(expected, 0);
            stream.read_exact(&mut came[100..]).await.unwrap();
            let frames_of = |bytes: &[u8]| Reader::new(1 << 20).push(bytes).unwrap();
            assert_eq!(frames_of(&came), [Frame::masked(TEXT, MASK, vec![b'r'; 1 << 20])]);
            say(&mut stream, &Frame::plain(TEXT, *b"whole").emit()).await;
            let pong = frames(&mut stream, 1).await;
            assert_eq!((pong[0].opcode, pong[0].payload.as_slice()), (PONG, &b"p"[..]));
            // The same beside one that comes byte by byte.
            say(&mut stream, &Frame::plain(PING, *b"q").emit()).await;
            say(&mut stream, &Frame::plain(TEXT, *b"slow").emit()).await;
            let came = frames(&mut stream, 2).await;
            assert_eq!(came[0], Frame::masked(TEXT, MASK, *b"abc"));
            assert_eq!((came[1].opcode, came[1].payload.as_slice()), (PONG, &b"q"[..]));
            say(&mut stream, &Frame::plain(TEXT, *b"done").emit()).await;
        })
        .await;
        line.send(&large).await.unwrap();
        assert_eq!(line.receive().await.unwrap(), Came::Message(b"whole".to_vec()));
        let slow = Frame::masked(TEXT, MASK, *b"abc").emit();
        line.send_part(&slow[..4]).await.unwrap();
        assert_eq!(line.receive().await.unwrap(), Came::Message(b"slow".to_vec()));
        line.send(&slow[4..]).await.unwrap();
        assert_eq!(line.receive().await.unwrap(), Came::Message(b"done".to_vec()));
    }
}
