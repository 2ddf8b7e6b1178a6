# a digest answer that was seen once is good for as long as its nonce
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="credentials/nonce-replay"

change() {
    edit kamailio.cfg '/"nonce_count", 1/d' 
}

proof() {
    visitor <<'END'
pair, line = sip_pair(), Line()
status, login = line.register("visitor-replay", pair)
assert status == 200, status
again = Line().ask("REGISTER", f"sip:{REALM}", "visitor-replay", [login])[0]
# 503: the login was good, and the registrar holds the first contact still.
answer(again in (200, 503))
END
}
