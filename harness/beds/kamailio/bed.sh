# Kamailio and rtpengine as their packages configure them, plus the least that a call needs
# shellcheck shell=bash disable=SC2034,SC2154

PACKAGES="kamailio kamailio-tls-modules kamailio-websocket-modules rtpengine-daemon sip-tester openssl"
PROGRAMS="kamailio kamcmd rtpengine sipp openssl /etc/kamailio/kamailio.cfg /etc/rtpengine/rtpengine.conf
    /usr/lib/*/kamailio/modules/tls.so /usr/lib/*/kamailio/modules/websocket.so"
PORTS="udp:5060 tcp:5060 tcp:5061 udp:5070 udp:2223 tcp:2224 tcp:2225"
REALM=sip.kamailio.test

up() {
    certificates "$REALM"
    secret password
    PASSWORD=$(<"$FOLDER/password")
    mkdir "$FOLDER/users"
    render users/version users/version
    render users/subscriber users/subscriber
    render tls.cfg tls.cfg
    render kamailio.cfg kamailio.cfg
    render target.toml target.toml

    # Arguments win over the package's file. Without the kernel's module, packets go through the daemon.
    launch rtpengine rtpengine --config-file=/etc/rtpengine/rtpengine.conf --foreground --log-stderr --table=-1 \
        --interface="$ADDRESS" --listen-ng="$ADDRESS:2223" --listen-cli="$ADDRESS:2224" --listen-http="$ADDRESS:2225"
    await_udp "$ADDRESS" 2223
    launch kamailio kamailio -DD -E -f "$FOLDER/kamailio.cfg" -Y "$FOLDER/run"
    await_tcp "$ADDRESS" 5061
    launch sipp sipp -sf "$BED/echo.xml" -i "$ADDRESS" -p 5070 -mi "$ADDRESS" -rtp_echo -nostdin -f 3600
    await_udp "$ADDRESS" 5070
    # The callee is a phone that is always registered.
    await "kamailio takes no contact for the callee" register_callee
}

# kamcmd exits 0 even when it prints an error.
register_callee() {
    kamcmd -s "unix:$FOLDER/run/kamailio_ctl" -- ul.add location echo "sip:echo@$ADDRESS:5070" 0 1.0 s:. 0 0 8191 \
        >"$FOLDER/log/kamcmd.log" 2>&1 && ! grep -q error "$FOLDER/log/kamcmd.log"
}
