# nginx, a token service, Kamailio, rtpengine, coturn and SIPp, hardened as far as they allow
# shellcheck shell=bash disable=SC2034 # the variables are read by `bed` and by the templates

# Chromium is the visitor: without it the scenarios about the page are not asked.
PACKAGES="nginx-light kamailio kamailio-tls-modules kamailio-websocket-modules kamailio-autheph-modules rtpengine-daemon
    coturn sip-tester chromium openssl python3"
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
    page

    launch callee sipp -sf "$BED/callee.xml" -i "$INSIDE" -p 5070 -mi "$INSIDE" -mp 6000 -rtp_echo -t u1 -nostdin -f 86400
    launch rtpengine rtpengine --config-file="$FOLDER/rtpengine.conf"
    launch turn turnserver -c "$FOLDER/turnserver.conf"
    launch token python3 -u "$BED/token.py" "$FOLDER" "$ADDRESS" "$INSIDE"
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
