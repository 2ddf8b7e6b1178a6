# shellcheck shell=bash
# What a bed's `up` is written with. Set for it: BED (its folder in the repository), FOLDER (its own at run time), NAME,
# ADDRESS (what a visitor may reach), INSIDE (the twin address, for what stands behind).

# Seconds until something that was started must answer. Long, since a machine may be busy; nothing waits it out in vain.
WAIT_S=60
LAUNCHED=''

fail() {
    printf 'bed: %s\n' "$1" >&2
    exit 1
}

# render TEMPLATE OUT: copies a file of the bed (or an absolute one) to $FOLDER/OUT. @NAME@ becomes the value of the
# variable NAME, in capitals, digits and _; a placeholder without a variable is an error.
render() {
    local template=$1 text
    [[ $template == /* ]] || template=$BED/$template
    text=$(<"$template")
    while [[ $text =~ @([A-Z][A-Z0-9_]*)@ ]]; do
        [[ -v ${BASH_REMATCH[1]} ]] || fail "$template: no variable for ${BASH_REMATCH[0]}"
        text=${text//"${BASH_REMATCH[0]}"/"${!BASH_REMATCH[1]}"}
    done
    printf '%s\n' "$text" >"$FOLDER/$2"
}

# launch NAME COMMAND…: starts a command in the background, as leader of its own session. It must stay in the foreground
# there: no daemon mode. Output goes to $FOLDER/log/NAME.log.
launch() {
    local name=$1
    shift
    setsid -- "$@" >"$FOLDER/log/$name.log" 2>&1 </dev/null &
    printf '%s %s\n' "$!" "$(started_at "$!")" >"$FOLDER/run/$name.pid"
    disown "$!" 2>/dev/null || true # it may have ended already
    LAUNCHED=$name
}

# await_tcp ADDRESS PORT, await_udp ADDRESS PORT: until somebody listens there.
await_tcp() { await "nobody listens at $1:$2/tcp" bound tcp "$1" "$2"; }
await_udp() { await "nobody listens at $1:$2/udp" bound udp "$1" "$2"; }

# await_log NAME PATTERN: until a line of $FOLDER/log/NAME.log matches an extended regular expression.
await_log() { await "no line with $2 in $1.log" grep -Eqs -- "$2" "$FOLDER/log/$1.log"; }

# await_https URL: until a web server whose certificate our CA signed gives any answer.
await_https() { await "no answer from $1" answers_https "$1"; }

# await WHAT-IS-WRONG COMMAND…: until a command succeeds; fails as soon as a launched process has ended.
await() {
    local wrong=$1 end=$((SECONDS + WAIT_S))
    shift
    until "$@"; do
        check_processes
        ((SECONDS < end)) || fail_with_log "$LAUNCHED" "$wrong after $WAIT_S s"
        sleep 0.05
    done
}

# certificates [NAME…]: a CA of this bed's own, and a certificate for the address, localhost and further DNS names:
# $FOLDER/tls/{ca.pem,server.pem,server.key}. The CA's key is gone afterwards.
certificates() (
    cd "$FOLDER/tls" || exit
    names="IP:$ADDRESS,DNS:localhost"
    for name; do names+=",DNS:$name"; done
    {
        new="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 30"
        $new -keyout ca.key -out ca.pem -subj "/CN=ringfence bed" -addext keyUsage=critical,keyCertSign,cRLSign
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj "/CN=$ADDRESS"
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days 30 -out server.pem \
            -extfile <(printf '%s\n' "subjectAltName=$names" basicConstraints=critical,CA:FALSE \
                keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth)
    } 2>"$FOLDER/log/openssl.log" || fail_with_log openssl "openssl made no certificate"
    rm -f ca.key ca.srl server.csr
)

# secret FILE: writes a new random secret (48 hex digits, no line end) to $FOLDER/FILE.
secret() { openssl rand -hex 24 | tr -d '\n' >"$FOLDER/$1"; }

# vary: where the bed is brought up as a variant, makes its one change. To be called when every file is written and nothing
# runs yet.
vary() { [[ -z $VARIANT ]] || change; }

# edit FILE EXPRESSION…: changes a file in the folder by extended regular expressions of sed; each has to change something.
edit() {
    local file=$FOLDER/$1 expression before
    for expression in "${@:2}"; do
        before=$(<"$file")
        sed -E -i -- "$expression" "$file"
        [[ $(<"$file") != "$before" ]] || fail "variant $VARIANT: $1 holds nothing for $expression"
    done
}

# append FILE TEXT: puts lines at the end of a file in the folder.
append() { printf '%s\n' "$2" >>"$FOLDER/$1"; }

# --- below: what `bed` itself uses

answers_https() {
    python3 - "$1" "$FOLDER/tls/ca.pem" 2>/dev/null <<'END'
import ssl, sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], timeout=5, context=ssl.create_default_context(cafile=sys.argv[2]))
except urllib.error.HTTPError:
    pass
END
}

# bound tcp|udp ADDRESS PORT: whether a socket listens there, also one for all addresses.
bound() {
    local a b c d port table listening=''
    IFS=. read -r a b c d <<<"$2"
    printf -v port '%04X' "$3"
    printf -v table '%02X%02X%02X%02X' "$d" "$c" "$b" "$a"
    # TCP state 0A is LISTEN. The kernel prints addresses in the order of its bytes: little-endian here.
    [[ $1 == tcp ]] && listening=' [0-9A-F]+:[0-9A-F]{4} 0A'
    grep -Eqs ": ($table|0{8}|0{32}):$port$listening" "/proc/net/$1" "/proc/net/${1}6"
}

# The time a process started, in clock ticks since boot: with it a process id names one process for good.
started_at() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    # The name, in brackets, may hold anything; after it come the state (3rd field) … and the start (22nd).
    read -ra stat <<<"${stat##*) }"
    [[ ${stat[0]} == Z ]] || printf '%s' "${stat[19]}"
}

# running FILE: whether the process of a file in run/ still runs; its id goes into REPLY.
running() {
    local started
    read -r REPLY started <"$1"
    [[ -n $started && $(started_at "$REPLY") == "$started" ]]
}

# session FILE: the processes left of what `launch` recorded in a file of run/. What has ended and was not yet waited for
# does not count, nor does a later process that happens to have the same id.
session() {
    local leader started stat pid
    read -r leader started <"$1"
    [[ ! -e /proc/$leader || -z $(started_at "$leader") || $(started_at "$leader") == "$started" ]] || return 0
    for stat in /proc/[0-9]*/stat; do
        { read -r stat <"$stat"; } 2>/dev/null || continue
        pid=${stat%% *}
        read -ra stat <<<"${stat##*) }"
        [[ ${stat[3]} != "$leader" || ${stat[0]} == Z ]] || printf '%s ' "$pid"
    done
}

check_processes() {
    local file
    for file in "$FOLDER"/run/*.pid; do
        [[ ! -f $file ]] || running "$file" || fail_with_log "$(basename "$file" .pid)" "$(basename "$file" .pid) has ended"
    done
}

fail_with_log() {
    printf 'bed: %s; the end of %s.log:\n' "$2" "$1" >&2
    tail -n 20 "$FOLDER/log/$1.log" | sed 's/^/    /' >&2
    exit 1
}

# Ends what `launch` started, and only that: first asks the leaders, then ends what is left of their sessions.
stop_all() {
    local file left end=$((SECONDS + 5))
    for file in "$FOLDER"/run/*.pid; do
        [[ ! -f $file ]] || ! running "$file" || kill -TERM "$REPLY" 2>/dev/null || true
    done
    for file in "$FOLDER"/run/*.pid; do
        [[ -f $file ]] || continue
        while left=$(session "$file") && [[ -n $left ]] && ((SECONDS < end)); do sleep 0.05; done
        # shellcheck disable=SC2086 # one word per process
        [[ -z $left ]] || kill -KILL $left 2>/dev/null || true
        rm -f -- "$file"
    done
}
