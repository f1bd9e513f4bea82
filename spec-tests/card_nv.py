#!/usr/bin/python3
"""The token's PIN, by docs/card.md alone: card_nv.py CARD.NV SECRET-FILE

Opens the Crypto Officer's lock of a built-in card's partition with the secret
of its black iKey, and prints the 32 octets behind it.
"""

import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HEADER = 8 + 2 + 2 + 4
LOCK = 1 + 4 + 16 + 60
ROLE = LOCK + 1 + 1 + 8
FIRST_PARTITION = 1 + 16 + 32 + 4 + 32 + ROLE + LOCK + 1 + 60 + 4
CRYPTO_OFFICER = 1 + 1 + 32 + 16 + 24 + 16 + LOCK + LOCK + ROLE

with open(sys.argv[1], "rb") as file:
    state = file.read()
with open(sys.argv[2], "rb") as file:
    secret = file.read()
if not state.startswith(b"TSCARD1\n"):
    sys.exit(f"{sys.argv[1]}: not a card's state")
at = HEADER + FIRST_PARTITION + CRYPTO_OFFICER
lock = state[at : at + LOCK]
if lock[:5] != bytes([1, 0, 0, 0, 0]):
    sys.exit(f"{sys.argv[1]}: no lock for an iKey there")
key = HKDF(hashes.SHA256(), 32, lock[5:21], b"role").derive(secret)
sys.stdout.buffer.write(AESGCM(key).decrypt(lock[21:33], lock[33:], None))
