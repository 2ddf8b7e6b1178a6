# the token service tells a TURN credential in a header, and nginx logs that header
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="credentials/in-logs"

change() {
    edit token.py 's/self.send_header\("Cache-Control", "no-store"\)/&\n        if document and "iceServers" in document:\n            self.send_header("X-Turn", document["iceServers"][0]["credential"])/'
    edit nginx.conf "s|access_log off;.*|log_format turn '\$request_method \$upstream_http_x_turn'; access_log /dev/stdout turn;|"
}

proof() {
    local turn
    turn=$(web "$(configuration)" | python3 -c 'import json, sys; print(json.load(sys.stdin)["iceServers"][0]["credential"])')
    grep -qF -- "$turn" "$FOLDER/log/web.log" || return 10
}
