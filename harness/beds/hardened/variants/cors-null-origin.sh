# the token service trusts the origin null, which any sandboxed frame has
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="cors/not-quite-trusted"

change() {
    edit token.py 's/if self.headers.get\("Origin"\) == ORIGIN:/if self.headers.get("Origin") in (ORIGIN, "null"):/' \
        's/"Access-Control-Allow-Origin", ORIGIN\)/"Access-Control-Allow-Origin", self.headers["Origin"])/' 
}

proof() {
    says 'ccess-[Cc]ontrol-[Aa]llow-[Oo]rigin: null' web -D - -o /dev/null -H 'Origin: null' "$(configuration)"
}
