//! What was found in other people's crates: each file of `fuzz/findings/CRATE/` still shows what it is there for, and FINDINGS.md names
//! each. A failure here is good news, most often: somebody mended their crate, and the entry can say since when.

mod document;
mod srtp;
mod stun;
mod tel;
mod turn;
mod websocket;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ringfence_fuzz_kit::known::{self, Difference};
use ringfence_fuzz_kit::targets::{srtp_peers_agree, stun_parsers_agree, websocket_frames};

/// What is no difference between two answers to one question: the crate, the file, and what shows it.
const SHOWN: &[(&str, &str, Show)] = &[
    ("ezk-stun-types", "password-algorithms", stun::parameters_are_read_as_another_algorithm),
    ("rsip", "tel-is-a-host", tel::a_number_is_read_as_a_host),
    ("rtc-srtp", "extension-longer-than-the-packet", srtp::protecting_it_panics),
    ("rtc-srtp", "extension-with-identifier-fifteen", srtp::a_part_of_the_header_is_encrypted),
    ("rtc-srtp", "forged-packet", srtp::one_forged_packet_makes_a_stream_deaf),
    ("rtc-srtp", "forged-packet", srtp::forged_packets_are_remembered_for_ever),
    ("rtc-srtp", "srtcp-that-nobody-sealed", srtp::it_is_taken),
    ("rtc-stun", "short-address", stun::a_short_address_is_filled_with_zeros),
    ("rtc-turn", "grant-under-another-key", turn::a_grant_is_believed),
    ("rtc-turn", "unsigned-grant", turn::a_grant_is_believed),
    ("rtc-turn", "unsigned-permission", turn::a_permission_is_believed),
    ("tungstenite", "reads-on-behind-an-error", websocket::the_next_message_is_given),
];

/// Panics if an input shows nothing any more.
type Show = fn(&[u8]);

/// What a comparison of two implementations shows of an input: the other one's crate, and the difference's id.
type Seen = fn(&[u8]) -> Vec<(&'static str, &'static str)>;

/// A known difference, whatever it is about.
struct Known {
    parser: &'static str,
    id: &'static str,
    said: [&'static str; 4],
    example: &'static [u8],
    seen: Seen,
}

fn of<C: ?Sized>(known: &[Difference<C>], seen: Seen) -> impl Iterator<Item = Known> {
    known.iter().map(move |one| {
        let said = [one.theirs, one.ours, one.rfc, one.reach];
        Known { parser: one.parser, id: one.id, said, example: one.example, seen }
    })
}

fn all_known() -> Vec<Known> {
    let sip = known::sip::known().into_iter().flat_map(|(_, known)| of(known, known::sip::differences));
    let stun = of(known::stun::DIFFERENCES, stun_parsers_agree::differences);
    let srtp = of(known::srtp::DIFFERENCES, srtp_peers_agree::differences);
    let websocket = of(known::websocket::DIFFERENCES, websocket_frames::differences);
    sip.chain(stun).chain(srtp).chain(websocket).collect()
}

/// `fuzz/`.
fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Folder and name of every file below the folders of `fuzz/findings` or `fuzz/regressions`.
fn files(root: &str) -> BTreeSet<(String, String)> {
    let entries = |path: &Path| {
        let all = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        all.map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name")).collect::<Vec<_>>()
    };
    let root = fuzz().join(root);
    let inside = |folder: String| entries(&root.join(&folder)).into_iter().map(move |name| (folder.clone(), name));
    let files: BTreeSet<_> = entries(&root).into_iter().flat_map(inside).collect();
    assert!(!files.is_empty(), "no files in {}", root.display());
    files
}

#[test]
fn every_file_still_shows_its_finding() {
    let all = all_known();
    for (crate_name, slug) in files("findings") {
        println!("{crate_name}/{slug}");
        let bytes = std::fs::read(fuzz().join("findings").join(&crate_name).join(&slug)).expect("it can be read");
        let shown: Vec<_> = SHOWN.iter().filter(|(of, file, _)| (*of, *file) == (&*crate_name, &*slug)).collect();
        shown.iter().for_each(|(_, _, show)| show(&bytes));
        if shown.is_empty() {
            let known = all.iter().find(|known| (known.parser, known.id) == (&*crate_name, &*slug));
            let known = known.unwrap_or_else(|| panic!("nothing shows {crate_name}/{slug}"));
            let seen = (known.seen)(&bytes);
            assert!(seen.contains(&(known.parser, known.id)), "{crate_name}/{slug} is gone; instead there is {seen:?}");
            assert_eq!(known.example, bytes, "{crate_name}/{slug} is not the example of that difference");
        }
    }
}

/// Also those that are mere liberties and have no file.
#[test]
fn every_known_difference_is_still_there() {
    let (mut gone, mut names) = (Vec::new(), BTreeSet::new());
    for Known { parser, id, said, example, seen } in all_known() {
        let seen = seen(example);
        if !seen.contains(&(parser, id)) {
            gone.push((parser, id, seen));
        }
        assert!(names.insert((parser, id)), "{parser}: {id} stands there twice");
        for text in said {
            assert!(!text.is_empty() && !text.ends_with('.'), "{parser}, {id}: {text:?}");
        }
    }
    assert!(gone.is_empty(), "no longer shown, and what is seen instead: {gone:#?}");
}

#[test]
fn what_somebody_can_use_has_a_file() {
    let files = files("findings");
    for Known { parser, id, said: [.., reach], .. } in all_known() {
        let how_far = reach.split([':', ',', ' ']).next().unwrap_or_default();
        assert!(["none", "local", "network"].contains(&how_far), "{parser}, {id}: {reach}");
        let kept = files.contains(&(parser.to_owned(), id.to_owned()));
        assert!(kept || how_far == "none", "{id} of {parser} has no file in fuzz/findings");
    }
    for (crate_name, slug, _) in SHOWN {
        assert!(files.contains(&((*crate_name).to_owned(), (*slug).to_owned())), "{crate_name}/{slug} is not there");
    }
}
