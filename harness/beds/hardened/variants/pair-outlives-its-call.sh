# the pair of a call that is over still registers
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="tokens/credentials-survive-hangup"

change() {
    edit kamailio.cfg '/sht\(ended=>\$var\(pair\)\) = 1;/d' 
}

proof() {
    visitor <<'END'
pair, line = sip_pair(), Line()
status, _ = line.invite("visitor-hangup", pair, offer())
assert status == 200, status
assert line.bye(f"sip:app-a@{REALM}", "visitor-hangup") == 200
answer(Line().register("visitor-hangup", pair)[0] == 200)
END
}
