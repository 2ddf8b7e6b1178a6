//! `ringfence call --play --record`: through the lab's echo, and what is refused before anybody is called.

use std::f64::consts::TAU;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ringfence_client::media::{Law, RATE_HZ};
use ringfence_lab::{Lab, LabOptions};
use ringfence_wire::wav::{self, A_LAW, MU_LAW, PCM, Wav};
use tempfile::TempDir;

const RINGFENCE: &str = env!("CARGO_BIN_EXE_ringfence");
/// The tone that is played, and one that nobody plays. Both have whole periods in 20 ms.
const TONE_HZ: f64 = 450.0;
const OTHER_HZ: f64 = 1250.0;

fn call(folder: &Path, target: &str, args: &[&str]) -> Command {
    let mut command = Command::new(RINGFENCE);
    command.args([&["call", "--target", target][..], args].concat()).current_dir(folder).stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A tone of this many seconds, at half of full scale.
fn tone(seconds: f64) -> Vec<i16> {
    let samples = (seconds * f64::from(RATE_HZ)) as usize;
    (0..samples).map(|n| ((n as f64 * TAU * TONE_HZ / f64::from(RATE_HZ)).sin() * 16_000.0) as i16).collect()
}

/// A file of one channel in any format.
fn file_of(tag: u16, bits: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = wav::emit(RATE_HZ, &[]).expect("a header");
    bytes[20..22].copy_from_slice(&tag.to_le_bytes());
    bytes[34..36].copy_from_slice(&bits.to_le_bytes());
    bytes[40..44].copy_from_slice(&(data.len() as u32).to_le_bytes());
    bytes.extend_from_slice(data);
    bytes
}

fn samples(path: &Path) -> Vec<i16> {
    let bytes = fs::read(path).expect("a recording");
    let wav = Wav::parse(&bytes).expect("a whole WAV file");
    assert_eq!((wav.tag, wav.channels, wav.rate_hz, wav.bits), (PCM, 1, RATE_HZ, 16));
    wav.data.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// Energy of one frequency, by the algorithm of Goertzel (1958).
fn energy(samples: &[i16], frequency_hz: f64) -> f64 {
    let turn = 2.0 * (TAU * frequency_hz / f64::from(RATE_HZ)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (before, last) = (last, f64::from(*sample) + turn * last - before);
    }
    last * last + before * before - turn * last * before
}

/// The packets of 20 ms in which the tone is all that there is to hear.
fn packets_with_the_tone(samples: &[i16]) -> usize {
    samples
        .chunks_exact(160)
        .filter(|packet| energy(packet, TONE_HZ) > 1e10 && energy(packet, TONE_HZ) > 100.0 * energy(packet, OTHER_HZ))
        .count()
}

async fn lab() -> (TempDir, Lab, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lab = Lab::start(LabOptions::healthy(folder.path().join("lab"))).await.expect("the lab starts");
    let target = lab.target_path().display().to_string();
    (folder, lab, target)
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tone_comes_back_in_both_laws() {
    let (folder, _lab, target) = lab().await;
    let tone = tone(2.0);
    let coded = |law: Law| tone.iter().map(|sample| law.encode(*sample)).collect::<Vec<u8>>();
    let files = [
        ("linear.wav", wav::emit(RATE_HZ, &tone).expect("a file"), "PCMU"),
        ("mu.wav", file_of(MU_LAW, 8, &coded(Law::Mu)), "PCMU"),
        ("a.wav", file_of(A_LAW, 8, &coded(Law::A)), "PCMA"),
    ];
    for (name, bytes, codec) in files {
        fs::write(folder.path().join(name), bytes).expect("a file");
        let ended = output(call(folder.path(), &target, &["--play", name, "--record", "out.wav"])).await;
        let said = text(&ended.stdout);
        assert_eq!(ended.status.code(), Some(0), "{said}{}", text(&ended.stderr));
        assert!(said.contains(&format!("play  {name}: ")) && said.contains(&format!("s sent as {codec}, ")), "{said}");
        assert!(said.contains("rec   out.wav: ") && said.contains("echoed 0"), "{said}");
        let heard = samples(&folder.path().join("out.wav"));
        // A busy machine may lose some of the hundred.
        let packets = packets_with_the_tone(&heard);
        assert!(packets >= 50, "{codec}: {packets} of {} packets\n{said}", heard.len() / 160);
    }
    let left: Vec<_> =
        fs::read_dir(folder.path()).expect("the folder").map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(left.len(), 5, "the lab, three files to play and one recording: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_a_whole_recording() {
    let (folder, _lab, target) = lab().await;
    let mut child = call(folder.path(), &target, &["--seconds", "600", "--record", "out.wav"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let ended = tokio::task::spawn_blocking(move || {
        let mut lines = lines.map_while(Result::ok);
        let heard = lines.any(|line| line.contains("first marker came back"));
        let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(signal.expect("kill runs").success());
        let rest: Vec<String> = lines.collect();
        (heard, child.wait().expect("it ends").code(), rest)
    });
    let (heard, code, rest) = ended.await.expect("it ends");
    assert_eq!((heard, code), (true, Some(130)), "{rest:#?}");
    assert!(rest.iter().any(|line| line.starts_with("rec   out.wav: ")), "{rest:#?}");
    assert!(!samples(&folder.path().join("out.wav")).is_empty());
}

#[test]
fn bad_files_are_refused_before_anybody_is_called() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    // Nobody listens there: whoever asked would be told so, with another exit code.
    let target = |name: &str, more: &str| {
        let text = "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://127.0.0.1:1/t\"\n\
                    [destinations.call]\nuri = \"configured\"\n";
        fs::write(at(name), format!("{text}{more}")).expect("a file");
    };
    target("silent.toml", "");
    target("open.toml", "record = true\n");
    let whole = wav::emit(RATE_HZ, &[1, 2, 3, 4]).expect("a file");
    let mut stereo = whole.clone();
    stereo[22] = 2;
    let mut huge = whole.clone();
    huge[40..44].copy_from_slice(&[0xff; 4]);
    let long = wav::emit(RATE_HZ, &vec![0; 601 * 8000]).expect("a file");
    for (name, bytes) in [
        ("whole.wav", &whole[..]),
        ("cut.wav", &whole[..50]),
        ("huge.wav", &huge),
        ("empty.wav", &wav::emit(RATE_HZ, &[]).expect("a file")),
        ("stereo.wav", &stereo),
        ("long.wav", &long),
        ("notes.txt", b"not to be lost"),
    ] {
        fs::write(at(name), bytes).expect("a file");
    }
    for (target, args, code, why) in [
        ("open.toml", &["--play", "none.wav"][..], 2, "--play none.wav: No such file"),
        ("open.toml", &["--play", "."], 2, "is no ordinary file"),
        ("open.toml", &["--play", "notes.txt"], 2, "wav header is not valid"),
        ("open.toml", &["--play", "cut.wav"], 2, "wav data chunk says 8 bytes, there are 6"),
        ("open.toml", &["--play", "huge.wav"], 2, "wav data chunk says 4294967295 bytes, there are 8"),
        ("open.toml", &["--play", "empty.wav"], 2, "wav data chunk holds no samples"),
        ("open.toml", &["--play", "stereo.wav"], 2, "sox in.wav -r 8000 -c 1"),
        ("open.toml", &["--play", "long.wav"], 2, "longer than 600 s"),
        ("open.toml", &["--play", "whole.wav", "--record", "./whole.wav"], 2, "--play has that path"),
        ("open.toml", &["--record", "no/such/folder.wav"], 6, "cannot write in no/such"),
        ("open.toml", &["--record", "."], 6, "names no file"),
        ("open.toml", &["--record", "/dev/null"], 6, "only an ordinary file is replaced"),
        ("open.toml", &["--record", "notes.txt"], 6, "is no WAV file"),
        ("silent.toml", &["--record", "out.wav"], 5, "[destinations.call]\nuri = \"configured\"\nrecord = true"),
        ("open.toml", &["--uri", "sip:b@c.test", "--record", "out.wav"], 5, "uri = \"sip:b@c.test\"\nrecord = true"),
        // All is well with these, and nobody is there.
        ("open.toml", &["--play", "whole.wav", "--record", "out.wav"], 3, "Connection refused"),
    ] {
        let ended = call(folder.path(), target, args).output().expect("it runs");
        let said = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(why), "{args:?}: {said}");
    }
    assert!(!at("out.wav").exists());
    assert_eq!(fs::read(at("notes.txt")).expect("still there"), b"not to be lost");
}
