//! Sound files of `ringfence call`: what is played and what is recorded, all of it checked before anybody is called.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use ringfence_client::media::{Codec, MediaPlan, Playback, RATE_HZ, Recording};
use ringfence_model::Exit;
use ringfence_model::target::{Destination, Target};
use ringfence_wire::wav;
use tempfile::{Builder, NamedTempFile};

use crate::args::{CallArgs, MAX_CALL_S};
use crate::outputs;
use crate::problem::Problem;

/// Longest file that is played: all that a call may last at 16 bits, and 64 KiB of other chunks (house).
const MAX_FILE_BYTES: u64 = MAX_CALL_S as u64 * RATE_HZ as u64 * 2 + 64 * 1024;
/// Recorded beyond the longest call, since a far side's clock is not ours (house).
const SPARE_S: u32 = 10;

/// The sound of one call.
pub struct Sound {
    play: Option<(PathBuf, Playback)>,
    record: Option<(PathBuf, Recording)>,
}

impl Sound {
    /// Reads the file that is to be played, and sees whether that of the recording may and can be written.
    pub fn prepare(args: &CallArgs, target: &Target) -> Result<Self, Problem> {
        if let (Some(play), Some(record)) = (&args.play, &args.record)
            && outputs::place(play) == outputs::place(record)
        {
            return Err(Problem::usage(format!("--record {}: --play has that path", record.display())));
        }
        let play = args.play.as_deref().map(read).transpose()?;
        if let Some(path) = &args.record {
            allowed(target, args.uri.as_deref())?;
            drop(beside(path)?); // the folder takes files
        }
        let recording = || Recording::new(MAX_CALL_S + SPARE_S);
        Ok(Self { play: args.play.clone().zip(play), record: args.record.clone().map(|path| (path, recording())) })
    }

    /// Whether there is any.
    pub fn is_none(&self) -> bool {
        self.play.is_none() && self.record.is_none()
    }

    /// Makes a call carry it: by G.711 alone, whose samples can be written and read.
    pub fn put_into(&self, plan: &mut MediaPlan) {
        if self.is_none() {
            return;
        }
        let play = self.play.as_ref().map(|(_, play)| play.clone());
        let codecs = play.as_ref().map_or([Codec::Pcmu, Codec::Pcma], Playback::codecs);
        plan.codecs = codecs.into_iter().chain([Codec::TelephoneEvent]).collect();
        plan.play = play;
        plan.record = self.record.as_ref().map(|(_, recording)| recording.clone());
    }

    /// How long what is played is, in seconds.
    pub fn play_s(&self) -> Option<f64> {
        self.play.as_ref().map(|(_, play)| play.seconds())
    }

    /// Writes the recording, if there is something in it. Returns what was done, by name.
    pub fn finish(self) -> Result<Vec<(&'static str, String)>, Problem> {
        let mut done = Vec::new();
        if let Some((path, play)) = self.play {
            let sent_s = seconds(play.played().samples);
            let codec = play.played().codec.map_or("nothing was sent".into(), |codec| {
                let name = codec.rtpmap().split('/').next().unwrap_or_default();
                format!(
                    "{sent_s:.1} of {:.1} s sent as {name}, without markers: no echo was looked for",
                    play.seconds()
                )
            });
            done.push(("play", format!("{}: {codec}", path.display())));
        }
        if let Some((path, recording)) = self.record {
            let recorded = recording.recorded();
            let text = if recorded.samples == 0 {
                format!("no audio in G.711 came, {} is not written", path.display())
            } else {
                save(&path, &recording.samples())?;
                let (length_s, silence_s) = (seconds(recorded.samples), seconds(recorded.silence));
                format!(
                    "{}: {length_s:.1} s, of which {silence_s:.1} s silence in gaps; {} packets left out",
                    path.display(),
                    recorded.left_out
                )
            };
            done.push(("rec", text));
        }
        Ok(done)
    }
}

fn seconds(samples: usize) -> f64 {
    samples as f64 / f64::from(RATE_HZ)
}

fn read(path: &Path) -> Result<Playback, Problem> {
    let wrong = |why: &str| Problem::usage(format!("--play {}: {why}", path.display()));
    let kind = fs::metadata(path).map_err(|error| wrong(&error.to_string()))?;
    if !kind.is_file() {
        return Err(wrong("is no ordinary file")); // a pipe might never end
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| wrong(&error.to_string()))?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| wrong(&error.to_string()))?;
    let too_long = || wrong(&format!("longer than {MAX_CALL_S} s, which is as long as a call may be"));
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_long());
    }
    let playback = Playback::from_wav(&bytes).map_err(|error| {
        wrong(&format!("{error}\nto convert it, for example: sox in.wav -r 8000 -c 1 -b 16 -e signed-integer out.wav"))
    })?;
    if playback.seconds() > f64::from(MAX_CALL_S) { Err(too_long()) } else { Ok(playback) }
}

/// Whether the target file says that the far side's audio may be stored.
fn allowed(target: &Target, uri: Option<&str>) -> Result<(), Problem> {
    let all = &target.destinations;
    let (name, destination) = match uri {
        None => ("call", all.call.as_ref()),
        Some(uri) => {
            let named = [
                ("call", &all.call),
                ("recorded", &all.recorded),
                ("rotating", &all.rotating),
                ("callee", &all.callee),
                ("transfer", &all.transfer),
            ];
            let of = |destination: &&(_, &Option<Destination>)| destination.1.as_ref().is_some_and(|d| d.uri == uri);
            let found = named.iter().find(of);
            found.map_or(("call", None), |(name, destination)| (*name, destination.as_ref()))
        }
    };
    if destination.is_some_and(|destination| destination.record) {
        return Ok(());
    }
    let uri = destination.map_or(uri.unwrap_or("configured"), |destination| &destination.uri);
    Err(Problem {
        exit: Exit::Refused,
        message: format!(
            "--record: the target file does not allow to store what the far side says; if it may be, add:\n\n\
             [destinations.{name}]\nuri = {uri:?}\nrecord = true"
        ),
    })
}

/// A new file in the folder of `path`, which is to take its place.
fn beside(path: &Path) -> Result<NamedTempFile, Problem> {
    let wrong = |why: &str| Problem::output(format!("--record {}: {why}", path.display()));
    if path.file_name().is_none() {
        return Err(wrong("names no file"));
    }
    match fs::symlink_metadata(path) {
        Ok(kind) if !kind.is_file() => return Err(wrong("only an ordinary file is replaced")),
        Ok(_) if !is_wav(path).map_err(|error| wrong(&error.to_string()))? => {
            return Err(wrong("exists and is no WAV file, so it is not replaced"));
        }
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(wrong(&error.to_string())),
        _ => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = Builder::new().prefix(".ringfence-").suffix(".tmp").tempfile_in(folder);
    file.map_err(|error| wrong(&format!("cannot write in {}: {error}", folder.display())))
}

fn is_wav(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(12).read_to_end(&mut head)?;
    Ok(head.starts_with(b"RIFF") && head.ends_with(b"WAVE"))
}

/// Whole or not at all.
fn save(path: &Path, samples: &[i16]) -> Result<(), Problem> {
    let wrong = |why: String| Problem::output(format!("--record {}: {why}", path.display()));
    let bytes = wav::emit(RATE_HZ, samples).map_err(|error| wrong(error.to_string()))?;
    let mut file = beside(path)?;
    file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).map_err(|error| wrong(error.to_string()))?;
    file.persist(path).map_err(|error| wrong(error.to_string()))?;
    Ok(())
}
