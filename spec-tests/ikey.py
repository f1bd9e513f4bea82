#!/usr/bin/python3
"""iKeys without the project's own code: made and opened from docs/ped.md.

    ikey.py make FILE COLOUR PIN SHARE [M N INDEX]   an imprinted one; SHARE is
                                        64 hexadecimal digits, PIN "" for none
    ikey.py open FILE PIN               its share, right or wrong
    ikey.py field FILE NAME             one field, in hexadecimal
"""

import hashlib
import hmac
import os
import sys

MAGIC = b"TSIKEY1\n"
PRODUCT_KEY = b"Touchstone iKey: shows a change, keeps no secret"
ROUNDS = 10000
COLOURS = ["blank", "blue", "red", "black", "orange"]
FIELDS = {
    "magic": (0, 8),
    "colour": (8, 1),
    "flags": (9, 1),
    "m": (10, 1),
    "n": (11, 1),
    "index": (12, 1),
    "serial": (16, 8),
    "keyset": (24, 16),
    "salt": (40, 16),
    "masked": (56, 32),
    "mac": (88, 32),
}


def mask(pin, salt):
    return hashlib.pbkdf2_hmac("sha256", pin.encode(), salt, ROUNDS, 32)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def mac(octets):
    return hmac.new(PRODUCT_KEY, octets, hashlib.sha256).digest()


def make(path, colour, pin, share, m="1", n="1", index="1"):
    salt = os.urandom(16)
    octets = MAGIC
    octets += bytes([COLOURS.index(colour), 1 if pin else 0])
    octets += bytes([int(m), int(n), int(index), 0, 0, 0])
    octets += os.urandom(8) + b"keyset of a test" + salt
    octets += xor(bytes.fromhex(share), mask(pin, salt))
    with open(path, "xb") as out:
        out.write(octets + mac(octets))


def load(path):
    with open(path, "rb") as file:
        octets = file.read()
    if len(octets) != 120 or octets[:8] != MAGIC:
        sys.exit(f"{path}: not an iKey")
    if mac(octets[:88]) != octets[88:]:
        sys.exit(f"{path}: changed")
    return {
        name: octets[at : at + count] for name, (at, count) in FIELDS.items()
    }


def main(verb, path, *words):
    if verb == "make":
        make(path, *words)
    elif verb == "open":
        key = load(path)
        print(xor(key["masked"], mask(words[0], key["salt"])).hex())
    elif verb == "field":
        print(load(path)[words[0]].hex())
    else:
        sys.exit(__doc__)


main(*sys.argv[1:])
