"""What a visitor's client does, in Python's own library alone: for proofs that do not use ringfence.

A proof is a few lines that say `answer(defect_is_there)`. usage: FOLDER and ADDRESS in the environment.
"""

import base64
import hashlib
import json
import os
import re
import secrets
import socket
import ssl
import struct
import sys
import urllib.request
from pathlib import Path

FOLDER, ADDRESS = Path(os.environ["FOLDER"]), os.environ["ADDRESS"]
ORIGIN = f"https://{ADDRESS}:8443"
REALM = "sip.bed.test"
TRUST = ssl.create_default_context(cafile=str(FOLDER / "tls/ca.pem"))
TRUST.check_hostname = False
# Seconds for any answer: a busy machine is slow, and no proof waits for silence.
WAIT_S = 20


def answer(there):
    """Ends a proof: 0 the defect is there, 10 it is not. Whatever goes wrong before ends in 1: cannot tell."""
    sys.exit(0 if there else 10)


def configuration():
    """What the page fetches: SIP and TURN pair."""
    path = (FOLDER / "first-path").read_text()
    url = f"https://{ADDRESS}:8444/{path}"
    with urllib.request.urlopen(url, timeout=WAIT_S, context=TRUST) as reply:
        return json.load(reply)


def sip_pair():
    sip = configuration()["endpointSettings"]["sipConnectivityInfo"]
    return sip["username"], sip["password"]


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Line:
    """A WebSocket that carries SIP (RFC 7118)."""

    def __init__(self, origin=ORIGIN, port=8445, tls=True):
        self.call_id, self.cseq, self.tag = secrets.token_hex(8), 0, secrets.token_hex(4)
        self.challenge = None
        self.socket = socket.create_connection((ADDRESS, port), WAIT_S)
        if tls:
            self.socket = TRUST.wrap_socket(self.socket, server_hostname=ADDRESS)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = ["GET / HTTP/1.1", f"Host: {ADDRESS}:{port}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: sip"]
        lines += [f"Origin: {origin}"] if origin else []
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.read()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.upgrade = int(head.split()[1])

    def read(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the server closed the connection")
        self.buffer += data

    def send(self, text):
        data, mask = text.encode(), secrets.token_bytes(4)
        length = struct.pack("!BH", 0x80 | 126, len(data))
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        self.socket.sendall(b"\x81" + length + mask + masked)

    def receive(self):
        """The next text frame."""
        while True:
            while len(self.buffer) < 4:
                self.read()
            opcode, length, start = self.buffer[0] & 15, self.buffer[1] & 127, 2
            if length == 126:
                length, start = struct.unpack("!H", self.buffer[2:4])[0], 4
            while len(self.buffer) < start + length:
                self.read()
            data, self.buffer = self.buffer[start : start + length], self.buffer[start + length :]
            if opcode in (1, 2):
                return data.decode(errors="replace")

    def ask(self, method, uri, user, headers=(), body="", domain=REALM):
        """One request; its final status and the text of the answer."""
        self.cseq += 1
        own = f"<sip:{user}@{domain}>"
        to = own if method == "REGISTER" else f"<{uri}>"
        lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/WSS x.invalid;branch=z9hG4bK{secrets.token_hex(6)}"]
        lines += ["Max-Forwards: 70", f"From: {own};tag={self.tag}", f"To: {to}", f"Call-ID: {self.call_id}"]
        lines += [f"CSeq: {self.cseq} {method}", f"Contact: <sip:{secrets.token_hex(4)}@x.invalid;transport=ws>"]
        lines += list(headers) + (["Content-Type: application/sdp"] if body else [])
        self.send("\r\n".join(lines + [f"Content-Length: {len(body)}", "", body]))
        while True:
            text = self.receive()
            status = int(text.split()[1])
            if status >= 200:
                found = re.search(r"(?im)^(?:WWW|Proxy)-Authenticate: (.*?)\r?$", text)
                self.challenge = found.group(1) if found else None
                return status, text

    def authorization(self, method, uri, username, password, count=1):
        """The answer to the last challenge (RFC 7616, SHA-256)."""
        value = lambda name: (re.search(rf'{name}="?([^",]*)', self.challenge) or [None, ""])[1]
        realm, nonce, cnonce, nc = value("realm"), value("nonce"), secrets.token_hex(8), f"{count:08x}"
        ha1, ha2 = sha256(f"{username}:{realm}:{password}"), sha256(f"{method}:{uri}")
        with_qop = "qop=" in self.challenge
        middle = f"{nonce}:{nc}:{cnonce}:auth" if with_qop else nonce
        text = f'Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="{uri}", algorithm=SHA-256, '
        text += f'response="{sha256(f"{ha1}:{middle}:{ha2}")}"'
        name = "Authorization" if "REGISTER" == method else "Proxy-Authorization"
        return f"{name}: {text}" + (f', qop=auth, nc={nc}, cnonce="{cnonce}"' if with_qop else "")

    def register(self, user, pair, headers=()):
        """REGISTER, and again with the answer to the challenge; the final status and the header that answered."""
        uri = f"sip:{REALM}"
        status, _ = self.ask("REGISTER", uri, user, headers)
        if status != 401:
            return status, None
        login = self.authorization("REGISTER", uri, *pair)
        return self.ask("REGISTER", uri, user, [*headers, login])[0], login

    def invite(self, user, pair=None, body="", application="a"):
        """INVITE, with a pair in answer to the challenge; acknowledged and ended if it is answered."""
        uri = f"sip:app-{application}@{REALM}"
        status, text = self.ask("INVITE", uri, user, body=body)
        if status in (401, 407):
            self.acknowledge(uri, user, text)
            if pair is None:
                return status, text
            status, text = self.ask("INVITE", uri, user, [self.authorization("INVITE", uri, *pair)], body)
        self.acknowledge(uri, user, text)
        return status, text

    def acknowledge(self, uri, user, text):
        header = lambda name: re.search(rf"(?im)^{name}: (.*?)\r?$", text).group(1)
        routes = [f"Route: {route}" for route in re.findall(r"(?im)^Record-Route: (.*?)\r?$", text)[::-1]]
        lines = [f"ACK {uri} SIP/2.0", f"Via: {header('Via')}", "Max-Forwards: 70", f"From: {header('From')}"]
        lines += [f"To: {header('To')}", f"Call-ID: {self.call_id}", f"CSeq: {self.cseq} ACK", *routes]
        self.send("\r\n".join([*lines, "Content-Length: 0", "", ""]))
        self.to, self.routes = header("To"), routes

    def bye(self, uri, user):
        """Ends the call that stands."""
        self.cseq += 1
        lines = [f"BYE {uri} SIP/2.0", f"Via: SIP/2.0/WSS x.invalid;branch=z9hG4bK{secrets.token_hex(6)}"]
        lines += ["Max-Forwards: 70", f"From: <sip:{user}@{REALM}>;tag={self.tag}", f"To: {self.to}"]
        lines += [f"Call-ID: {self.call_id}", f"CSeq: {self.cseq} BYE", *self.routes, "Content-Length: 0", "", ""]
        self.send("\r\n".join(lines))
        return int(self.receive().split()[1])


def offer(profile="UDP/TLS/RTP/SAVPF", lines=()):
    """An offer of audio. Nothing listens behind it: what the answer says is all that a proof reads."""
    fingerprint = ":".join(f"{byte:02X}" for byte in secrets.token_bytes(32))
    sdp = ["v=0", f"o=- 1 1 IN IP4 {ADDRESS}", "s=-", f"c=IN IP4 {ADDRESS}", "t=0 0", f"m=audio 9 {profile} 0"]
    sdp += ["a=rtpmap:0 PCMU/8000", "a=rtcp-mux", "a=sendrecv", *lines]
    if "TLS" in profile:
        sdp += [f"a=fingerprint:sha-256 {fingerprint}", "a=setup:actpass"]
    sdp += [f"a=ice-ufrag:{secrets.token_hex(4)}", f"a=ice-pwd:{secrets.token_hex(12)}"]
    return "\r\n".join(sdp) + "\r\n"
