# the page is served in clear as well
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="transport/page-over-http"

change() {
    edit nginx.conf "/The page:/,/The token service\\./ s|@plain \\{ return 444; \\}|@plain { default_type text/html; rewrite ^ /call.html break; }|"
}

proof() {
    says '<button' in_clear "http://$ADDRESS:8443/call"
}
