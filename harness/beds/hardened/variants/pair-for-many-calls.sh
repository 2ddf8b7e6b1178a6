# a pair places as many calls at once as it likes
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="tokens/used-twice"

change() {
    edit kamailio.cfg '/One Call Per Pair/d' '/In Use Elsewhere/d' 's/"max_contacts", 1\)/"max_contacts", 10)/'
}

proof() {
    visitor <<'END'
pair, first, second = sip_pair(), Line(), Line()
assert first.invite("visitor-twice", pair, offer())[0] == 200
status, _ = second.invite("visitor-twice", pair, offer())
if status == 200:
    second.bye(f"sip:app-a@{REALM}", "visitor-twice")
first.bye(f"sip:app-a@{REALM}", "visitor-twice")
answer(status == 200)
END
}
