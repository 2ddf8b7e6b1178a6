# the web server speaks TLS 1.0 as well
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="transport/tls-old-versions"

change() {
    edit nginx.conf 's/^( *ssl_protocols) /\1 TLSv1 /' 's/^( *ssl_ciphers .*);/\1:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0;/'
}

proof() {
    says 'Cipher *: ECDHE-ECDSA-AES128-SHA' handshake 8444 -tls1 -cipher ALL:@SECLEVEL=0
}
