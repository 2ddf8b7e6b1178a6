# Kamailio upgrades to WebSocket on a plain port too
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="transport/ws-cleartext"

change() {
    edit kamailio.cfg 's/^listen=tls:.*/&\nlisten=tcp:'"$ADDRESS"':5060/' 
}

proof() {
    # A port where nobody listens is the healthy answer.
    bound tcp "$ADDRESS" 5060 || return 10
    visitor <<'END'
answer(Line(port=5060, tls=False).upgrade == 101)
END
}
