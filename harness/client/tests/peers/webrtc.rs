//! The async `webrtc` as the callee.

use std::sync::Arc;

use async_trait::async_trait;
use ringfence_client::media::{Codec, SrtpProfile};
use rtc::peer_connection::transport::RTCDtlsRole;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use tokio::sync::{Notify, oneshot};
use webrtc::media_stream::MediaStreamTrack;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
    RTCPeerConnectionState, RTCSessionDescription, Registry, SettingEngineBuilder, register_default_interceptors,
};

use super::call::Peer;
use super::cases;

/// Of what it sends.
const SSRC: u32 = 0x0eca_11ed;

#[tokio::test]
async fn each_role_is_played() {
    cases::each_role(answer, "server").await;
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
    cases::a_wrong_fingerprint(answer, false, Some("bad_certificate")).await;
}

#[tokio::test]
async fn it_is_refused_with_a_certificate_that_was_not_announced() {
    cases::a_stranger(answer).await;
}

/// What the connection tells, and the track that goes back.
struct Handler {
    track: Arc<TrackLocalStaticRTP>,
    gathered: Notify,
    over: Notify,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.notify_one();
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        use RTCPeerConnectionState::{Closed, Disconnected, Failed};
        if matches!(state, Closed | Disconnected | Failed) {
            self.over.notify_one();
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let back = self.track.clone();
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(mut packet) = event {
                    packet.header.ssrc = SSRC;
                    let _ = back.write_rtp(packet).await; // refused once the connection is closed
                }
            }
        });
    }
}

async fn answer(offer: String) -> Peer {
    let codec = codec(&offer);
    let mut media = MediaEngine::default();
    media.register_codec(codec.clone(), RtpCodecKind::Audio).expect("a codec");
    let interceptors = register_default_interceptors(Registry::new(), &mut media).expect("interceptors");
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(SSRC), ..Default::default() },
        codec: codec.rtp_codec,
        ..Default::default()
    };
    let (stream, name, label) = ("stream".into(), "audio".into(), "echo".into());
    let track = MediaStreamTrack::new(stream, name, label, RtpCodecKind::Audio, vec![coding]);
    let handler = Arc::new(Handler {
        track: Arc::new(TrackLocalStaticRTP::new(track)),
        gathered: Notify::new(),
        over: Notify::new(),
    });
    // It answers `active` to anything, `active` included, unless it is told better. RFC 8842, section 5.3 leaves no choice.
    let role = if offer.contains("a=setup:active") { RTCDtlsRole::Server } else { RTCDtlsRole::Client };
    let connection = PeerConnectionBuilder::new()
        .with_setting_engine(SettingEngineBuilder::new().with_answering_dtls_role(role).build())
        .with_media_engine(media)
        .with_interceptor_registry(interceptors)
        .with_handler(handler.clone())
        .with_udp_addrs(vec!["127.0.0.1:0"])
        .build()
        .await
        .expect("a loopback socket");
    connection.add_track(handler.track.clone()).await.expect("a track");
    let offer = RTCSessionDescription::offer(offer).expect("webrtc reads our offer");
    connection.set_remote_description(offer).await.expect("webrtc accepts our offer");
    let answer = connection.create_answer(None).await.expect("an answer");
    connection.set_local_description(answer).await.expect("its own answer");
    handler.gathered.notified().await;
    let sdp = connection.local_description().await.expect("an answer").sdp;
    let (hang_up, hung_up) = oneshot::channel();
    let over = tokio::spawn(async move {
        tokio::select! {
            _ = hung_up => {}
            () = handler.over.notified() => {}
        }
        connection.close().await.expect("webrtc closes");
    });
    Peer { sdp, hang_up, over }
}

/// The first codec of the offer: our audio is of that one, and so is the echo.
fn codec(offer: &str) -> RTCRtpCodecParameters {
    let formats = offer.lines().find_map(|line| line.strip_prefix("m=audio "));
    let first = formats.and_then(|line| line.split(' ').nth(2)).expect("an audio section with a format");
    let (name, clock_rate, channels, payload_type) = match first {
        "111" => ("audio/opus", 48_000, 2, 111),
        "0" => ("audio/PCMU", 8_000, 0, 0),
        "8" => ("audio/PCMA", 8_000, 0, 8),
        other => panic!("{other}"),
    };
    let rtp_codec = RTCRtpCodec { mime_type: name.into(), clock_rate, channels, ..Default::default() };
    RTCRtpCodecParameters { rtp_codec, payload_type }
}
