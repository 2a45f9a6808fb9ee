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
        n = int.from_bytes(stream(f"{label} {counter}", (bits + 7) // 8), "little") % (1 << bits)
        n |= 3 | 7 << (bits - 3)
        if is_prime(n):
            return n
        counter += 1


def fitting_prime(label, bits, others):
    tries = 0
    while True:
        n = prime(f"{label}.{tries}", bits)
        if all(n != other and math.gcd(n - 1, other - 1) == 2 for other in others):
            return n
        tries += 1


def germain_prime(label, bits):
    """A prime q such that 2 q + 1 is prime too."""
    tries = 0
    while True:
        q = prime(f"{label}.{tries}", bits)
        if is_prime(2 * q + 1):
            return q
        tries += 1


def by_lambda(c, primes, n):
    """Decryption as Paillier has it, without the remainder theorem: L(c^lambda mod n^2) lambda^-1 mod n."""
    exponent = math.lcm(*(p - 1 for p in primes))
    return (pow(c, exponent, n * n) - 1) // n * pow(exponent, -1, n) % n


def show(name, value, size):
    print(f"{name} = {value.to_bytes(size, 'little').hex()}")


print("# Made by make_paillier.py, which computes with Python's integers.")
for bits in (512, 3072, 4096):
    primes = []
    for i in range(3):
        primes.append(fitting_prime(f"p{bits}.{i}", bits // 3 + (i < bits % 3), primes))
    n = math.prod(primes)
    assert n.bit_length() == bits and math.gcd(n, math.prod(p - 1 for p in primes)) == 1
    x = int.from_bytes(stream(f"x{bits}", bits // 8 + 16), "little")
    h = x * x % n
    g = pow(h, n, n * n)
    sum_of_all, product = 0, 1
    for i, p in enumerate(primes):
        show(f"{bits}.prime.{i}", p, (p.bit_length() + 7) // 8)
    show(f"{bits}.x", x, bits // 8 + 16)
    show(f"{bits}.key", n + (h << bits), bits // 4)
    for i in range(2):
        m = int.from_bytes(stream(f"m{bits}.{i}", bits // 8), "little") >> 2
        a = int.from_bytes(stream(f"a{bits}.{i}", 56), "little")
        c = (1 + m * n) * pow(g, a, n * n) % (n * n)
        assert by_lambda(c, primes, n) == m
        show(f"{bits}.message.{i}", m, bits // 8)
        show(f"{bits}.exponent.{i}", a, 56)
        show(f"{bits}.ciphertext.{i}", c, bits // 4)
        sum_of_all, product = (sum_of_all + m) % n, product * c % (n * n)
    show(f"{bits}.sum", sum_of_all, bits // 8)
    a = int.from_bytes(stream(f"again{bits}", 56), "little")
    show(f"{bits}.again", a, 56)
    show(f"{bits}.rerandomised", product * pow(g, a, n * n) % (n * n), bits // 4)
    for i in range(3):  # Numbers that nobody encrypted decrypt too.
        c = int.from_bytes(stream(f"foreign{bits}.{i}", bits // 4), "little") % (n * n)
        show(f"{bits}.foreign.{i}", c, bits // 4)
        show(f"{bits}.opened.{i}", by_lambda(c, primes, n), bits // 8)
q = germain_prime("germain", 170)  # Divides the other one less one: the three are no key.
show("512.germain", q, 22)
show("512.twice", 2 * q + 1, 22)
