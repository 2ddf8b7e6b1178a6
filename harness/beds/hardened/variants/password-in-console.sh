# the page writes its configuration, password included, to the console
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="credentials/exposed-in-browser"
BROWSER=yes

change() {
    edit page/config.js 's/^  const notice = .*/  console.log("configuration", JSON.stringify(endpointSettings));\n&/'
}

proof() {
    says 'console\.log\("configuration"' web "https://$ADDRESS:8443/config.js"
}
