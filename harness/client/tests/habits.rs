//! What real SIP servers do, and a browser's client copes with: each habit by a scripted server over a real WebSocket. Habits
//! of media are in `harness/runner/tests/media_habits.rs`; forms of single messages beside the code that reads them.
//!
//! | habit | source | who does it | test |
//! |---|---|---|---|
//! | two challenges in one answer, in one field | RFC 8760, section 2.3 | Kamailio, Asterisk | `registering::nonces_serve_once` |
//! | one-time nonces: `stale=true`, `nextnonce` | RFC 7616, sections 3.3 and 3.5 | Kamailio, FreeSWITCH | `registering::nonces_serve_once` |
//! | spaces in Content-Length, compact names, folded lines | RFC 3261, section 7.3.1 | FreeSWITCH, Cisco | `registering::nonces_serve_once` |
//! | 407 of the proxy, then 401 of the registrar | RFC 3261, sections 22.2 and 22.3 | a proxy before Asterisk | `registering::each_hop_asks` |
//! | 407 to INVITE and BYE | RFC 3261, section 22.3 | Kamailio | `calling::masks_routes_and_names_that_do_not_resolve` |
//! | SIP domains that no resolver knows | RFC 7118, section 5 | every PBX | `calling::masks_routes_and_names_that_do_not_resolve` |
//! | masked or private Contact | RFC 3261, section 12.1.2 | Kamailio (`topoh`, `;alias`), FreeSWITCH | `calling::masks_routes_and_names_that_do_not_resolve` |
//! | Record-Route of two legs in one field, loose routing | RFC 3261, section 16.12; RFC 5658 | Kamailio (`r2=on`) | `calling::masks_routes_and_names_that_do_not_resolve` |
//! | `transport=ws` on a WSS connection | RFC 7118, section 5.2 | Kamailio, Asterisk | `calling::masks_routes_and_names_that_do_not_resolve` |
//! | repeated 200 | RFC 3261, section 13.3.1.4 | every UDP leg behind a proxy | `calling::masks_routes_and_names_that_do_not_resolve` |
//! | CRLF keep-alive, WebSocket ping | RFC 5626, section 3.5.1; RFC 6455, section 5.5.2 | Kamailio, OpenSIPS, nginx | `calling::keep_alives_are_answered` |
//! | INFO in the call | RFC 6086 | Cognigy, FreeSWITCH | `calling::keep_alives_are_answered` |
//! | 183 with SDP, then 200 without or with the same | RFC 3261, section 13.2.1 | Asterisk, FreeSWITCH, carriers | `calling::early_media_are_a_call_already` |
//! | reliable 183 unasked, 421 | RFC 3262; RFC 3261, section 21.4.16 | Cisco, carriers | `calling::reliable_provisional_answers` |
//! | IPv6 literals in Contact and SDP | RFC 3261, section 19.1.1 | dual-stack servers | `calling::literals_of_ipv6` |
//! | hold and resume by re-INVITE and UPDATE, ICE restart, no offer | RFC 3261, section 14.2; RFC 3311 | every PBX | `changing::hold_resume_restart_and_an_offer_asked_for` |
//! | session timer, we refresh: UPDATE, re-INVITE where that is not known, 422 | RFC 4028, sections 6 and 7 | Asterisk, FreeSWITCH | `changing::we_refresh` |
//! | session timer, the far side is to refresh | RFC 4028, section 10 | Avaya, FreeSWITCH | `changing::nobody_refreshes` |
//! | methods and demands that nobody knows, requests from nowhere | RFC 3261, section 8.2 | scanners, REFER-happy PBXs | `changing::what_we_do_not_do_is_refused` |

#[path = "habits/calling.rs"]
mod calling;
#[path = "habits/changing.rs"]
mod changing;
#[path = "habits/media.rs"]
mod media;
#[path = "habits/registering.rs"]
mod registering;
#[path = "habits/server.rs"]
mod server;
