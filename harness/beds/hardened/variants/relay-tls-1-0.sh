# the relay speaks TLS 1.0 as well
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="turn/tls-weak"

change() {
    edit turnserver.conf '/^no-tlsv1$/d' 's/^cipher-list=.*/cipher-list="ECDHE+AESGCM:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"/'
}

proof() {
    says 'Cipher *: ECDHE-ECDSA-AES128-SHA' handshake 5349 -tls1 -cipher ALL:@SECLEVEL=0
}
