# coturn relays to the machine that it runs on
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="turn/relays-to-special-addresses"

change() {
    edit turnserver.conf 's/^allowed-peer-ip=.*/&\nallowed-peer-ip=127.0.0.0-127.0.0.255/' 
}

proof() {
    relays_to 127.0.0.1
}
