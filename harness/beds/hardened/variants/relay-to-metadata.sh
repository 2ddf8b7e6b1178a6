# coturn relays to the address at which clouds keep their metadata
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="turn/relays-to-special-addresses"

change() {
    edit turnserver.conf 's/^allowed-peer-ip=.*/&\nallowed-peer-ip=169.254.169.254/' 
}

proof() {
    relays_to 169.254.169.254
}
