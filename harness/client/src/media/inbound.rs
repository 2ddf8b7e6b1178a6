//! What comes in: datagrams of servers and of the target, and what the parts make of them.

use std::time::Instant;

use ringfence_wire::demux::{self, Kind as Protocol};
use ringfence_wire::rtcp::Packet as RtcpPacket;
use ringfence_wire::{rtcp as rtcp_wire, rtp};

use super::audio::{Marker, Sent};
use super::dtls::{self, Dtls};
use super::gather;
use super::ice::{self, Kind, Path};
use super::io::Event;
use super::machine::{CLIENT_HELLO_WAIT, MediaMachine};
use super::plain::{is_plain_rtcp, is_plain_rtp};
use super::plan::{AudioBefore, CandidatePolicy};
use super::rtcp;
use super::seen::Counters;
use super::srtp::Opened;

/// Longer datagrams are counted and dropped: no stack sends them on a media port.
const MAX_DATAGRAM_BYTES: usize = 8192;
/// DTLS datagrams that are kept until ICE has connected: two flights with every certificate in fragments.
const MAX_EARLY_DTLS: usize = 32;
/// RTP and RTCP packets that are kept until there are keys: four seconds of audio.
const MAX_EARLY_MEDIA: usize = 256;

impl MediaMachine {
    pub(super) fn datagram(&mut self, now: Instant, path: Path, bytes: &[u8]) {
        if self.strangers.takes(now, path, bytes) || self.is_strangers(path, bytes) {
            return;
        }
        if self.gather.is_server(path) {
            let told = self.gather.input(now, path, bytes);
            return self.gathered(now, told);
        }
        self.targets_datagram(now, path, bytes);
    }

    /// What servers told: candidates, and what peers sent to relayed addresses.
    pub(super) fn gathered(&mut self, now: Instant, told: Vec<gather::Told>) {
        for told in told {
            match told {
                gather::Told::Reflexive(address, base) => self.ice.add_local(Kind::ServerReflexive, address, base),
                gather::Told::Relayed(address, base, transport) => {
                    self.ice.add_local(Kind::Relayed(transport), address, base);
                }
                gather::Told::Data(path, bytes) => self.targets_datagram(now, path, &bytes),
                gather::Told::Refused(why) => {
                    if self.plan.candidates == CandidatePolicy::Relay {
                        self.relay_refusal = Some(why);
                    }
                }
                gather::Told::Lost(relayed, why) => {
                    if self.ice.path().is_some_and(|path| path.local == relayed) {
                        self.fail("turn", &why);
                    }
                }
            }
        }
    }

    fn targets_datagram(&mut self, now: Instant, path: Path, bytes: &[u8]) {
        self.counters.datagrams += 1;
        if bytes.len() > MAX_DATAGRAM_BYTES {
            return;
        }
        self.note_unchecked(demux::classify(bytes));
        match demux::classify(bytes) {
            // A check from outside the scope would make us answer and check in return.
            Protocol::Stun if !(self.allow)(path.remote) => self.counters.out_of_scope += 1,
            Protocol::Stun if self.takes_check(now, bytes) => {}
            Protocol::Stun => self.ice.input(now, path, bytes),
            Protocol::Dtls => self.dtls_input(now, bytes),
            Protocol::Rtp => {
                self.counters.media.received += 1;
                self.media(now, bytes);
            }
            Protocol::Rtcp => {
                self.counters.rtcp.received += 1;
                self.media(now, bytes);
            }
            Protocol::Zrtp | Protocol::TurnChannel | Protocol::Unknown => {}
        }
    }

    pub(super) fn ice_told(&mut self, now: Instant, told: ice::Told) {
        match told {
            ice::Told::Connected if self.connected => self.rekey_connected(now), // a better pair: the next packet takes it
            ice::Told::Connected => {
                self.connected = true;
                self.tell(Event::IceConnected);
                self.begin_in_clear(now);
                if !self.goes_ahead(AudioBefore::Dtls, std::iter::empty()) {
                    self.begin_dtls(now);
                }
            }
            ice::Told::Failed if self.connected => {
                self.fail("ice", "the target's consent expired, or no pair answered after a restart");
            }
            ice::Told::Failed => self.fail("ice", "no candidate pair answered"),
        }
    }

    /// The handshake, once there is a way for it.
    pub(super) fn begin_dtls(&mut self, now: Instant) {
        if self.strangers_go_ahead(now) {
            return;
        }
        if let Some(dtls) = &mut self.dtls {
            self.hello_until = (!dtls.is_client()).then(|| now + CLIENT_HELLO_WAIT);
            if let Err(error) = dtls.start(now) {
                self.fail("dtls", &error.to_string());
            }
        }
        for datagram in std::mem::take(&mut self.early_dtls) {
            self.dtls_input(now, &datagram);
        }
    }

    fn dtls_input(&mut self, now: Instant, bytes: &[u8]) {
        if self.plan.hellos {
            return self.answer_to_hello(now, bytes);
        }
        if self.takes_dtls(now, bytes) {
            return;
        }
        let may_answer = self.connected && !self.audio_is_ahead() && !self.strangers.are_ahead();
        match self.dtls.as_mut().filter(|_| may_answer) {
            Some(dtls) => {
                let told = dtls.input(now, bytes);
                self.dtls_told(now, told);
            }
            None if self.early_dtls.len() < MAX_EARLY_DTLS => self.early_dtls.push_back(bytes.to_vec()),
            None => {}
        }
    }

    pub(super) fn dtls_told(&mut self, now: Instant, told: Vec<dtls::Told>) {
        let client = self.dtls.as_ref().is_some_and(Dtls::is_client);
        for told in told {
            match told {
                dtls::Told::Completed(keys) => {
                    self.tell(Event::DtlsCompleted);
                    let keyed = keys.map(|(profile, material)| self.srtp.key_by_dtls(profile, material, client));
                    match keyed {
                        None => self.fail("srtp", "DTLS agreed on no SRTP profile"),
                        Some(Err(error)) => self.fail("srtp", &error.to_string()),
                        Some(Ok(())) => self.next_report = Some(now + rtcp::FIRST),
                    }
                    for packet in std::mem::take(&mut self.early_media) {
                        self.media(now, &packet);
                    }
                }
                dtls::Told::Alert(name) => {
                    self.rekey_alert(&name);
                    self.tell(Event::PeerAlert(name));
                }
                // The old association may end while a new one takes its place.
                dtls::Told::Closed if self.is_rekeying() => {}
                dtls::Told::Closed => self.tell(Event::RemoteClosed),
                dtls::Told::Failed(why) => self.fail("dtls", &why),
            }
        }
    }

    /// Opens a packet, or keeps it until there are keys.
    fn media(&mut self, now: Instant, bytes: &[u8]) {
        let keys_may_come = self.dtls.as_ref().is_some_and(|dtls| !dtls.completed()) || self.answer.is_none();
        if keys_may_come && !self.srtp.is_keyed() {
            if let Some((marker, Sent::Early)) = self.marker_in(bytes) {
                self.early_echo(marker);
            }
            if self.early_media.len() < MAX_EARLY_MEDIA {
                self.early_media.push_back(bytes.to_vec());
            }
            return;
        }
        let is_rtcp = demux::classify(bytes) == Protocol::Rtcp;
        let opened = if is_rtcp { self.srtp.open_rtcp(bytes) } else { self.srtp.open_rtp(bytes) };
        match opened {
            Opened::Authentic(packet) if is_rtcp => self.authentic_rtcp(now, &packet),
            Opened::Authentic(packet) => {
                self.indices.remember(bytes);
                self.authentic_rtp(now, &packet);
            }
            Opened::Replayed if is_rtcp => {}
            Opened::Replayed => {
                if self.indices.repeats(bytes) && self.srtp.is_genuine_repeat(bytes) {
                    self.counters.media.index_reuse += 1;
                }
                self.repeated(bytes);
            }
            Opened::Refused => match self.opens_under_old_keys(bytes, is_rtcp) {
                Opened::Authentic(packet) if !is_rtcp => self.authentic_under_old_keys(&packet),
                Opened::Authentic(_) | Opened::Replayed => {}
                Opened::Refused => self.refused(bytes, is_rtcp),
            },
        }
    }

    fn authentic_rtp(&mut self, now: Instant, packet: &[u8]) {
        self.counters.media.authenticated += 1;
        if let Some(attack) = &mut self.attack {
            attack.on_own_path();
        }
        if self.counters.media.authenticated == 1 {
            self.tell(Event::MediaAuthenticated);
        }
        let Ok((header, payload)) = rtp::Header::parse(packet) else { return };
        self.counters.source(header.ssrc);
        let clock_hz = self.codec().map_or(8000, |(codec, _)| codec.clock_hz());
        self.reception.received(now, &header, clock_hz);
        if let Some(recording) = &self.plan.record {
            recording.take(now, packet);
        }
        let found = self.markers.find(payload);
        self.rekey_heard(
            now,
            found.and_then(|(_, sent)| if let Sent::Good(number) = sent { Some(number) } else { None }),
        );
        match found {
            Some((marker, Sent::Good(number))) => {
                self.counters.media.echoed += 1;
                if self.counters.media.echoed == 1 {
                    self.tell(Event::Echoed);
                }
                let again = self.history.came_back(number);
                match &mut self.attack {
                    Some(attack) if again => attack.attack_echo(marker),
                    Some(attack) => attack.good_echo(number),
                    None => {}
                }
            }
            Some((marker, Sent::Attack)) => {
                if let Some(attack) = &mut self.attack {
                    attack.attack_echo(marker);
                }
            }
            Some((marker, Sent::Early)) => self.early_echo(marker),
            Some((_, Sent::OldKeys)) => self.old_keys_echo(),
            None => {}
        }
    }

    fn authentic_rtcp(&mut self, now: Instant, packet: &[u8]) {
        self.counters.rtcp.authenticated += 1;
        let Ok(packets) = rtcp_wire::parse(packet) else { return };
        for packet in packets {
            let reports = match packet {
                RtcpPacket::SenderReport { ssrc, ntp, reports, .. } => {
                    self.reception.sender_report(now, ssrc, ntp);
                    reports
                }
                RtcpPacket::ReceiverReport { reports, .. } => reports,
                _ => continue,
            };
            self.rekey_reported(&reports);
            self.reported(now, &reports);
        }
    }

    /// A packet that no key opens: unprotected, or not ours to read.
    fn refused(&mut self, bytes: &[u8], is_rtcp: bool) {
        let mut counters = std::mem::take(&mut self.counters);
        self.judge_plain(bytes, &mut counters);
        self.counters = counters;
        if is_rtcp {
            return;
        }
        match (self.marker_in(bytes), &mut self.attack) {
            (Some((marker, Sent::Attack)), Some(attack)) => attack.attack_echo(marker),
            (Some((marker, Sent::Early)), _) => self.early_echo(marker),
            (Some((_, Sent::OldKeys)), _) => self.old_keys_echo(),
            _ => {}
        }
    }

    /// The marker of ours that an unprotected packet brings back.
    pub(super) fn marker_in(&self, packet: &[u8]) -> Option<(Marker, Sent)> {
        rtp::Header::parse(packet).ok().and_then(|(_, payload)| self.markers.find(payload))
    }

    /// Counts a packet that no key opened as plain, if it is.
    pub(super) fn judge_plain(&self, bytes: &[u8], counters: &mut Counters) {
        if demux::classify(bytes) == Protocol::Rtcp {
            counters.rtcp.plain_received += i64::from(is_plain_rtcp(bytes));
            return;
        }
        let Ok((header, payload)) = rtp::Header::parse(bytes) else { return };
        let tag = self.srtp.profile().map(|profile| profile.tag_len());
        let has_marker = self.markers.find(payload).is_some();
        // A call that never could have keys has nothing but plain packets of the negotiated type.
        let no_keys = self.answer.is_some() && self.dtls.is_none() && !self.srtp.is_keyed();
        let negotiated = self.codec().is_some_and(|(_, number)| number == header.payload_type);
        if has_marker || is_plain_rtp(bytes, tag, self.codec()) || (no_keys && negotiated) {
            counters.media.plain_received += 1;
            counters.source(header.ssrc);
        }
    }

    fn codec(&self) -> Option<(super::plan::Codec, u8)> {
        self.answer.as_ref().and_then(|answer| answer.codec)
    }
}
