# coturn as its package configures it, plus the least that a call needs; SIP and the callee are the lab's
# shellcheck shell=bash disable=SC2034,SC2154

PACKAGES="coturn openssl python3"
PROGRAMS="turnserver openssl python3 ${RINGFENCE:-ringfence} /etc/turnserver.conf"
PORTS="udp:3478 tcp:3478 udp:5349 tcp:5349"

up() {
    certificates
    secret password
    PASSWORD=$(<"$FOLDER/password")
    render turnserver.conf own.conf
    # To the folder's log instead of the machine's.
    { grep -v '^syslog$' /etc/turnserver.conf && cat "$FOLDER/own.conf"; } >"$FOLDER/turnserver.conf"
    rm "$FOLDER/own.conf"
    launch coturn turnserver -c "$FOLDER/turnserver.conf" --pidfile=
    await_tcp "$ADDRESS" 5349
    await_udp "$ADDRESS" 3478

    launch lab "${RINGFENCE:-ringfence}" lab --folder "$FOLDER/lab"
    await_log lab "the lab is up"
    CONFIG=$(lab_says config) ORIGIN=$(lab_says trusted_origins)
    APPLICATION=$(application)
    # Both were signed by authorities of their own.
    cat "$FOLDER/tls/ca.pem" "$FOLDER/lab/ca.pem" >"$FOLDER/ca.pem"
    render target.toml target.toml
}

# A value of the lab's own target file.
lab_says() { sed -n "s/^$1 = .*\"\(.*\)\".*/\1/p" "$FOLDER/lab/target.toml"; }

# Whom the lab's visitors may call; it is the same in every configuration.
application() {
    python3 - "$CONFIG" "$FOLDER/lab/ca.pem" <<'END'
import json, ssl, sys, urllib.request
answer = urllib.request.urlopen(sys.argv[1], timeout=30, context=ssl.create_default_context(cafile=sys.argv[2]))
print(json.load(answer)["endpointSettings"]["sipConnectivityInfo"]["applicationSid"])
END
}
