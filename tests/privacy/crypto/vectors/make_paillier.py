#!/usr/bin/env python3
"""Known answers of Paillier's encryption, by Python's own integers: make_paillier.py > paillier.txt

Everything random is a hash, so that the file can be made again. Bytes are little-endian."""
import hashlib
import math


def stream(label, size):
    out = b""
    while len(out) < size:
        out += hashlib.sha256(label.encode() + len(out).to_bytes(4, "little")).digest()
    return out[:size]


def is_prime(n):
    if any(n % f == 0 for f in (3, 5, 7, 11, 13, 17, 19, 23)):
        return False
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for base in range(2, 22):
        x = pow(base, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(label, bits):
    counter = 0
    while True:
        n = int.from_bytes(stream(f"{label} {counter}", bits // 8), "little")
        n |= 3 | 3 << (bits - 2)
        if is_prime(n):
            return n
        counter += 1


def show(name, value, size):
    print(f"{name} = {value.to_bytes(size, 'little').hex()}")


print("# Made by make_paillier.py, which computes with Python's integers.")
for bits in (512, 3072):
    p = prime(f"p{bits}", bits // 2)
    q, tries = p, 0
    while p == q or math.gcd(p - 1, q - 1) != 2:
        q, tries = prime(f"q{bits}.{tries}", bits // 2), tries + 1
    n = p * q
    assert math.gcd(n, (p - 1) * (q - 1)) == 1
    x = int.from_bytes(stream(f"x{bits}", bits // 8 + 16), "little")
    h = -x * x % n
    g = pow(h, n, n * n)
    sum_of_all, product = 0, 1
    show(f"{bits}.p", p, bits // 16)
    show(f"{bits}.q", q, bits // 16)
    show(f"{bits}.x", x, bits // 8 + 16)
    show(f"{bits}.key", n + (h << bits), bits // 4)
    for i in range(2):
        m = int.from_bytes(stream(f"m{bits}.{i}", bits // 8), "little") >> 2
        a = int.from_bytes(stream(f"a{bits}.{i}", 56), "little")
        c = (1 + m * n) * pow(g, a, n * n) % (n * n)
        show(f"{bits}.message.{i}", m, bits // 8)
        show(f"{bits}.exponent.{i}", a, 56)
        show(f"{bits}.ciphertext.{i}", c, bits // 4)
        sum_of_all, product = (sum_of_all + m) % n, product * c % (n * n)
    show(f"{bits}.sum", sum_of_all, bits // 8)
    a = int.from_bytes(stream(f"again{bits}", 56), "little")
    show(f"{bits}.again", a, 56)
    show(f"{bits}.rerandomised", product * pow(g, a, n * n) % (n * n), bits // 4)
