# the page makes its visitors' names from the clock
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="identity/predictable-user-id"
BROWSER=yes

change() {
    edit page/user-id.js 's/"visitor-" \+ random\(16\)/"visitor-" + Date.now()/'
}

proof() {
    says 'Date\.now\(\)' web "https://$ADDRESS:8443/user-id.js"
}
