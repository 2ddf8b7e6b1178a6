#!/usr/bin/env python3
"""A callee by aiortc: answers one offer, and echoes its audio.

Reads an SDP offer on standard input, up to a line that holds one dot; writes the answer on standard output in the same
way. The call lasts until standard input closes, or until the caller hangs up: then the program ends. An offer that it
does not take is answered with the dot alone; why is on standard error.

G.711 is preferred, since aiortc decodes what it hears and encodes it anew: G.711 comes back as it was, Opus only sounds
like it. Media stay on one address, loopback unless another is given: no STUN server is asked.

usage: callee.py [ADDRESS]
"""

import asyncio
import sys

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription

END = "."
# The preferred first.
CODECS = ["audio/pcmu", "audio/pcma", "audio/opus"]
# Longest offer, in bytes.
MAX_OFFER = 64 * 1024


async def main(address: str) -> None:
    # aioice leaves loopback out, and takes every other address of the machine.
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [address]
    stdin = await standard_input()
    offer = await read_description(stdin)
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    over = asyncio.Event()

    @connection.on("connectionstatechange")
    def state_changed() -> None:
        if connection.connectionState in ("closed", "failed"):
            over.set()

    try:
        print(await answer(connection, offer), end=f"{END}\n", flush=True)
        await first(over.wait(), until_closed(stdin))
    except Exception as error:  # whatever is wrong with the offer
        print(f"callee: {error!r}", file=sys.stderr)
        print(END, flush=True)
    finally:
        await connection.close()


async def answer(connection: RTCPeerConnection, offer: str) -> str:
    audio = connection.addTransceiver("audio", direction="sendrecv")
    capabilities = RTCRtpSender.getCapabilities("audio").codecs
    known = [codec for codec in capabilities if codec.mimeType.lower() in CODECS]
    audio.setCodecPreferences(sorted(known, key=lambda codec: CODECS.index(codec.mimeType.lower())))

    @connection.on("track")
    def track_came(track) -> None:
        audio.sender.replaceTrack(track)

    await connection.setRemoteDescription(RTCSessionDescription(sdp=offer, type="offer"))
    await connection.setLocalDescription(await connection.createAnswer())
    return connection.localDescription.sdp


async def standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=MAX_OFFER)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def read_description(stdin: asyncio.StreamReader) -> str:
    text = ""
    while len(text) < MAX_OFFER:
        line = (await stdin.readline()).decode()
        if not line:
            sys.exit("callee: standard input ended before the offer did")
        if line.rstrip("\r\n") == END:
            return text
        text += line.rstrip("\r\n") + "\r\n"
    sys.exit("callee: the offer is too long")


async def until_closed(stdin: asyncio.StreamReader) -> None:
    while await stdin.read(4096):
        pass


async def first(*waits) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"))
