//! str0m as the callee: sans-IO, so its socket and its clock are here.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_client::media::{Codec, SrtpProfile};
use str0m::change::SdpOffer;
use str0m::media::MediaData;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig};
use tokio::net::UdpSocket;
use tokio::sync::oneshot;

use super::call::Peer;
use super::{cases, str0m_crypto};

/// Between two reports; its default, several seconds, is long for a test.
const REPORTS: Duration = Duration::from_millis(500);

#[tokio::test]
async fn each_role_is_played() {
    cases::each_role(answer, "client").await;
}

#[tokio::test]
async fn each_profile_is_agreed_on() {
    use SrtpProfile::{AeadAes128Gcm, AeadAes256Gcm, AesCm128HmacSha1_80};
    cases::each_profile(answer, &[AeadAes128Gcm, AeadAes256Gcm, AesCm128HmacSha1_80]).await;
}

#[tokio::test]
async fn each_codec_is_echoed() {
    cases::each_codec(answer, &[Codec::Opus, Codec::Pcmu, Codec::Pcma]).await;
}

#[tokio::test]
async fn its_goodbye_is_heard() {
    cases::the_peer_hangs_up(answer).await;
}

#[tokio::test]
async fn it_refuses_a_certificate_that_was_not_announced() {
    cases::a_wrong_fingerprint(answer, false, None).await;
}

#[tokio::test]
async fn it_is_refused_with_a_certificate_that_was_not_announced() {
    cases::a_stranger(answer).await;
}

async fn answer(offer: String) -> Peer {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a loopback socket");
    let local = socket.local_addr().expect("a bound socket");
    let config = RtcConfig::new().set_crypto_provider(Arc::new(str0m_crypto::provider()));
    let config = config.set_dtls_cert(str0m_crypto::certificate()).set_rtcp_report_interval_audio(REPORTS);
    let config = config.clear_codecs().enable_opus(true, false).enable_pcmu(true, false).enable_pcma(true, false);
    let mut rtc = config.build(Instant::now());
    rtc.add_local_candidate(Candidate::host(local, "udp").expect("a host candidate")).expect("it is taken");
    let offer = SdpOffer::from_sdp_string(&offer).expect("str0m reads our offer");
    let sdp = rtc.sdp_api().accept_offer(offer).expect("str0m accepts our offer").to_sdp_string();
    let (hang_up, hung_up) = oneshot::channel();
    Peer { sdp, hang_up, over: tokio::spawn(run(rtc, socket, hung_up)) }
}

/// Runs until either side has hung up, or str0m gives up.
async fn run(mut rtc: Rtc, socket: UdpSocket, mut hung_up: oneshot::Receiver<()>) {
    let local = socket.local_addr().expect("a bound socket");
    let mut buffer = vec![0; 2048];
    let mut told = false;
    while rtc.is_alive() {
        let wake = match rtc.poll_output() {
            Ok(Output::Timeout(at)) => at,
            Ok(Output::Transmit(packet)) => {
                let _ = socket.send_to(&packet.contents, packet.destination).await;
                continue;
            }
            Ok(Output::Event(Event::MediaData(data))) => {
                echo(&mut rtc, &data);
                continue;
            }
            Ok(Output::Event(Event::Closed | Event::IceConnectionStateChange(IceConnectionState::Disconnected)))
            | Err(_) => return,
            Ok(Output::Event(_)) => continue,
        };
        let input = tokio::select! {
            _ = &mut hung_up, if !told => {
                told = true;
                rtc.close().expect("str0m closes");
                continue;
            }
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, source)) = received else { continue };
                let Ok(contents) = buffer[..length].try_into() else { continue };
                Input::Receive(Instant::now(), Receive { proto: Protocol::Udp, source, destination: local, contents })
            }
            () = tokio::time::sleep_until(wake.into()) => Input::Timeout(Instant::now()),
        };
        if rtc.handle_input(input).is_err() {
            return;
        }
    }
}

fn echo(rtc: &mut Rtc, data: &MediaData) {
    let Some(writer) = rtc.writer(data.mid) else { return };
    let Some(payload_type) = writer.match_params(data.params) else { return };
    writer.write(payload_type, data.network_time, data.time, data.data.clone()).expect("a negotiated codec");
}
