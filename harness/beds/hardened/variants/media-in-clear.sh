# a call that asks for RTP without encryption gets it
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="media/plain-offer-accepted"

change() {
    edit kamailio.cfg 's/!search_body\("\^m=audio \[0-9\]\+ UDP\/TLS\/RTP\/SAVPF "\)/!search_body("^m=audio [0-9]+ (UDP\/TLS\/RTP\/SAVPF|RTP\/AVPF?) ")/' \
        's/\|\| (!search_body\("\^a=fingerprint[^)]*\) "\))/|| (!search_body("^m=audio [0-9]+ RTP\/") \&\& \1)/' \
        's/(direction=inside direction=outside )UDP\/TLS\/RTP\/SAVPF (ICE=force rtcp-mux-require)/\1\2/'
}

proof() {
    visitor <<'END'
pair, line = sip_pair(), Line()
status, text = line.invite("visitor-plain", pair, offer("RTP/AVP"))
if status == 200:
    line.bye(f"sip:app-a@{REALM}", "visitor-plain")
answer(status == 200 and "RTP/AVP 0" in text)
END
}
