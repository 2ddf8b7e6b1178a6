# the certificate of the token service ended yesterday
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="transport/certificate-bad"

change() {
    other_certificate "IP:$ADDRESS" -1
}

proof() {
    says 'certificate has expired' verification_of 8444
}
