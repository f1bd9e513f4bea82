#!/usr/bin/python3
"""An administrator's session at the card: card_admin.py SOCKET COMMAND...

Each COMMAND is a line of docs/card.md; what it says and answers is printed. Ends
with status 1 at the first that the card refuses.
"""

import socket
import sys

with socket.socket(socket.AF_UNIX) as card:
    card.connect(sys.argv[1])
    lines = card.makefile("rw")
    for command in sys.argv[2:]:
        print(command, file=lines, flush=True)
        for line in lines:
            print(line, end="", flush=True)
            word = line.split()[0]
            if word == "ok":
                break
            if word == "error":
                sys.exit(1)
        else:
            sys.exit("the card hung up")
