#!/usr/bin/env python3
"""Answers one call by Janus' EchoTest, for `ringfence lab --callee 'callee.py URL'`.

URL is where Janus serves its API. The SDP offer comes on standard input and the answer goes to standard output, each ended
by a line with one dot; a dot alone says that Janus refuses. When standard input closes, the call is over.
"""

import json
import os
import sys
import threading
import urllib.request

# Janus holds a request for news for 30 s, and says nothing new then.
LIMIT_S = 60
MAX_BYTES = 64 * 1024


class Refused(Exception):
    """Janus does not take the offer."""


class Call:
    """One session of Janus with one handle of the EchoTest plugin."""

    def __init__(self, url):
        self.url = url
        self.url = f"{url}/{self.ask(janus='create')['data']['id']}"
        attached = self.ask(janus="attach", plugin="janus.plugin.echotest")
        self.handle = attached["data"]["id"]

    def ask(self, to="", **request):
        """Posts a request; the answer."""
        body = json.dumps({"transaction": "callee", **request}).encode()
        return self.fetch(urllib.request.Request(f"{self.url}{to}", body))

    def news(self):
        """The next event, or a keep-alive. As long as somebody asks, the session lives."""
        return self.fetch(f"{self.url}?maxev=1")

    def fetch(self, request):
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
            message = json.loads(answer.read(MAX_BYTES))
        if message["janus"] == "error":
            raise Refused(message["error"]["reason"])
        return message

    def answer(self, offer):
        """The SDP answer to an offer."""
        jsep = {"type": "offer", "sdp": offer, "trickle": False}
        self.ask(f"/{self.handle}", janus="message", body={"audio": True, "video": False}, jsep=jsep)
        while (event := self.news())["janus"] != "event":
            pass
        if "jsep" not in event:
            raise Refused(event["plugindata"]["data"].get("error", "no answer in the event"))
        return event["jsep"]["sdp"]

    def until_janus_hangs_up(self):
        while self.news()["janus"] not in ("hangup", "detached", "timeout"):
            pass
        os._exit(0)


def read_offer():
    """The offer, without the line that ends it."""
    lines = []
    for line in sys.stdin:
        if line.rstrip("\r\n") == ".":
            return "".join(lines)
        lines.append(line)
    sys.exit("callee: the offer has no end")


def write_answer(text):
    sys.stdout.write("".join(f"{line}\n" for line in [*text.splitlines(), "."]))
    sys.stdout.flush()


def main():
    sys.stdin.reconfigure(newline="\n")
    offer = read_offer()
    try:
        call = Call(sys.argv[1])
        write_answer(call.answer(offer))
    except Refused as refused:
        print(f"callee: Janus refuses: {refused}", file=sys.stderr)
        write_answer("")
        return
    threading.Thread(target=call.until_janus_hangs_up, daemon=True).start()
    sys.stdin.read()
    call.ask(janus="destroy")


if __name__ == "__main__":
    main()
