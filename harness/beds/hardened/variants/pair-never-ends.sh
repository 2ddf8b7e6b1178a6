# the token service writes an hour into its pairs, where the operator promises half a minute
# shellcheck shell=bash disable=SC2034,SC2016 # FINDS and ALSO are read by `bed`; what stands in quotes belongs to servers

FINDS="tokens/expired-accepted"

change() {
    edit token.py 's/^SIP_LIFE_S = .*/SIP_LIFE_S = 3600/'
}

# A pair is left alone for as long as target.toml promises, and the leeway, and two seconds of our own clock.
proof() {
    visitor <<'END'
import time
promised = sum(int(re.search(rf"(?m)^{name} = (\d+)", (FOLDER / "target.toml").read_text())[1])
    for name in ("credential_life_s", "clock_leeway_s"))
pair = sip_pair()
stated = int(pair[0].split(":")[0]) - time.time()
time.sleep(promised + 2)
status, _ = Line().register("visitor-late", pair)
assert status in (200, 401), status
# What the user name states and what the registrar does have to agree: else it is another defect.
assert (status == 200) == (stated > promised + 2), (status, stated)
assert Line().register("visitor-new", sip_pair())[0] == 200
answer(status == 200)
END
}
