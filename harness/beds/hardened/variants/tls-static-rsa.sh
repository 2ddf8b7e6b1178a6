# the token service lets clients send the keys under its certificate's, so that a key that leaks opens what was recorded
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="transport/tls-no-forward-secrecy"

change() {
    other_certificate "IP:$ADDRESS" 30 rsa:2048
    edit nginx.conf 's/^( *ssl_ciphers .*);/\1:AES128-GCM-SHA256;/'
}

proof() {
    says 'Cipher *: AES128-GCM-SHA256' handshake 8444 -tls1_2 -cipher AES128-GCM-SHA256
}
