# the token service shows a valid certificate for another host
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="transport/certificate-bad"

change() {
    other_certificate DNS:www.other.test 30
}

proof() {
    says 'does NOT match' x509_of 8444
}
