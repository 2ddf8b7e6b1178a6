# the configuration puts user and password into the WebSocket address
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="transport/config-unsafe-uri"

change() {
    edit token.py 's/f"wss:\/\/\{ADDRESS\}/f"wss:\/\/visitor:{sip_password.encode().hex()}@{ADDRESS}/' 
}

proof() {
    says '"wsUri": "wss://visitor:' web "$(configuration)"
}
