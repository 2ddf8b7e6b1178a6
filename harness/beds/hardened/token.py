"""The token service: a visitor's page gets a configuration with credentials for one call (Cognigy's legacy shape).

Credentials are made, not stored. A user name holds the second at which it ends; the password is
base64(HMAC-SHA1(secret, user name)). Kamailio (auth_ephemeral) and coturn (use-auth-secret) know the same secret and
compute the same. usage: token.py FOLDER ADDRESS INSIDE
"""

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER, ADDRESS, INSIDE = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
ORIGIN = f"https://{ADDRESS}:8443"
REALM = "sip.bed.test"
# What target.toml promises, as credential_life_s.
SIP_LIFE_S = 30
TURN_LIFE_S = 600


def read(name):
    return (FOLDER / name).read_text().strip()


# The path is what admits a visitor, and says which application its pair may call; Kamailio looks at the letter.
ENDPOINTS = {"/" + read("first-path"): "a", "/" + read("second-path"): "b"}
SIP_SECRET, TURN_SECRET = read("sip-secret").encode(), read("turn-secret").encode()


def pair(secret, life_s, name):
    """User name and password that end together."""
    username = f"{int(time.time()) + life_s}:{name}"
    password = base64.b64encode(hmac.new(secret, username.encode(), hashlib.sha1).digest()).decode()
    return username, password


def configuration(application):
    sip_user, sip_password = pair(SIP_SECRET, SIP_LIFE_S, application + "-" + secrets.token_hex(8))
    turn_user, turn_password = pair(TURN_SECRET, TURN_LIFE_S, secrets.token_hex(8))
    turn = [f"turn:{ADDRESS}:3478?transport=udp", f"turn:{ADDRESS}:3478?transport=tcp", f"turns:{ADDRESS}:5349?transport=tcp"]
    return {
        "organisationId": "bed",
        "projectId": "bed-" + application,
        "endpointSettings": {
            "endpointName": "Bed",
            "endpointId": "endpoint-" + application,
            "sipConnectivityInfo": {
                "applicationSid": application,
                "username": sip_user,
                "password": sip_password,
                "realm": REALM,
                "wsUri": f"wss://{ADDRESS}:8445",
            },
            "webrtcWidgetConfig": {"active": True},
        },
        "iceServers": [{"urls": turn, "username": turn_user, "credential": turn_password}],
    }


class Visitor(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self):
        application = ENDPOINTS.get(self.path)
        if application is None:
            return self.reply(404, {"error": "Not Found"})
        self.reply(200, configuration(application))

    def do_OPTIONS(self):
        """A preflight; whether its origin may ask, `reply` says."""
        if self.path in ENDPOINTS:
            self.reply(204, None, {"Access-Control-Allow-Methods": "GET", "Access-Control-Allow-Headers": "content-type"})
        else:
            self.reply(404, {"error": "Not Found"})

    def reply(self, status, document, headers=None):
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if self.headers.get("Origin") == ORIGIN:
            self.send_header("Access-Control-Allow-Origin", ORIGIN)
        self.send_header("Vary", "Origin")
        self.send_header("Cache-Control", "no-store")
        if document is not None:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        # The path is a secret, and stays out of the log.
        print(f"{self.command} {status}", flush=True)


ThreadingHTTPServer((INSIDE, 8080), Visitor).serve_forever()
