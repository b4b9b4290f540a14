"""Paper 1: a Siamese score net that matches the distributions of star ratings and of pairwise ratings.

Dai, Wang, Hua, "Understanding and Predicting the Attractiveness of Human Action Shot", arXiv, 2017.

Takes in a study's answers (photojury.datasets.loading); gives out a `HybridSiamese` job for
photojury.baselines.loop, and one score per picture, higher meaning better.

    >>> gap = torch.tensor([0.5])
    >>> pair_log_probabilities(gap, torch.tensor([-2.0, -1, 0, 1, 2])).exp().sum().item()
    1.0

What the paper reports (Table 2, cross entropy in nats; 5,980 training and 2,000 test images) is TABLE_2.

Differs from the paper:
  1. Equations 4 and 7 lack the minus sign, without which Table 2 would be negative; it is put in.
  2. lambda (equation 9) lies in [0, 2], not in [0, 1]: two unanimous, opposite images would give the pair loss the
     weight -1. It is clamped to [0, 1]; `half` halves it, `literal` is the paper's, `fixed` a constant.
  3. Section 3.3 says that the first image is better if ave_p < 0, against its own labels (+2: first much
     better). Here positive always means that the first is better.
  4. The order D_1 > 0, D_2 > D_1 (and that of the standard scores) is stated but not enforced by SGD. Here
     they are sums of softplus; `thresholds = "free"` is the literal form.
  5. Not said, so ours: kernel (1 x 1) and middle width of the two layers, the place of the ReLU, all first
     values, batch size, momentum, weight decay. Stated nowhere and so left out: dropout, augmentation.
  6. A picture without star ratings adds nothing to the global loss, and its pairs have lambda = 0.
  7. The best epoch on the validation part is kept; the paper has no validation part.
  8. The preset `small` (a net for CPUs and small studies) is ours throughout.
"""

import dataclasses
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

from photojury.baselines import backbones
from photojury.baselines.loop import Stage
from photojury.datasets.loading import Answers, PairDataset, PairItem, Part, Pictures, shares
from photojury.errors import InputError, unknown_name

log = logging.getLogger(__name__)

TABLE_2 = {
    "hybrid": {"train": {"Lg": 0.690, "Lr": 1.228}, "test": {"Lg": 0.869, "Lr": 1.409}},
    "global": {"train": {"Lg": 0.640}, "test": {"Lg": 0.910}},
    "pairwise": {"train": {"Lr": 1.197}, "test": {"Lr": 1.420}},
}
"""Average cross entropy in nats by training scheme; a uniform guess has ln 3 = 1.0986 and ln 5 = 1.6094."""

CHOICES = {
    "objective": ("hybrid", "global", "pairwise"),
    "weight": ("clamp", "half", "literal", "fixed"),
    "targets": ("distribution", "majority"),
    "thresholds": ("ordered", "free"),
    "relu_after": ("first", "second", "both"),
}


@dataclass(frozen=True)
class Recipe:
    """Every number of a training; the defaults are the paper's, or ours where it gives none."""

    backbone: str = "vgg16"  # section 4
    size: int = 224  # section 4
    middle: int = 512  # ours: width between the two added layers
    features: int = 128  # section 4
    relu_after: str = "both"  # ours: the text has one ReLU and not its place
    pool: str = "max"  # section 4
    dropout: float = 0.0  # section 4 names none
    jitter: float = 0.0  # ours: noise on the small backbone's measures; none
    flip: bool = False  # section 5 names no augmentation
    objective: str = "hybrid"  # section 4, equation 8; global and pairwise are section 5.2's ablations
    weight: str = "clamp"  # ours: equation 9 is `literal`
    fixed_weight: float = 0.5  # ours: lambda where weight is `fixed`
    targets: str = "distribution"  # section 4; `majority` is section 5.2's consolidated label
    thresholds: str = "ordered"  # section 4 states the order, `free` does not enforce it
    start: str = "paper"  # ours: first thresholds (-1, 0, 1) and (1, 2); `constant` is the preset small's
    batch_size: int = 32  # ours
    stages: tuple[Stage, ...] = (
        # Section 5: 2 epochs of the new layers, then 6 of all, 1e-6 falling tenfold every 2 epochs. This rate
        # belongs to a loss summed over the batch (section 4), as it is here. Momentum and decay are ours.
        Stage(2, 1e-6, weight_decay=5e-4, frozen=("backbone.",)),
        Stage(6, 1e-6, step=2, weight_decay=5e-4),
    )


PAPER = Recipe()
