# the token service answers HTTP in clear as well
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="transport/endpoint-over-http"

change() {
    edit nginx.conf "/The token service\\./,\$ s|@plain \\{ return 444; \\}|@plain { proxy_pass http://$INSIDE:8080; }|"
}

proof() {
    says '"password"' in_clear "http://$ADDRESS:8444/$(<"$FOLDER/first-path")"
}
