# Kamailio does not look at the time at which a pair ends
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="tokens/expired-accepted"

change() {
    edit kamailio.cfg 's/^modparam\("auth_ephemeral", "secret".*/&\nmodparam("auth_ephemeral", "username_format", 1)/' 
}

proof() {
    visitor <<'END'
import hmac, time
name = f"{int(time.time()) - 3600}:a-{secrets.token_hex(8)}"
secret = (FOLDER / "sip-secret").read_bytes()
password = base64.b64encode(hmac.new(secret, name.encode(), hashlib.sha1).digest()).decode()
answer(Line().register("visitor-late", (name, password))[0] == 200)
END
}
