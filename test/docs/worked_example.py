"""Derives the worked example of docs/protocol.md from the words of that document, without any of the project's code.

Reads the documented values, and the g of the DSA group, as JSON and prints the names of those that came out the same; stops at the first that did not.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys
import zlib

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

given = json.load(sys.stdin)
documented = given["vectors"]
g = bytes.fromhex(given["g"])
confirmed = []


def check(name, value):
    text = value if isinstance(value, str) else value.hex()
    if documented[name] != text:
        sys.exit(f"{name}: documented {documented[name]}, derived {text}")
    confirmed.append(name)


def run(first, count):
    return bytes(range(first, first + count))


def H(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def HMAC(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def HKDF(secret, salt, info, length):
    prk = HMAC(salt or bytes(32), secret)
    out, block, number = b"", b"", 1
    while len(out) < length:
        block = HMAC(prk, block, info, bytes([number]))
        out += block
        number += 1
    return out[:length]


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


def text8(text):
    data = text.encode()
    return bytes([len(data)]) + data


def text16(text):
    data = text.encode()
    return u16(len(data)) + data


def frame(kind, body):
    return u32(1 + len(body)) + bytes([kind]) + body


def b64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


ZERO16, ZERO32 = bytes(16), bytes(32)
PLACED_AT_MS = 1_800_000_000_000
room_id, tls_pin, invitation_id = run(0x10, 16), run(0x20, 32), run(0x40, 8)
exporter = run(0xA0, 32)

# Invitation
invitation = documented["invitation"]
prefix, key_text, token, checksum = invitation.split(".")
assert prefix == "sc1" and b64(key_text) == run(0x50, 32)
assert b64(checksum) == u32(zlib.crc32(invitation.rsplit(".", 1)[0].encode()))
check("invitation", invitation)
owner_fingerprint = H(b"sc1/owner", g)
payload = bytes([1, 1]) + room_id + owner_fingerprint + tls_pin + invitation_id + u32(86_400) + bytes([16, 2])
payload += text8("192.0.2.1") + u16(8888) + text8("2001:db8::1") + u16(8888)
padded = [text + "=" * (-len(text) % 4) for text in (key_text, token)]
assert Fernet(padded[0]).decrypt(padded[1].encode()) == payload
admission_key = HKDF(b64(key_text), H(token.encode()), b"sc1/admit", 32)
check("admission key", admission_key)

# Frames of the door
check("ping frame", frame(16, b""))
fields = bytes([1, 1, 0, 1]) + room_id + bytes([8]) + invitation_id + run(0xC0, 32)
proof = HMAC(admission_key, b"sc1/hello", exporter, fields)
check("hello proof", proof)
hello = frame(1, fields + proof)
check("hello frame", hello)
question = frame(2, run(0xE0, 32) + text8("K\u00fcche") + text16("Where did we meet?") + bytes([0, 5]) + u32(0) + bytes([1, 1]))
check("question frame", question)
transcript = H(b"sc1/th", exporter, hello, question)
check("transcript", transcript)
material = HKDF(run(0, 64), transcript, b"sc1/box to-host", 44)
check("box", AESGCM(material[:32]).encrypt(material[32:], b"not a real JOIN", bytes([7])))

# Roster
identity = H(b"sc1/id", g)
check("identity", identity)
check("owner fingerprint", owner_fingerprint)


# Digits to compare
def digits(key):
    digest = H(b"sc1/verify", key)
    for _ in range(5200):
        digest = H(digest, key)
    groups = [digest[at : at + 5] for at in range(0, 30, 5)]
    return "".join("%05d" % (int.from_bytes(group, "big") % 100000) for group in groups)


check("digits", "".join(digits(key) for key in sorted([identity, run(0xB0, 32)])))
entry = identity + text8("ann") + bytes([1, 2, 0])
check("roster entry", entry)
list_hash = H(b"sc1/list", entry)
check("list hash", list_hash)
operation = bytes([1]) + room_id + u32(1) + ZERO32 + list_hash + u64(PLACED_AT_MS) + text8("K\u00fcche")
# A plain room: no topic, no words for newcomers, no slow mode, neither locked nor by approval; messages stay, may be
# changed, and their senders told what was read.
operation += u16(0) + u16(0) + u16(0) + bytes([0, 0]) + u32(0) + bytes([1, 1])
operation += u16(0) + u16(1) + entry + bytes([0])
check("roster operation", operation)
operation_hash = H(b"sc1/operation", operation)
check("operation hash", operation_hash)
# What all compare at once: the words are the PGP word list, which the document pins by their hash.
even_words, odd_words = given["words"]
check("check words", H("".join(word + "\n" for word in even_words + odd_words).encode()))
room_check = H(b"sc1/check", owner_fingerprint, operation_hash)
for _ in range(5200):
    room_check = H(room_check, owner_fingerprint, operation_hash)
spoken = [(odd_words if place % 2 else even_words)[byte] for place, byte in enumerate(room_check[:16])]
check("room check", " ".join(spoken))
quads = [room_check[at : at + 4] for at in range(0, 32, 4)]
check("room check digits", "".join("%05d" % (int.from_bytes(quad, "big") % 100000) for quad in quads))

# Chain
member_id, chain_id = identity[:16], run(0x70, 8)
chain_start = H(b"sc1/chain0", member_id, chain_id)
check("chain start", chain_start)
ck = run(0x80, 32)
commitment = H(b"sc1/ck", ck)
check("commitment", commitment)
material = HKDF(HMAC(ck, b"\x01"), b"", b"sc1/msg", 44)
message_key, nonce = material[:32], material[32:]
check("message key", message_key)
check("message nonce", nonce)
next_ck = HMAC(ck, b"\x02")
check("next chain key", next_ck)
check("next commitment", H(b"sc1/ck", next_ck))


# Log and message
def leaf(header, ciphertext, signature):
    return H(b"sc1/entry", H(header), H(ciphertext), H(signature))


def head(before, index, kind, at_ms, entry_leaf):
    return H(b"sc1/log", before, u32(index), bytes([kind]), u64(at_ms), entry_leaf)


head_0 = H(b"sc1/log0", room_id, ZERO16)
check("head 0", head_0)
leaf_1 = leaf(operation, b"", run(0, 64))
check("leaf 1", leaf_1)
head_1 = head(head_0, 1, 2, PLACED_AT_MS, leaf_1)
check("head 1", head_1)
content = run(0x90, 16) + bytes([1]) + bytes([0]) + text16("hello")
check("content", content)
content_commitment = H(b"sc1/content", content)
check("content commitment", content_commitment)
header = bytes([1]) + room_id + ZERO16 + u32(1) + operation_hash + u32(0) + ZERO32 + member_id + u32(1)
header += chain_id + u32(0) + commitment + content_commitment + chain_start + u32(1) + head_1
check("message header", header)
plaintext = (u16(len(content)) + content).ljust(256, b"\0")
ciphertext = AESGCM(message_key).encrypt(nonce, plaintext, header)
check("ciphertext", ciphertext)
check("signed by sc1/msg", H(header) + H(ciphertext))
leaf_2 = leaf(header, ciphertext, run(0, 64))
check("leaf 2", leaf_2)
check("head 2", head(head_1, 2, 1, PLACED_AT_MS + 1, leaf_2))

# File
file_id, file_key, salt = run(0xB0, 16), run(0x60, 32), run(0, 24)
file = bytes(16384) + b"hello"
check("file offer", file_id + file_key + H(file) + u64(len(file)) + u32(0) + u32(0))
info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + b"sc1/file" + room_id + file_id
keys, number = b"", 1
while len(keys) < 76:
    keys += hmac.new(file_key, keys[-64:] + info + bytes([number]), hashlib.sha512).digest()
    number += 1
chunk_key, base_nonce, file_commitment = keys[:32], keys[32:44], keys[44:76]
chunk_nonce = base_nonce[:8] + u32(int.from_bytes(base_nonce[8:], "big") ^ 1)
check("file pass", salt + file_commitment + AESGCM(chunk_key).encrypt(chunk_nonce, file[16384:], b""))
check("manifest", u32(1) + text16("a/hello.txt") + u64(5) + H(b"hello") + bytes([0]))

print(json.dumps(sorted(confirmed)))
