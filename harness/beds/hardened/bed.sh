# nginx, a token service, Kamailio, rtpengine, coturn and SIPp, hardened as far as they allow
# shellcheck shell=bash disable=SC2034 # the variables are read by `bed` and by the templates

# Chromium is the visitor: without it the scenarios about the page are not asked.
PACKAGES="nginx-light kamailio kamailio-tls-modules kamailio-websocket-modules kamailio-autheph-modules rtpengine-daemon
    coturn sip-tester chromium openssl python3 curl"
PROGRAMS="nginx kamailio rtpengine turnserver sipp chromium openssl python3
    /usr/lib/*/kamailio/modules/tls.so /usr/lib/*/kamailio/modules/websocket.so /usr/lib/*/kamailio/modules/auth_ephemeral.so"
PORTS="tcp:8443 tcp:8444 tcp:8445 udp:3478 tcp:3478 tcp:5349
    tcp:inside:8080 udp:inside:5060 udp:inside:5070 udp:inside:6000 udp:inside:2223"

up() {
    certificates
    secrets
    for template in nginx.conf kamailio.cfg kamailio-tls.cfg rtpengine.conf turnserver.conf target.toml; do
        render "$template" "$template"
    done
    mkdir "$FOLDER/nginx" "$FOLDER/kamailio"
    cp "$BED/token.py" "$FOLDER/token.py"
    page
    vary

    launch callee sipp -sf "$BED/callee.xml" -i "$INSIDE" -p 5070 -mi "$INSIDE" -mp 6000 -rtp_echo -t u1 -nostdin -f 86400
    launch rtpengine rtpengine --config-file="$FOLDER/rtpengine.conf"
    launch turn turnserver -c "$FOLDER/turnserver.conf"
    launch token python3 -u "$FOLDER/token.py" "$FOLDER" "$ADDRESS" "$INSIDE"
    await_udp "$INSIDE" 5070
    await_udp "$INSIDE" 2223
    # -m and -M: megabytes shared and per process.
    launch sip kamailio -DD -E -f "$FOLDER/kamailio.cfg" -m 64 -M 8 -Y "$FOLDER/kamailio"
    await_tcp "$INSIDE" 8080
    launch web nginx -p "$FOLDER/nginx" -c "$FOLDER/nginx.conf"
    await_tcp "$ADDRESS" 3478
    await_tcp "$ADDRESS" 5349
    await_https "https://$ADDRESS:8443/"
    await_https "https://$ADDRESS:8445/"
}

# The lab's page, with its own phone, as static files: what it has to know stands in attributes of the body.
page() {
    local lab=$BED/../../lab/src/page text
    mkdir "$FOLDER/page"
    cp "$lab"/*.js "$lab"/*.css "$FOLDER/page/"
    text=$(<"$lab/call.html")
    printf '%s\n' "${text/"{{settings}}"/"data-config=\"https://$ADDRESS:8444/$FIRST_PATH\" data-ice-transport-policy=\"all\""}" \
        >"$FOLDER/page/call.html"
}

# What the servers share, and the paths and numbers that visitors are given.
secrets() {
    local name
    for name in sip-secret turn-secret nonce-secret topology-secret first-path second-path; do secret "$name"; done
    SIP_SECRET=$(<"$FOLDER/sip-secret") TURN_SECRET=$(<"$FOLDER/turn-secret") NONCE_SECRET=$(<"$FOLDER/nonce-secret")
    TOPOLOGY_SECRET=$(<"$FOLDER/topology-secret")
    FIRST_PATH=$(<"$FOLDER/first-path") SECOND_PATH=$(<"$FOLDER/second-path")
    REALM=sip.bed.test
    [[ $EUID == 0 ]] && NGINX_USER="user root;" || NGINX_USER=''
}

# What proofs of variants are written with.

# visitor <<'END' …: a few lines of Python that know visitor.py.
visitor() {
    FOLDER=$FOLDER ADDRESS=$ADDRESS PYTHONPATH=$BED PYTHONDONTWRITEBYTECODE=1 python3 -c "from visitor import *
$(cat)"
}

# web OPTION… URL: curl that trusts the bed's CA, within limits.
web() { curl -sS --max-time 20 --cacert "$FOLDER/tls/ca.pem" "$@"; }

# in_clear OPTION… URL: curl over HTTP to a port of TLS, where no answer (52) is an answer too.
in_clear() { web "$@" || (($? == 52)); }

# The URL of the configuration.
configuration() { printf 'https://%s:8444/%s' "$ADDRESS" "$(<"$FOLDER/first-path")"; }

# A pair for TURN: user name and password in TURN_USER and TURN_PASSWORD.
turn_pair() {
    local json
    json=$(web "$(configuration)")
    read -r TURN_USER TURN_PASSWORD < <(python3 -c 'import json, sys
server = json.load(sys.stdin)["iceServers"][0]
print(server["username"], server["credential"])' <<<"$json")
}

# relays_to PEER: whether coturn's own client gets a channel to a peer, as the answer of a proof. It sends no data there.
relays_to() {
    local said
    turn_pair
    said=$(timeout 20 turnutils_uclient -v -u "$TURN_USER" -w "$TURN_PASSWORD" -e "$1" -r 9 -n 0 -c "$ADDRESS" 2>&1 || true)
    case $said in
    *"success: 0x"*) ;;
    *"channel bind: error 403"*) return 10 ;;
    *) fail "turnutils_uclient: $said" ;;
    esac
}

# says EXPECTED COMMAND…: the answer of a proof: whether a command's output matches an extended regular expression.
says() {
    local said
    said=$("${@:2}")
    [[ $said =~ $1 ]] || return 10
}

# What changes of variants are written with.

# other_certificate NAMES DAYS [KEY]: a certificate of another CA, which ca.pem then trusts, for the token service. KEY is rsa:BITS;
# P-256 unless given.
other_certificate() {
    local tls=$FOLDER/tls key=(ec -pkeyopt ec_paramgen_curve:P-256)
    [[ -z ${3-} ]] || key=("$3")
    {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 30 -subj "/CN=ringfence other bed" \
            -addext keyUsage=critical,keyCertSign -keyout "$tls/other-ca.key" -out "$tls/other-ca.pem"
        openssl req -newkey "${key[@]}" -nodes -keyout "$tls/other.key" -out "$tls/other.csr" -subj "/CN=other"
        openssl x509 -req -in "$tls/other.csr" -CA "$tls/other-ca.pem" -CAkey "$tls/other-ca.key" -CAcreateserial -sha256 -days "$2" \
            -extfile <(printf '%s\n' "subjectAltName=$1" basicConstraints=critical,CA:FALSE extendedKeyUsage=serverAuth) -out "$tls/other.pem"
    } 2>>"$FOLDER/log/openssl.log"
    cat "$tls/other-ca.pem" >>"$tls/ca.pem"
    edit nginx.conf "/The token service\\./,\$ s|listen .*:8444 ssl http2;|&\\n        ssl_certificate $tls/other.pem; ssl_certificate_key $tls/other.key;|"
    # The run is to go on behind the bad certificate, as an operator who knows of it would have it.
    edit target.toml 's/^adapter = .*/&\naccept_untrusted = true/'
}

# What openssl says about the certificate at a port: whether it fits the address, and whether the bed's CA vouches for it.
x509_of() { openssl s_client -connect "$ADDRESS:$1" </dev/null 2>/dev/null | openssl x509 -noout -checkip "$ADDRESS"; }
verification_of() { openssl s_client -connect "$ADDRESS:$1" -CAfile "$FOLDER/tls/ca.pem" </dev/null 2>&1 | grep -i verif; }
# What openssl says of a handshake at a port, with these options of s_client, and of what the server sends right behind it; a
# server that refuses it, or says nothing, has to be there at least.
handshake() {
    local said
    said=$(sleep 1 | timeout 5 openssl s_client -connect "$ADDRESS:$1" "${@:2}" 2>&1) || [[ $? == 124 || $said == *CONNECTED* ]] || return 1
    printf '%s\n' "$said"
}
