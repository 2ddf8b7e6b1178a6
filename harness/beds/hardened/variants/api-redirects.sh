# the token service sends a request in clear on to HTTPS, after its path has crossed the network
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="transport/unsafe-redirect"

change() {
    edit nginx.conf '/The token service\./,$ s|@plain \{ return 444; \}|@plain { return 301 https://$http_host$request_uri; }|'
}

proof() {
    says '^301$' in_clear -o /dev/null -w '%{http_code}' "http://$ADDRESS:8444/$(<"$FOLDER/first-path")"
}
