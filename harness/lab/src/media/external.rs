//! A callee of somebody else's making: one process per call takes the offer and gives the answer.
//!
//! # The protocol
//! The command is started once per call, by `sh -c "exec COMMAND"`. On its standard input comes the SDP offer, line by line,
//! and then a line that holds one dot; on its standard output it writes the SDP answer in the same way. Lines end with LF,
//! with or without CR before it. A dot at once, without an answer, refuses the offer. What it writes after that is
//! dropped; its standard error is the lab's own. Its input stays open for as long as the call runs: when it closes, the
//! call is over, and the process has a second before it is killed. A process that ends by itself hangs up. What it started
//! ends with it, by whichever way: it leads a process group of its own.
//!
//! | the program | the call |
//! |---|---|
//! | answers | 200 |
//! | writes only the dot | 488 |
//! | cannot be started, ends, writes too much or takes too long | 500 |
//!
//! The program sends and receives the media itself, on sockets of its own, and should echo what it hears.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Take};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::offer::Refusal;
use super::{Ended, MediaCall};

/// How long a program may take to answer. House: an interpreter has to start, certificates have to be made.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// Bytes of an answer. House: as much as fits a SIP message.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;
/// The line that ends an offer and an answer. A line of SDP has a `=` (RFC 8866, section 5).
const END: &str = ".";

/// A program that answers calls.
#[derive(Clone, Debug)]
pub struct Program {
    /// What the shell is to start.
    pub command: String,
}

impl Program {
    /// Starts the program and asks it for an answer.
    pub(super) async fn begin(&self, offer: &str) -> Result<(String, MediaCall), Refusal> {
        if offer.lines().any(|line| line == END) {
            return Err(Refusal { status: 400, reason: "the offer holds a line that is no sdp" });
        }
        let mut process = self.start().map_err(|_| own("the callee's program cannot be started"))?;
        let (Some(mut input), Some(output)) = (process.child.stdin.take(), process.child.stdout.take()) else {
            return Err(own("the callee's program has no input or output"));
        };
        let mut output = BufReader::new(output.take(MAX_ANSWER_BYTES));
        let asked = async {
            // One that refuses without looking at the offer closes its input: its answer says so.
            let _ = write_offer(&mut input, offer).await;
            read_answer(&mut output).await
        };
        let answer = timeout(ANSWER_LIMIT, asked).await;
        let answer = answer.map_err(|_| own("the callee's program gave no answer in time"))??;

        let mut output = output.into_inner().into_inner();
        let call = MediaCall::spawn(Default::default(), |stop| async move {
            tokio::select! {
                () = stop.notified() => {}
                () = ended(&mut process.child, &mut output) => return Ended::ProgramEnded,
            }
            drop(input);
            ended(&mut process.child, &mut output).await;
            Ended::Stopped
        });
        Ok((answer, call))
    }

    fn start(&self) -> std::io::Result<Process> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("exec {}", self.command)).stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Process { child, group })
    }
}

/// A running program. Whoever drops the call, or gives up waiting for its end, kills it with all that it started.
struct Process {
    child: Child,
    group: Option<Pid>,
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL); // fails where nobody is left
        }
    }
}

const fn own(reason: &'static str) -> Refusal {
    Refusal { status: 500, reason }
}

async fn write_offer(input: &mut ChildStdin, offer: &str) -> std::io::Result<()> {
    let end = if offer.ends_with('\n') { "" } else { "\r\n" };
    input.write_all(format!("{offer}{end}{END}\r\n").as_bytes()).await?;
    input.flush().await
}

async fn read_answer(output: &mut BufReader<Take<ChildStdout>>) -> Result<String, Refusal> {
    let mut answer = String::new();
    let mut line = String::new();
    loop {
        line.clear();
        let read = output.read_line(&mut line).await.map_err(|_| own("the callee's program wrote no text"))?;
        match line.trim_end_matches(['\r', '\n']) {
            END if answer.is_empty() => {
                return Err(Refusal { status: 488, reason: "the callee's program refuses the offer" });
            }
            END => return Ok(answer),
            _ if read == 0 => return Err(own("the callee's program ended its output before its answer")),
            text => answer.extend([text, "\r\n"]),
        }
    }
}

/// Drops what the program still writes, and waits for its end.
async fn ended(child: &mut Child, output: &mut ChildStdout) {
    let dropping = async {
        let _ = tokio::io::copy(output, &mut tokio::io::sink()).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = child.wait() => {}
        () = dropping => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Answered, Callee};

    const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";
    /// Far above what anything here takes.
    const LONG: Duration = Duration::from_secs(60);

    async fn answer(command: &str, offer: &str) -> Answered {
        Callee::Program(Program { command: command.to_owned() }).answer(offer).await
    }

    #[track_caller]
    fn accepted(answered: Answered) -> (String, MediaCall) {
        match answered {
            Answered::Accepted { sdp, call } => (sdp, call),
            Answered::Refused { status, reason } => panic!("{status} {reason}"),
        }
    }

    async fn refused(command: &str, offer: &str) -> u16 {
        match answer(command, offer).await {
            Answered::Refused { status, .. } => status,
            Answered::Accepted { sdp, .. } => panic!("{sdp}"),
        }
    }

    #[tokio::test]
    async fn the_program_sees_the_offer_and_its_answer_comes_back_with_crlf() {
        // Writes what it read back, with LF alone.
        let echo =
            r#"sh -c 'while read -r line; do line=${line%?}; echo "$line"; [ "$line" = . ] && break; done; cat'"#;
        for offer in [OFFER, OFFER.trim_end()] {
            let (sdp, mut call) = accepted(answer(echo, offer).await);
            assert_eq!(sdp, OFFER);
            call.stop();
            assert_eq!(timeout(LONG, call.ended()).await, Ok(Ended::Stopped));
        }
    }

    #[tokio::test]
    async fn its_input_stays_open_until_the_call_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("goodbye");
        let command = format!("sh -c 'echo v=0; echo .; cat >/dev/null; : >{}'", said.display());
        let (_, mut call) = accepted(answer(&command, OFFER).await);
        assert!(timeout(Duration::from_millis(200), call.ended()).await.is_err(), "it ended by itself");
        assert!(!said.exists());
        call.stop();
        assert_eq!(timeout(LONG, call.ended()).await, Ok(Ended::Stopped));
        assert!(said.exists(), "it was not left to say goodbye");
    }

    #[tokio::test]
    async fn a_program_that_ends_hangs_up_even_with_its_output_in_other_hands() {
        let (_, mut call) = accepted(answer("sh -c 'echo v=0; echo .; sleep 5 </dev/null & exit'", OFFER).await);
        assert_eq!(timeout(LONG, call.ended()).await, Ok(Ended::ProgramEnded));
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_kills_its_program_and_what_that_started() {
        let (sdp, call) =
            accepted(answer(r#"sh -c 'sleep 600 & echo "s=$$"; echo "i=$!"; echo .; wait'"#, OFFER).await);
        let ids: Vec<&str> = sdp.lines().filter_map(|line| line.get(2..)).collect();
        assert!(ids.len() == 2 && ids.iter().all(|id| lives(id)), "{sdp}");
        drop(call);
        let gone = async {
            while ids.iter().any(|id| lives(id)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(timeout(LONG, gone).await.is_ok(), "one of {ids:?} still runs");
    }

    /// Whether a process runs; one that nobody has buried yet does not.
    fn lives(id: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
    }

    #[tokio::test]
    async fn what_is_no_answer_refuses_the_call() {
        assert_eq!(refused("echo .", OFFER).await, 488);
        assert_eq!(refused("true", OFFER).await, 500);
        assert_eq!(refused("echo v=0", OFFER).await, 500, "ended before the dot");
        assert_eq!(refused("/nowhere/to/be/found 2>/dev/null", OFFER).await, 500);
        assert_eq!(refused("yes v=0", OFFER).await, 500, "without end");
        assert_eq!(refused(r"printf '\377\n.\n'", OFFER).await, 500, "no text");
        assert_eq!(refused("cat", "v=0\r\n.\r\n").await, 400, "an offer that would end early");
    }
}
