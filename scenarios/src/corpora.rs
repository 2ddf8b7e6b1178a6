//! Messages that a SIP element has to get over, as they go over the wire.

/// A message: its name, and its octets.
pub type Message = (&'static str, &'static [u8]);

macro_rules! messages {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../corpora/torture/messages/", $name, ".sip")))),*]
    };
}

/// The torture messages of RFC 4475 and RFC 5118, in the order of their names.
pub const TORTURE: &[Message] = messages![
    "badaspec",
    "badbranch",
    "baddate",
    "baddn",
    "badinv01",
    "badvers",
    "bcast",
    "bext01",
    "bigcode",
    "clerr",
    "cparam01",
    "cparam02",
    "dblreq",
    "esc01",
    "esc02",
    "escnull",
    "escruri",
    "insuf",
    "intmeth",
    "inv2543",
    "invut",
    "ipv4-mapped-ipv6",
    "ipv6-bad",
    "ipv6-bug-abnf-3-colons",
    "ipv6-correct-abnf-2-colons",
    "ipv6-good",
    "ipv6-in-sdp",
    "longreq",
    "ltgtruri",
    "lwsdisp",
    "lwsruri",
    "lwsstart",
    "mcl01",
    "mismatch01",
    "mismatch02",
    "mpart01",
    "mult-ip-in-header",
    "mult-ip-in-sdp",
    "multi01",
    "ncl",
    "noreason",
    "novelsc",
    "port-ambiguous",
    "port-unambiguous",
    "quotbal",
    "regaut01",
    "regbadct",
    "regescrt",
    "scalar02",
    "scalarlg",
    "sdp01",
    "semiuri",
    "transports",
    "trws",
    "unkscm",
    "unksm2",
    "unreason",
    "via-received-param-no-delim",
    "via-received-param-with-delim",
    "wsinv",
    "zeromf",
];

/// What the RFCs ask of an element that receives one of [`TORTURE`], in TOML; `corpora/torture/README.md` says what the keys mean.
pub const TORTURE_VERDICTS: &str = include_str!("../corpora/torture/torture.toml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/corpora/torture/messages");
        let names = std::fs::read_dir(folder).expect("the folder is there");
        let mut names: Vec<String> = names
            .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".sip")?.to_owned()))
            .collect();
        names.sort();
        assert_eq!(TORTURE.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
        assert_eq!(TORTURE_VERDICTS.matches("[[message]]").count(), names.len(), "each has its verdict");
    }
}
