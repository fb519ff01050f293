"""TensorFlow's random numbers written out in integer operations, which XLA cannot draw otherwise.

Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011),
keyed as TensorFlow's CPU and GPU kernels of `tf.random.stateless_uniform` key it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
SEED_KEY = (0x3EC8F720, 0x02461E29)
"""Key by which TensorFlow scrambles a seed (GenerateKey in stateless_random_ops.cc)."""
MASK = 0xFFFFFFFF

Words = list[Any]


def uniform(shape: Sequence[int], seed: Any) -> tf.Tensor:
    """float32 in 0..1 of a fixed shape: the bits of tf.random.stateless_uniform(shape, seed)."""
    count = math.prod(int(size) for size in shape)
    seeds = tf.cast(seed, tf.int64)
    halves = [half for i in (0, 1) for half in _halves(tf.bitcast(seeds[i], tf.uint64))]
    mixed = _philox(halves, [_word(k) for k in SEED_KEY])
    blocks = tf.range(-(-count // 4), dtype=tf.int64)
    zeros = tf.zeros_like(tf.cast(blocks, tf.uint64))
    counter = [tf.cast(blocks, tf.uint64), zeros, zeros + mixed[2], zeros + mixed[3]]
    words = tf.reshape(tf.stack(_philox(counter, mixed[:2]), axis=1), [-1])[:count]
    # 23 random bits of mantissa below the exponent of 1, as TensorFlow's Uint32ToFloat.
    bits = tf.bitwise.bitwise_or(tf.bitwise.bitwise_and(words, _word(0x7FFFFF)), _word(0x3F800000))
    return tf.reshape(tf.bitcast(tf.cast(bits, tf.uint32), tf.float32) - 1.0, shape)


def _philox(counter: Words, key: Words) -> Words:
    """Four words of 32 bits, held in uint64, from a counter of four and a key of two."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    xor = tf.bitwise.bitwise_xor
    for _ in range(ROUNDS):
        low0, high0 = _halves(c0 * _word(MULTIPLIERS[0]))
        low1, high1 = _halves(c2 * _word(MULTIPLIERS[1]))
        c0, c1, c2, c3 = xor(xor(high1, c1), k0), low1, xor(xor(high0, c3), k1), low0
        k0 = tf.bitwise.bitwise_and(k0 + _word(WEYL[0]), _word(MASK))
        k1 = tf.bitwise.bitwise_and(k1 + _word(WEYL[1]), _word(MASK))
    return [c0, c1, c2, c3]


def _halves(x: Any) -> tuple[Any, Any]:
    """Low and high 32 bits of uint64."""
    return tf.bitwise.bitwise_and(x, _word(MASK)), tf.bitwise.right_shift(x, _word(32))


def _word(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint64)
