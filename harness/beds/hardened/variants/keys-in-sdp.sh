# Kamailio lets a caller name the SRTP keys in the SDP, and rtpengine uses them
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="media/sdes-accepted"

change() {
    edit kamailio.cfg 's/!search_body\("\^m=audio \[0-9\]\+ UDP\/TLS\/RTP\/SAVPF "\) \|\| search_body\("\^a=crypto:"\)/search_body("^m=audio [0-9]+ RTP\/AVPF? ")/' \
        's/\|\| (!search_body\("\^a=fingerprint[^)]*\) "\))/|| (!search_body("^a=crypto:") \&\& \1)/' \
        's/ SDES-off//' \
        's/(direction=inside direction=outside )UDP\/TLS\/RTP\/SAVPF (ICE=force rtcp-mux-require)/\1\2/'
}

proof() {
    visitor <<'END'
keys = base64.b64encode(secrets.token_bytes(30)).decode()
pair, line = sip_pair(), Line()
status, text = line.invite("visitor-sdes", pair, offer("RTP/SAVPF", [f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{keys}"]))
if status == 200:
    line.bye(f"sip:app-a@{REALM}", "visitor-sdes")
answer(status == 200 and "a=crypto:" in text)
END
}
