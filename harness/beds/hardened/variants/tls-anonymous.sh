# the web server accepts suites in which it proves nothing of itself
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

# Such a suite has no forward secrecy that is worth the name: it is agreed on with nobody in particular.
FINDS="transport/tls-weak-suites"
ALSO="transport/tls-no-forward-secrecy=fail"

change() {
    edit nginx.conf 's/^( *ssl_ciphers .*);/\1:AECDH-AES128-SHA:@SECLEVEL=0;/'
}

proof() {
    says 'Cipher *: AECDH-AES128-SHA' handshake 8444 -tls1_2 -cipher AECDH-AES128-SHA:@SECLEVEL=0
}
