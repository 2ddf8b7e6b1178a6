# Kamailio upgrades whatever Origin asks
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="cors/websocket-origin"

change() {
    edit kamailio.cfg '/hdr\(Origin\) != ORIGIN/d' 
}

proof() {
    visitor <<'END'
answer(Line(origin="https://evil.test").upgrade == 101)
END
}
