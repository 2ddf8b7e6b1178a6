# the token service writes what it answers into its log
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="credentials/in-logs"

change() {
    edit token.py 's/print\(f"\{self.command\} \{status\}", flush=True\)/print(f"{self.command} {status} {body.decode()}", flush=True)/' 
}

proof() {
    local password
    password=$(web "$(configuration)" | python3 -c 'import json, sys; print(json.load(sys.stdin)["endpointSettings"]["sipConnectivityInfo"]["password"])')
    grep -qF -- "$password" "$FOLDER/log/token.log" || return 10
}
