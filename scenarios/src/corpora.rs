//! Messages that a SIP element has to get over, as they go over the wire.

/// A message: its name, and its octets.
pub type Message = (&'static str, &'static [u8]);

macro_rules! messages {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../corpora/", $folder, "/", $name, ".sip")))),*]
    };
}

/// The torture messages of RFC 4475 and RFC 5118, in the order of their names.
pub const TORTURE: &[Message] = messages![
    "torture/messages":
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

/// Messages that parsers were once wrong about, ours and others', in the order of their names: at most 16 KiB each, none with a
/// negative length. They are sent with consent only.
pub const FUZZ_REGRESSIONS: &[Message] = messages![
    "fuzz-regressions":
    "authorization-with-4096-commas",
    "authorization-without-values",
    "bracket-in-quoted-name",
    "brackets-in-brackets",
    "branch-of-4096-bytes",
    "colons-alone",
    "comments-in-comments",
    "contact-star-with-parameters",
    "controls-in-value",
    "cseq-above-32-bits",
    "cseq-without-method",
    "escape-cut-short",
    "field-of-8199-bytes",
    "field-that-grows-past-its-limit-by-a-blank",
    "field-that-grows-past-its-limit-by-a-long-name",
    "fifty-accepts",
    "fold-before-colon",
    "fold-behind-start-line",
    "header-in-uri",
    "ipv6-without-end",
    "line-separator-in-value",
    "line-that-is-no-utf-8",
    "method-in-lower-case",
    "multipart-in-multipart",
    "multipart-without-boundary",
    "name-of-4096-bytes",
    "no-blank-line",
    "no-break-space-in-uri",
    "no-line-end-at-all",
    "port-of-eleven-digits",
    "quote-of-backslashes",
    "quote-without-end",
    "record-route-with-100-entries",
    "sdp-attributes-cut-short",
    "sdp-rtpmap-without-name",
    "sdp-with-500-media",
    "sdp-without-formats",
    "status-of-four-digits",
    "status-with-a-plus",
    "tag-empty",
    "tag-of-4096-bytes",
    "thousand-commas",
    "thousand-parameters",
    "thousand-short-fields",
    "via-with-100-commas",
    "via-without-host",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &str) -> Vec<String> {
        let folder = format!("{}/corpora/{folder}", env!("CARGO_MANIFEST_DIR"));
        let names = std::fs::read_dir(folder).expect("the folder is there");
        let mut names: Vec<String> = names
            .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".sip")?.to_owned()))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_message_is_embedded() {
        let torture = names("torture/messages");
        assert_eq!(TORTURE.iter().map(|(name, _)| *name).collect::<Vec<_>>(), torture);
        assert_eq!(TORTURE_VERDICTS.matches("[[message]]").count(), torture.len(), "each has its verdict");
        assert_eq!(FUZZ_REGRESSIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names("fuzz-regressions"));
    }

    /// What the target `sip_message` once fell over is sent to live servers as well, where it is small enough.
    #[test]
    fn regressions_of_the_fuzzing_suite_are_here_too() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/regressions/sip_message");
        let mut compared = 0;
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("an entry can be read").path();
            let bytes = std::fs::read(&path).expect("a regression can be read");
            let name = path.file_name().and_then(|name| name.to_str()).expect("names are slugs");
            let kept = FUZZ_REGRESSIONS.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes);
            if bytes.len() <= 16 * 1024 {
                compared += 1;
                assert_eq!(
                    kept,
                    Some(bytes.as_slice()),
                    "copy {name} to corpora/fuzz-regressions/{name}.sip and list it"
                );
            }
        }
        assert!(compared > 0, "nothing was compared");
    }

    #[test]
    fn regressions_are_no_oversize_and_no_negative_length() {
        for (name, message) in FUZZ_REGRESSIONS {
            assert!((1..=16 * 1024).contains(&message.len()), "{name}");
            let text = String::from_utf8_lossy(message).to_ascii_lowercase();
            let lengths = text.lines().filter_map(|line| line.strip_prefix("content-length"));
            assert!(lengths.clone().all(|value| !value.contains('-')), "{name}");
        }
    }
}
