# Kamailio connects a call without asking who calls
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="signalling/unauthenticated-invite"
# Who needs no login needs none after a call either, and a call that is not challenged shows no challenge, nor whose it is.
ALSO="credentials/weak-challenge=inconclusive tokens/credentials-survive-hangup=fail tokens/used-twice=inconclusive"

change() {
    edit kamailio.cfg 's/case "INVITE": route\(LOGIN\); route\(CALL\)/case "INVITE": if ($hdr(Authorization) =~ "response=" || $hdr(Proxy-Authorization) =~ "response=") { route(LOGIN); } else { $var(pair) = "a-" + $ci; } route(CALL)/' 
}

proof() {
    visitor <<'END'
line = Line()
status, _ = line.invite("stranger", None, offer())
if status == 200:
    line.bye(f"sip:app-a@{REALM}", "stranger")
answer(status == 200)
END
}
