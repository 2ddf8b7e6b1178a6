# the token service trusts the page's origin over plain HTTP as well
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="cors/not-quite-trusted"

change() {
    edit token.py 's/if self.headers.get\("Origin"\) == ORIGIN:/if self.headers.get("Origin") in (ORIGIN, ORIGIN.replace("https", "http")):/' \
        's/"Access-Control-Allow-Origin", ORIGIN\)/"Access-Control-Allow-Origin", self.headers["Origin"])/' 
}

proof() {
    says 'ccess-[Cc]ontrol-[Aa]llow-[Oo]rigin: http:' web -D - -o /dev/null -H "Origin: http://$ADDRESS:8443" "$(configuration)"
}
