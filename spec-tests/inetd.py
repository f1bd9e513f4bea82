#!/usr/bin/env python3
"""inetd.py [--port N] PROGRAM ARGS...

Listens on loopback and gives each connection to a PROGRAM of its own, as
inetd does: the socket is its standard input and output. Says "port N" when
it listens. Without a port it takes a free one below those that the kernel
gives to clients, so that it can be taken again after a pause.

SIGUSR1 makes it deaf: connections are accepted, and nobody answers.
"""
import random
import signal
import socket
import subprocess
import sys


def listen(port):
    for _ in range(50):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            at = port or random.randrange(10000, 30000)
            listener.bind(("127.0.0.1", at))
            listener.listen(64)
            return listener
        except OSError:
            listener.close()
    sys.exit("inetd.py: no port")


def main():
    args = sys.argv[1:]
    port = 0
    if args[0] == "--port":
        port = int(args[1])
        args = args[2:]
    state = {"deaf": False}

    def deafen(_signal, _frame):
        state["deaf"] = True
        print("deaf", flush=True)

    signal.signal(signal.SIGUSR1, deafen)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = listen(port)
    print("port", listener.getsockname()[1], flush=True)
    kept = []
    while True:
        peer, _ = listener.accept()
        if state["deaf"]:
            kept.append(peer)
            continue
        subprocess.Popen(args, stdin=peer, stdout=peer)
        peer.close()


main()
