//! What the enumerators find of servers that nobody here wrote, told beforehand what to accept; and what they make of those
//! that mean no good. Servers are children on ports of loopback. A program that is missing is left out with the line that
//! installs it; in CI that fails.
//!
//! | file | subject |
//! |---|---|
//! | `servers`, `openssl` | the children, the scan, and what OpenSSL says that a list of its ciphers means |
//! | `tls`, `dtls` | `openssl s_server` with many settings |
//! | `dice` | the same by dice, against the plainest scan |
//! | `nginx` | nginx with all that it can and with its defaults, beside sslscan |
//! | `stacks` | `rtc-dtls` and `dimpl` over sockets |
//! | `loss` | OpenSSL behind a network that loses datagrams; stacks without sockets are in `src/hello/tests/real.rs` |
//! | `early_data` | whether OpenSSL invites data that can be sent again |
//! | `streams`, `datagrams` | bad input over TCP and over UDP; `scripted` is the server of the former |

#[path = "hello/datagrams.rs"]
mod datagrams;
#[path = "hello/dice.rs"]
mod dice;
#[path = "hello/dtls.rs"]
mod dtls;
#[path = "hello/early_data.rs"]
mod early_data;
#[path = "hello/loss.rs"]
mod loss;
#[path = "hello/nginx.rs"]
mod nginx;
#[path = "hello/openssl.rs"]
mod openssl;
#[path = "hello/scripted.rs"]
mod scripted;
#[path = "hello/servers.rs"]
mod servers;
#[path = "hello/stacks.rs"]
mod stacks;
#[path = "hello/streams.rs"]
mod streams;
#[path = "hello/tls.rs"]
mod tls;
