"""Checks a proof by the words of docs/protocol.md (proofs), without any of the project's code.

Reads the file's text and the DSA group of that page as JSON, and prints what is proved as JSON, or the name of the check that failed.
"""

import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import dsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

ALGORITHMS = {1: "rsa", 2: "dsa"}
KINDS = {1: "text", 2: "emote"}
ROLES = {1: "member", 2: "owner", 3: "moderator"}


class Failed(Exception):
    pass


def check(name, holds):
    if not holds:
        raise Failed(name)


def H(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


class Reader:
    """Fields in the order of a layout."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        check("form", self.at + count <= len(self.data))
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def bytes8(self):
        return self.take(self.number(1))

    def bytes16(self):
        return self.take(self.number(2))

    def choice(self, table):
        number = self.number(1)
        check("form", number in table)
        return table[number]

    def end(self):
        check("form", self.at == len(self.data))


def text(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Failed("form")


def read_file(whole):
    lines = [line.strip(" \t\r>") for line in whole.split("\n")]
    first = lines.index("-----BEGIN SECURECHAT PROOF-----") + 1
    end = lines.index("-----END SECURECHAT PROOF-----", first)
    return base64.b64decode("".join(lines[first:end]), validate=True)


def verifies(algorithm, key, group, domain, message, signature):
    signed = domain + b"\0" + message
    try:
        if algorithm == "rsa":
            loaded = load_der_public_key(key)
            check("key", isinstance(loaded, rsa.RSAPublicKey) and 3072 <= loaded.key_size <= 4096)
            check("key", loaded.public_numbers().e == 65537)
            check("key", loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == key)
            pss = padding.PSS(padding.MGF1(SHA256()), 32)
            loaded.verify(signature, signed, pss, SHA256())
        else:
            p, q, g = (int(group[name], 16) for name in "pqg")
            y = int.from_bytes(key, "big")
            check("key", len(key) == 384 and 1 < y < p and pow(y, q, p) == 1)
            loaded = dsa.DSAPublicNumbers(y, dsa.DSAParameterNumbers(p, q, g)).public_key()
            check("signature", len(signature) == 64)
            r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            loaded.verify(encode_dss_signature(r, s), signed, SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def read_content(inner):
    inner.take(16)  # the salt
    kind = inner.choice(KINDS)
    inner.bytes8()  # what it is about
    said = {"kind": kind, "text": text(inner.bytes16())}
    inner.end()
    return said


def prove(whole, group):
    proof = Reader(read_file(whole))
    check("form", proof.number(1) == 1)
    header, ciphertext_hash, signature = proof.bytes16(), proof.take(32), proof.bytes16()
    content, algorithm, key = proof.bytes16(), proof.choice(ALGORITHMS), proof.bytes16()
    owner, operation, owner_signature = proof.bytes16(), proof.bytes16(), proof.bytes16()
    count, start = proof.number(2), proof.at
    members = []
    for _ in range(count):
        identity, nick, role = proof.take(32), text(proof.bytes8()), proof.choice(ROLES)
        members.append((identity, nick, role, proof.choice(ALGORITHMS)))
        check("form", proof.number(1) in (0, 1))
    entries = proof.data[start : proof.at]
    proof.end()

    said = Reader(header)
    check("form", said.number(1) == 1)
    room, conversation, epoch, roster_hash = said.take(16), said.take(16), said.number(4), said.take(32)
    said.take(4 + 32)
    member_id = said.take(16)
    said.take(4 + 8 + 4 + 32)
    commitment = said.take(32)
    said.take(32 + 4 + 32)
    said.end()

    listed = Reader(operation)
    check("form", listed.number(1) == 1)
    listed_room, listed_epoch = listed.take(16), listed.number(4)
    listed.take(32)
    list_hash = listed.take(32)
    listed.take(8)
    room_name = text(listed.bytes8())

    check("owner-signature", verifies("rsa", owner, group, b"sc1/roster", operation, owner_signature))
    check("list", H(b"sc1/list", entries) == list_hash)
    check("room", room == listed_room)
    check("quoted-list", epoch == listed_epoch and roster_hash == H(b"sc1/operation", operation))
    identity = H(b"sc1/id", key)
    check("signer", member_id == identity[:16])
    found = [member for member in members if member[0] == identity and member[3] == algorithm]
    check("member", len(found) == 1)
    check("signature", verifies(algorithm, key, group, b"sc1/msg", H(header) + ciphertext_hash, signature))
    check("content", commitment == H(b"sc1/content", content))

    return {
        "room": room_name,
        "owner": H(b"sc1/owner", owner).hex(),
        "epoch": epoch,
        "signer": identity.hex(),
        "nick": found[0][1],
        "role": found[0][2],
        "algorithm": algorithm,
        "members": len(members),
        "conversation": conversation.hex(),
        "id": base64.urlsafe_b64encode(H(b"sc1/entry", H(header), ciphertext_hash, H(signature))[:9]).decode(),
        **read_content(Reader(content)),
    }


given = json.load(sys.stdin)
try:
    print(json.dumps(prove(given["proof"], given["group"])))
except Failed as failed:
    print(json.dumps({"failed": str(failed)}))
