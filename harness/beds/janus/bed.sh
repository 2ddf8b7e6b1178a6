# Janus as its package configures it, plus the least that a call needs; SIP is the lab's
# shellcheck shell=bash disable=SC2034,SC2154

PACKAGES="janus gcc libc6-dev python3"
PROGRAMS="janus cc python3 ${RINGFENCE:-ringfence} /etc/janus/janus.jcfg"
PORTS="tcp:8088"

up() {
    cp -r /etc/janus "$FOLDER/etc"
    # Whatever listens on every address gets ours, or is left out: the API over WebSocket, and the demo's streams.
    sed -i -e "s|/etc/janus|$FOLDER/etc|" \
        -e 's|^plugins: {|&\n disable = "libjanus_streaming.so"|' \
        -e 's|^transports: {|&\n disable = "libjanus_websockets.so"|' "$FOLDER/etc/janus.jcfg"
    sed -i -e "s|^\tport = 8088|\tip = \"$ADDRESS\"\n&|" "$FOLDER/etc/janus.transport.http.jcfg"
    cc -shared -fPIC -O -Wall -Werror -o "$FOLDER/interfaces.so" "$BED/interfaces.c"
    launch janus env "LD_PRELOAD=$FOLDER/interfaces.so" "JANUS_ADDRESS=$ADDRESS" \
        janus --disable-colors --configs-folder="$FOLDER/etc" --interface="$ADDRESS"
    await_tcp "$ADDRESS" 8088

    launch lab "${RINGFENCE:-ringfence}" lab --folder "$FOLDER/lab" \
        --callee "python3 '$BED/callee.py' 'http://$ADDRESS:8088/janus'"
    await_log lab "the lab is up"
    # The lab's page has nothing to do with Janus.
    sed -e 's/^name = .*/name = "janus"/' -e 's/^page = .*/page = "none"/' "$FOLDER/lab/target.toml" >"$FOLDER/target.toml"
}
