#!/usr/bin/python3
"""What goes over a connection, on record: tap.py PORT FILE

Prints a port of its own on loopback; who connects to it is connected to PORT.
Every octet of both directions is added to FILE.
"""

import socket
import sys
import threading


def carry(source, target, record):
    while octets := source.recv(4096):
        record.write(octets)
        record.flush()
        target.sendall(octets)
    target.shutdown(socket.SHUT_WR)


with socket.create_server(("127.0.0.1", 0)) as door, open(
    sys.argv[2], "ab"
) as record:
    print(door.getsockname()[1], flush=True)
    while True:
        near, _ = door.accept()
        far = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        for ends in ((near, far), (far, near)):
            threading.Thread(
                target=carry, args=(*ends, record), daemon=True
            ).start()
