# the token service lets every website read its answer, and says so with credentials
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="cors/any-origin"
# An origin that resembles the trusted one is one of the any.
ALSO="cors/not-quite-trusted=fail"

change() {
    edit token.py 's/if self.headers.get\("Origin"\) == ORIGIN:/if self.headers.get("Origin"):/' \
        's/self.send_header\("Access-Control-Allow-Origin", ORIGIN\)/self.send_header("Access-Control-Allow-Origin", self.headers["Origin"])\n            self.send_header("Access-Control-Allow-Credentials", "true")/' 
}

proof() {
    says 'ccess-[Cc]ontrol-[Aa]llow-[Oo]rigin: https://evil.test' web -D - -o /dev/null -H 'Origin: https://evil.test' "$(configuration)"
}
