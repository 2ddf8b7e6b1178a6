# Kamailio takes any text as a visitor's name, addresses and card numbers too
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="identity/pii-user-id-accepted"

change() {
    edit kamailio.cfg 's/ \|\| !\(\$fU =~ "[^"]*"\)//' 
}

proof() {
    visitor <<'END'
answer(Line().register("jane.doe%40example.com", sip_pair())[0] == 200)
END
}
