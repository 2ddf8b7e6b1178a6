# a script of the page holds a fixed SIP password
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="credentials/in-page"

change() {
    append page/words.js 'export const SIP_ACCOUNT = { username: "frontdesk", sipPassword: "Xk7-pQ2vR9-mW4tZ" };' 
}

proof() {
    says 'sipPassword: "' web "https://$ADDRESS:8443/words.js"
}
