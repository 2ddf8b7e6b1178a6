//! The healthy lab's figures, each with its source. *Catalogue* is the head of the scenario catalogue, which scenarios
//! are written against; *house* is a bound of our own, far above what an honest client needs.

use std::time::Duration;

/// Domain of the SIP addresses-of-record, and realm of their digest. House: a name that never resolves (RFC 6761).
pub const SIP_REALM: &str = "sip.lab.test";
/// The test user, whom a page with the fault `page-user-id-email` names. House: of a domain that is nobody's (RFC 2606).
pub const TEST_USER: &str = "test.user@example.com";
/// Realm of the TURN server's long-term credentials. House.
pub const TURN_REALM: &str = "turn.lab.test";

/// Configurations that one source may fetch within [`MINT_WINDOW`]. Catalogue.
pub const MINTS_PER_SOURCE: usize = 60;
/// See [`MINTS_PER_SOURCE`]. Catalogue.
pub const MINT_WINDOW: Duration = Duration::from_secs(10);

/// How long a SIP pair lives that placed no call. Catalogue.
pub const PAIR_UNUSED: Duration = Duration::from_secs(30);
/// How long a SIP pair outlives its call. Catalogue.
pub const PAIR_AFTER_CALL: Duration = Duration::from_secs(2);
/// What the target file declares as the end of a session, in seconds: [`PAIR_AFTER_CALL`], and one for the way. House.
pub const SESSION_END_S: u64 = 3;
/// What the target file declares as the difference between clocks, in seconds. Catalogue.
pub const CLOCK_LEEWAY_S: u64 = 1;
/// SIP pairs that are remembered, dead ones included; then the oldest is forgotten. House.
pub const MAX_PAIRS: usize = 4096;

/// How long a digest nonce is good. Catalogue.
pub const NONCE_LIFE: Duration = Duration::from_secs(20);
/// Nonces that one connection may hold; then the oldest is forgotten. House.
pub const MAX_NONCES: usize = 8;
/// Nonces of all connections together that are remembered. House.
pub const MAX_ISSUED: usize = 4096;
/// Wrong logins per source and account within [`WRONG_LOGIN_WINDOW`], after which every login gets 403. Catalogue.
pub const WRONG_LOGINS: usize = 10;
/// See [`WRONG_LOGINS`]. Catalogue.
pub const WRONG_LOGIN_WINDOW: Duration = Duration::from_secs(60);
/// Longest registration that is granted, in seconds; a longer wish is cut. House.
pub const MAX_EXPIRES_S: u32 = 600;
/// Shortest registration that is granted, in seconds; a shorter wish gets 423. House; RFC 3261, section 10.3.
pub const MIN_EXPIRES_S: u32 = 10;
/// User names that no visitor may take. Catalogue.
pub const RESERVED_USERS: [&str; 5] = ["admin", "anonymous", "operator", "root", "system"];
/// Characters of a user identifier. House.
pub const MAX_USER_ID: usize = 64;

/// Sources and accounts that a rate limit remembers. House.
pub const MAX_LIMITED_KEYS: usize = 4096;
/// Connections that one listener holds. House.
pub const MAX_CONNECTIONS: usize = 256;
/// From the first byte to the end of the TLS handshake, and again for the HTTP or WebSocket request. House.
pub const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Bytes of one WebSocket frame, and of one message. House; the SIP reader has the same limit.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;
/// Frames that are no SIP message, after which a connection is closed. House.
pub const MAX_BAD_FRAMES: u32 = 64;
/// How long a connection without a call may say nothing. House.
pub const IDLE_LIMIT: Duration = Duration::from_secs(120);
/// How long one WebSocket message may take from its first byte to its last. House.
pub const UNFINISHED_LIMIT: Duration = Duration::from_secs(10);
/// How long nobody is let in after the crash of the fault `torture-crash`. Catalogue.
pub const CRASH_PAUSE: Duration = Duration::from_secs(3);

/// How long one visitor's INVITE may wait for another visitor's final answer. House.
pub const PASSED_LIMIT: Duration = Duration::from_secs(5);
/// INVITEs of others that one connection may have unanswered; then the oldest is forgotten. House.
pub const MAX_PASSED: usize = 8;
/// Events that wait for one connection; more are dropped, and their senders' limits end them. House.
pub const MAX_POSTED: usize = 32;

/// First wait before an unacknowledged 200 goes out again. RFC 3261, section 13.3.1.4 and table 4: T1.
pub const SIP_T1: Duration = Duration::from_millis(500);
/// Longest such wait. RFC 3261, table 4: T2.
pub const SIP_T2: Duration = Duration::from_secs(4);
/// When an unacknowledged 200 is given up: 64 times T1. RFC 3261, section 13.3.1.4.
pub const ACK_LIMIT: Duration = Duration::from_secs(32);

/// How long TURN credentials live. Catalogue.
pub const TURN_CREDENTIALS: Duration = Duration::from_secs(600);
/// How long a TURN nonce is good. House; RFC 8656, section 5, wants at most an hour.
pub const TURN_NONCE_LIFE: Duration = Duration::from_secs(300);
/// Lifetime of an allocation that asks for none, in seconds. RFC 8656, section 3.2.
pub const TURN_LIFETIME_S: u32 = 600;
/// Longest lifetime of an allocation, in seconds. RFC 8656, section 7.2: an hour is recommended.
pub const TURN_MAX_LIFETIME_S: u32 = 3600;
/// Lifetime of a permission. RFC 8656, section 9.
pub const TURN_PERMISSION: Duration = Duration::from_secs(300);
/// Lifetime of a channel binding. RFC 8656, section 12.
pub const TURN_CHANNEL: Duration = Duration::from_secs(600);
/// Allocations that one user may hold. House.
pub const TURN_PER_USER: usize = 8;
/// Allocations of the whole server. House.
pub const TURN_ALLOCATIONS: usize = 256;
/// Permissions, and channels, of one allocation. House.
pub const TURN_PEERS: usize = 32;
/// Relayed datagrams that wait for the server; the rest is dropped, as UDP does. House.
pub const TURN_QUEUE: usize = 256;

/// Bytes of a phone that the page serves in place of its own. House: bundles of SIP stacks have half a megabyte.
pub const MAX_PHONE_BYTES: u64 = 4 * 1024 * 1024;

/// Bytes of the log file; what comes later is not written. House.
pub const MAX_LOG_BYTES: u64 = 16 * 1024 * 1024;
