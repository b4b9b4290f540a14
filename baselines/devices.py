"""Which device a network runs on: takes in auto, cpu or cuda, gives out what torch calls it.

>>> device_name("cpu")
'cpu'
"""

import torch

from photojury.errors import InputError, unknown_name

DEVICES = ("auto", "cpu", "cuda")


def device_name(name: str) -> str:
    """ "cpu" or "cuda"; auto takes CUDA where it is.

    Raises:
        InputError: an unknown name, or cuda where there is none.
    """
    if name not in DEVICES:
        raise unknown_name("device", name, DEVICES)
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise InputError("there is no CUDA device here; use --device cpu, or leave --device out")
    return "cuda" if name != "cpu" and there else "cpu"
