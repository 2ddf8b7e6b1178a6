# coturn relays for whoever asks
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="turn/unauthenticated-allocate"

change() {
    edit turnserver.conf 's/^use-auth-secret$/no-auth/' '/^static-auth-secret/d' 
}

proof() {
    local said
    said=$(timeout 20 turnutils_uclient -v -e "$ADDRESS" -r 9 -n 0 -c "$ADDRESS" 2>&1 || true)
    case $said in
    *"Received relay addr"*) ;;
    *"Cannot complete Allocation"*) return 10 ;;
    *) fail "turnutils_uclient: $said" ;;
    esac
}
