# the answer with the credentials may be kept by caches
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="credentials/answer-cacheable"

change() {
    edit token.py '/"Cache-Control", "no-store"/d' 
}

proof() {
    ! web -D - -o /dev/null "$(configuration)" | grep -qi '^cache-control:' || return 10
}
