//! A telephone number before `rsip`. No comparison asks it, since RFC 3261 leaves open what an element makes of a scheme that it does not know.

use ringfence_fuzz_kit::peers::sip::{PEERS, Uri};
use ringfence_wire::sip::prepare;

pub fn a_number_is_read_as_a_host(message: &[u8]) {
    assert!(prepare(message).is_ok());
    let rsip = PEERS.iter().find(|peer| peer.name == "rsip").expect("it is one of them");
    let target = (rsip.read)(message).and_then(|read| read.target);
    assert_eq!(target, Some(Uri { user: None, host: "tel".to_owned(), port: Some(4_915) }));
}
