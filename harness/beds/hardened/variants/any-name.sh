# a pair registers any user's name
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="credentials/other-aor"

change() {
    edit kamailio.cfg '/sht\(aor=>\$var\(pair\)\) != \$fU \|\|/d' 
}

proof() {
    visitor <<'END'
first, second = sip_pair(), sip_pair()
owner = Line().register("visitor-one", first)[0], Line().register("visitor-two", second)[0]
assert owner == (200, 200), owner
# 503: the name was given, and the registrar holds the contact of its owner still.
answer(Line().register("visitor-two", first)[0] in (200, 503))
END
}
