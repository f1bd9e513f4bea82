#!/usr/bin/env python3
"""backup_read.py FILE_0 [FILE_1...] <PASSWORD

Reads a backup from docs/backup-format.md alone: a second witness of what that
page says. Shares nothing with the server; AES-GCM is libcrypto's.

Prints a line for the header, and one for each row:

    backup NAME files=N octets=N made=N DESCRIPTION
    ITEM KIND KEY VALUE-IN-HEX
    secret KIND KEY FIELD PLAIN-IN-HEX

Ends with 1, and a word about it, where the page says that it is no backup.
"""
import ctypes
import hashlib
import hmac
import sys

CRYPTO = ctypes.CDLL("libcrypto.so.3")
CRYPTO.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
CRYPTO.EVP_aes_256_gcm.restype = ctypes.c_void_p
SET_TAG = 0x11
MORE, NEXT_FILE, END = 0, 1, 2


def refuse(why):
    sys.exit("backup_read: " + why)


def gcm_open(key, nonce, bound, sealed):
    body, tag = sealed[:-16], sealed[-16:]
    ctx = ctypes.c_void_p(CRYPTO.EVP_CIPHER_CTX_new())
    cipher = ctypes.c_void_p(CRYPTO.EVP_aes_256_gcm())
    out = ctypes.create_string_buffer(len(body) + 16)
    done = ctypes.c_int()
    CRYPTO.EVP_DecryptInit_ex(ctx, cipher, None, key, nonce)
    CRYPTO.EVP_DecryptUpdate(ctx, None, ctypes.byref(done), bound, len(bound))
    if body:
        CRYPTO.EVP_DecryptUpdate(ctx, out, ctypes.byref(done), body, len(body))
    CRYPTO.EVP_CIPHER_CTX_ctrl(ctx, SET_TAG, 16, tag)
    good = CRYPTO.EVP_DecryptFinal_ex(ctx, out, ctypes.byref(done))
    CRYPTO.EVP_CIPHER_CTX_free(ctx)
    if good != 1:
        refuse("a tag is wrong")
    return out.raw[: len(body)]


class Reader:
    """Octets from the front."""

    def __init__(self, octets):
        self.octets = octets

    def take(self, count):
        if count > len(self.octets):
            refuse("it ends too early")
        head, self.octets = self.octets[:count], self.octets[count:]
        return head

    def number(self, count):
        return int.from_bytes(self.take(count), "big")


def fields(octets):
    r = Reader(octets)
    found = []
    while r.octets:
        name = r.take(r.number(1)).decode("ascii")
        found.append((name, r.take(r.number(4))))
    return found


class Header:
    def __init__(self, octets):
        r = Reader(octets)
        if r.take(8) != b"TSBACKUP" or r.number(1) != 1 or r.number(1) != 1:
            refuse("no backup of this version")
        self.octets = r.number(2)
        self.iterations = r.number(4)
        self.salt = r.take(16)
        self.made = r.number(8)
        self.total = r.number(8)
        self.files = r.number(2)
        self.file = r.number(2)
        name, description = r.number(1), r.number(2)
        self.name = r.take(name).decode("ascii")
        self.description = r.take(description).decode("utf-8")
        self.code = r.take(32)
        self.signed = octets[: self.octets - 32]
        if 55 + name + description + 32 != self.octets:
            refuse("a header of another length")


class Keys:
    def __init__(self, password, header):
        root = hashlib.pbkdf2_hmac(
            "sha256", password, header.salt, header.iterations, 32
        )
        self.header, self.chunks, self.secrets = (
            hmac.digest(root, b"touchstone backup " + label, "sha256")
            for label in (b"header", b"chunks", b"secrets")
        )


def chunks(files, headers, keys):
    number = 0
    for file, (octets, header) in enumerate(zip(files, headers)):
        r = Reader(octets[header.octets :])
        mark = MORE
        while mark == MORE:
            head = r.take(4)
            mark = head[0]
            nonce = bytes(4) + number.to_bytes(8, "big")
            bound = head + file.to_bytes(2, "big")
            sealed = r.take(int.from_bytes(head[1:], "big") + 16)
            yield gcm_open(keys.chunks, nonce, bound, sealed)
            number += 1
        last = file == len(files) - 1
        if r.octets or mark != (END if last else NEXT_FILE):
            refuse("it goes on where it should not, or does not")


def say_row(row, keys):
    item, kind = row["item"].decode("ascii"), row["kind"].decode("ascii")
    key = row["key"].decode("utf-8") or "-"
    print(item, kind, key.replace(" ", "+"), row["value"].hex() or "-")
    for name, wrapped in fields(row["secrets"]):
        bound = b"\0".join((row["kind"], name.encode("ascii"), row["key"]))
        plain = gcm_open(keys.secrets, wrapped[:12], bound, wrapped[12:])
        print("secret", kind, key.replace(" ", "+"), name, plain.hex())


def main():
    files = [open(path, "rb").read() for path in sys.argv[1:]]
    password = sys.stdin.buffer.readline().rstrip(b"\n")
    headers = [Header(octets) for octets in files]
    first = headers[0]
    keys = Keys(password, first)
    for number, header in enumerate(headers):
        code = hmac.digest(keys.header, header.signed, "sha256")
        if not hmac.compare_digest(code, header.code):
            refuse("another password, or a header that was changed")
        if header.file != number or header.files != len(files):
            refuse("not all of its files, or not in their order")
    if first.total != sum(len(octets) for octets in files):
        refuse("another size")
    print(
        f"backup {first.name} files={first.files} octets={first.total}"
        f" made={first.made} {first.description}"
    )
    rows = Reader(b"".join(chunks(files, headers, keys)))
    while rows.octets:
        say_row(dict(fields(rows.take(rows.number(4)))), keys)


main()
