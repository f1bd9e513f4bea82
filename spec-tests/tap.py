#!/usr/bin/python3
"""Who stands between a PedClient and its PedServer: tap.py PORT FILE

Prints a port of its own on loopback; who connects to it is connected to PORT.
Every octet of both directions is added to FILE as it came. A line on standard
input, answered by "armed",

    change|drop|repeat card|ped

is about the next frame that the card or the PED sends: "done" when it was.
"""

import socket
import sys
import threading

lock = threading.Lock()
armed = {}


def whole_frame(octets):
    """How many octets the first frame has, or 0: not all of it is there."""
    size = 2 + int.from_bytes(octets[:2], "big")
    return size if len(octets) >= max(3, size) else 0


def meddled(frame, who):
    deed = armed.pop(who, None)
    if deed is None:
        return frame
    print("done", flush=True)
    if deed == "change":
        return frame[:-1] + bytes([frame[-1] ^ 1])
    return b"" if deed == "drop" else frame + frame


def carry(source, target, who, record):
    held = b""
    introduced = who == "ped"  # a PedClient's first line
    try:
        while octets := source.recv(4096):
            with lock:
                record.write(octets)
                record.flush()
                held += octets
                out = b""
                if not introduced and b"\n" in held:
                    out, _, held = held.partition(b"\n")
                    out += b"\n"
                    introduced = True
                while introduced and (size := whole_frame(held)):
                    out += meddled(held[:size], who)
                    held = held[size:]
            target.sendall(out)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one of the two went away, and the other will


def listen(door, port, record):
    while True:
        near, _ = door.accept()
        far = socket.create_connection(("127.0.0.1", port))
        for ends in ((near, far, "card"), (far, near, "ped")):
            threading.Thread(
                target=carry, args=(*ends, record), daemon=True
            ).start()


with socket.create_server(("127.0.0.1", 0)) as door, open(
    sys.argv[2], "ab"
) as record:
    print(door.getsockname()[1], flush=True)
    threading.Thread(
        target=listen, args=(door, int(sys.argv[1]), record), daemon=True
    ).start()
    for line in sys.stdin:
        deed, who = line.split()
        with lock:
            armed[who] = deed
            print("armed", flush=True)
