#!/usr/bin/env python3
"""A second implementation of the secure sum's derivations, written from privacy/secure_sum/*.h alone.

Prints known answers, one "name = value" a line, bytes in hexadecimal:

    python3 make_vectors.py > vectors.txt        (needs the Python package cryptography)

The tests compare the C++ implementation with the file; whoever writes a third one can do the same.
"""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

P = 2**61 - 1
MASK64 = 2**64 - 1


def show(name, value):
    print(f"{name} = {value.hex() if isinstance(value, bytes) else value}")


def u32(number):
    return struct.pack("<I", number)


def u64(number):
    return struct.pack("<Q", number)


def expand(key, label, *fields):
    return hmac.new(key, label.encode() + b"".join(fields) + b"\x01", hashlib.sha256).digest()


def keystream(key_and_iv, count):
    cipher = Cipher(algorithms.AES(key_and_iv[:16]), modes.CTR(key_and_iv[16:]))
    return cipher.encryptor().update(bytes(count))


def bytes_from(start, count=32):
    return bytes((start + i) % 256 for i in range(count))


def pair_vectors():
    low, high = 3, 41
    scalars = {low: bytes_from(7), high: bytes_from(101)}
    keys = {i: X25519PrivateKey.from_private_bytes(scalar) for i, scalar in scalars.items()}
    points = {i: key.public_key().public_bytes_raw() for i, key in keys.items()}
    session = hashlib.sha256(b"a session").digest()
    context = hashlib.sha256(b"a context").digest()
    shared = keys[low].exchange(X25519PublicKey.from_public_bytes(points[high]))
    prk = hmac.new(session, shared + points[low] + points[high], hashlib.sha256).digest()
    show("low.id", low)
    show("high.id", high)
    show("low.scalar", scalars[low])
    show("high.scalar", scalars[high])
    show("low.point", points[low])
    show("high.point", points[high])
    show("session", session)
    show("context", context)
    boxes = {"low_to_high": expand(prk, "hanse/1 share", u32(low), u32(high)),
             "high_to_low": expand(prk, "hanse/1 share", u32(high), u32(low))}
    show("agree", expand(prk, "hanse/1 agree", u32(low), u32(high)))
    chain = expand(prk, "hanse/1 chain", u32(low), u32(high))
    u = bytes_from(200)
    for turn in range(1001):
        if turn in (0, 1, 2, 1000):
            seed = expand(chain, "hanse/1 seed", u64(turn))
            show(f"round{turn}.seed", seed)
            show(f"round{turn}.mask", expand(seed, "hanse/1 mask", context))
            show(f"round{turn}.edge", expand(seed, "hanse/1 edge", context)[:16])
            pad = expand(u, "hanse/1 wrap", u32(high))
            show(f"round{turn}.wrap", bytes(a ^ b for a, b in zip(seed, pad)))
            for direction, key in boxes.items():
                show(f"round{turn}.box.{direction}", expand(key, "hanse/1 box", u64(turn)))
        chain = expand(chain, "hanse/1 next")
        boxes = {direction: expand(key, "hanse/1 next") for direction, key in boxes.items()}
    show("own.u", u)
    show("own.b", bytes_from(55))
    show("own.self", expand(bytes_from(55), "hanse/1 self", context))


def mask_vectors():
    key_and_iv = bytes_from(16, 16) + b"\xff" * 15 + b"\xfe"  # The counter wraps within the first blocks.
    stream = keystream(key_and_iv, 5003 * 8)
    show("mask.key_and_iv", key_and_iv)
    show("mask.first_64_bytes", stream[:64])
    show("mask.sha256_of_5003_u32", hashlib.sha256(stream[: 5003 * 4]).digest())
    show("mask.sha256_of_5003_u64", hashlib.sha256(stream).digest())
    negative = struct.pack("<4I", *((-entry) % 2**32 for entry in struct.unpack("<4I", stream[:16])))
    show("mask.minus_first_16_bytes_u32", negative)


def shamir_vectors():
    secret = bytes_from(240)
    number = int.from_bytes(secret, "little")
    limbs = [number >> (52 * i) & (2**52 - 1) for i in range(5)]
    threshold, holders = 3, [0, 4, 9, 16383, 16384]
    coefficients = [[pow(7, 1 + 5 * power + i, P) for i in range(5)] for power in range(threshold - 1)]
    show("shamir.secret", secret)
    show("shamir.threshold", threshold)
    for holder in holders:
        x = holder + 1
        values = [(limb + sum(c[i] * pow(x, power + 1, P) for power, c in enumerate(coefficients))) % P
                  for i, limb in enumerate(limbs)]
        show(f"shamir.share_of_{holder}", b"".join(u64(value) for value in values))


def split_mix(value):
    z = (value + 0x9E3779B97F4A7C15) & MASK64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
    return z ^ (z >> 31)


def rotate(value, count):
    return (value << count | value >> (64 - count)) & MASK64


class SeededGenerator:
    """xoshiro256** as in common/base/seeded_generator.h."""

    def __init__(self, key):
        mixed = len(key)
        for part in key:
            mixed = split_mix(mixed ^ split_mix(part))
        self.state = []
        for _ in range(4):
            mixed = split_mix(mixed)
            self.state.append(mixed)

    def next(self):
        s = self.state
        result = rotate(s[1] * 5 & MASK64, 7) * 9 & MASK64
        shifted = s[1] << 17 & MASK64
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = rotate(s[3], 45)
        return result

    def below(self, bound):
        while True:
            product = self.next() * bound
            if product & MASK64 >= 2**64 % bound:
                return product >> 64


def graph_vectors():
    merchants = 300
    order_digest = hashlib.sha256(b"a large session").digest()
    order = list(range(merchants))
    generator = SeededGenerator(struct.unpack("<4Q", order_digest))
    for i in range(merchants, 1, -1):
        j = generator.below(i)
        order[i - 1], order[j] = order[j], order[i - 1]
    k = 66
    show("graph.merchants", merchants)
    show("graph.order", order_digest)
    show("graph.degree", k)
    for merchant in (0, 299):
        place = order.index(merchant)
        around = [order[(place + step) % merchants] for step in range(-k // 2, k // 2 + 1) if step != 0]
        show(f"graph.neighbours_of_{merchant}", " ".join(map(str, sorted(around))))


if __name__ == "__main__":
    print("# Known answers of the secure sum, made by make_vectors.py.")
    pair_vectors()
    mask_vectors()
    shamir_vectors()
    graph_vectors()
