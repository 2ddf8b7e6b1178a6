//! The client's media against peers that nobody here wrote: str0m, `webrtc` and aiortc answer its offers and echo its audio.
//!
//! | file | subject |
//! |---|---|
//! | `call` | the client's side, and what every call has to show |
//! | `cases` | the calls that are placed with each peer |
//! | `str0m`, `str0m_crypto` | str0m: DTLS by `dimpl`, ICE by `is`, SRTP its own, primitives by `rtc-crypto` |
//! | `webrtc` | the async `webrtc`: the `rtc` family in both roles, with its own session layer |
//! | `aiortc` | aiortc: DTLS by OpenSSL, ICE by aioice, SRTP by libsrtp |

#[path = "peers/aiortc.rs"]
mod aiortc;
#[path = "peers/call.rs"]
mod call;
#[path = "peers/cases.rs"]
mod cases;
#[path = "peers/str0m.rs"]
mod str0m;
#[path = "peers/str0m_crypto.rs"]
mod str0m_crypto;
#[path = "peers/webrtc.rs"]
mod webrtc;
