# the configuration sends visitors to ws:// in place of wss://
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="transport/config-unsafe-uri"

change() {
    edit token.py 's/f"wss:/f"ws:/' 
}

proof() {
    says '"wsUri": "ws://' web "$(configuration)"
}
