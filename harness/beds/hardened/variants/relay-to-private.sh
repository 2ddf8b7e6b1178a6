# coturn relays into private networks
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="turn/relays-to-special-addresses"

change() {
    edit turnserver.conf 's/^allowed-peer-ip=.*/&\nallowed-peer-ip=10.0.0.0-10.255.255.255\nallowed-peer-ip=192.168.0.0-192.168.255.255/' 
}

proof() {
    relays_to 10.0.0.1
}
