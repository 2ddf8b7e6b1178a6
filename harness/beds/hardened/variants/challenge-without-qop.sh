# Kamailio's challenge has no qop, so that an answer to it protects nothing but the password
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="credentials/weak-challenge"

change() {
    edit kamailio.cfg 's/modparam\("auth", "qop", "auth"\)/modparam("auth", "qop", "")/' 's/^modparam\("auth", "nonce_count", 1\).*/modparam("auth", "one_time_nonce", 1)/' 's/auth_challenge\(REALM, "1"\)/auth_challenge(REALM, "0")/' 
}

proof() {
    visitor <<'END'
line = Line()
status, _ = line.ask("REGISTER", f"sip:{REALM}", "visitor-qop")
assert status == 401, status
answer("qop" not in line.challenge)
END
}
