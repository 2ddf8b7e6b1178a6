# Kamailio registers whoever comes
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="credentials/register-without"
# Who needs no login takes any name, needs none after a call or an expiry, and has none that could be used again.
ALSO="credentials/nonce-replay=not-applicable credentials/other-aor=fail identity/pii-user-id-accepted=fail tokens/credentials-survive-hangup=fail tokens/expired-accepted=fail tokens/used-twice=inconclusive"

change() {
    edit kamailio.cfg 's/case "REGISTER": route\(LOGIN\); route\(REGISTER\)/case "REGISTER": if ($au != $null) { route(LOGIN); } route(REGISTER)/' 
}

proof() {
    visitor <<'END'
answer(Line().ask("REGISTER", f"sip:{REALM}", "stranger")[0] == 200)
END
}
