"""Random numbers: every use has a named stream of its own, derived from the study's one seed.

Takes in the seed and the names of the use; gives out a numpy Generator. Two uses never share numbers, and a
new use changes no old one.

    >>> int(stream(1, "splits", "default").integers(1000)) == int(stream(1, "splits", "default").integers(1000))
    True
"""

import hashlib

import numpy as np


def stream(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on the seed and the names, on nothing else."""
    return np.random.default_rng(stream_seed(seed, *names))


def stream_seed(seed: int, *names: str) -> int:
    """A 64-bit seed for libraries that take a number, as torch does."""
    text = "\x1f".join([str(seed), *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
