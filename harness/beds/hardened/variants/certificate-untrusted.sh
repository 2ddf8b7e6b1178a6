# the token service shows a certificate that nobody vouches for
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="transport/certificate-bad"

change() {
    cp "$FOLDER/tls/ca.pem" "$FOLDER/tls/known.pem"
    other_certificate "IP:$ADDRESS" 30
    mv "$FOLDER/tls/known.pem" "$FOLDER/tls/ca.pem"
}

proof() {
    says 'unable to get local issuer|unable to verify' verification_of 8444
}
