# the web server invites early data, which whoever records it can send again: a second pair is minted
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="transport/tls-weak-suites"

change() {
    edit nginx.conf 's/^( *)ssl_protocols .*/&\n\1ssl_early_data on;/' 's/^( *ssl_session_tickets) off/\1 on/'
}

proof() {
    says 'Max Early Data: [1-9]' handshake 8444 -tls1_3
}
