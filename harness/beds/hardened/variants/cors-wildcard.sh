# the token service lets every website read its answer by a wildcard
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="cors/wildcard-on-secret"

change() {
    edit token.py 's/if self.headers.get\("Origin"\) == ORIGIN:/if True:/' 's/"Access-Control-Allow-Origin", ORIGIN\)/"Access-Control-Allow-Origin", "*")/' 
}

proof() {
    says 'ccess-[Cc]ontrol-[Aa]llow-[Oo]rigin: \*' web -D - -o /dev/null -H 'Origin: https://evil.test' "$(configuration)"
}
