# the page opens the microphone before anybody clicks
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="page/capture-before-consent"
BROWSER=yes

change() {
    append page/page.js 'navigator.mediaDevices.getUserMedia({ audio: true });'
}

proof() {
    says '(^|'$'\n'')navigator\.mediaDevices\.getUserMedia' web "https://$ADDRESS:8443/page.js"
}
