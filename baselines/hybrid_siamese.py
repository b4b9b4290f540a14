"""Paper 1: a Siamese score net that matches the distributions of star ratings and of pairwise ratings.

Dai, Wang, Hua, "Understanding and Predicting the Attractiveness of Human Action Shot", arXiv, 2017.

Takes in a study's answers (photojury.datasets.loading); gives out a `HybridSiamese` job for
photojury.baselines.loop, and one score per picture, higher meaning better.

    >>> gap = torch.tensor([0.5])
    >>> pair_log_probabilities(gap, torch.tensor([-2.0, -1, 0, 1, 2])).exp().sum().item()
    1.0

What the paper reports (Table 2, mean cross entropy in nats, 5,980 training and 2,000 test images; a uniform guess
has ln 3 = 1.0986 and ln 5 = 1.6094; photojury.datasets.papers has the same numbers for programs):

    trained on    train Lg   train Lr   test Lg   test Lr
    both (hybrid)   .690      1.228      .869      1.409
    ratings only    .640        -        .910        -
    pairs only       -        1.197       -        1.420

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
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

from photojury.analysis import metrics
from photojury.baselines import backbones
from photojury.baselines.backbones import Backbone
from photojury.baselines.loop import Stage
from photojury.datasets.loading import Answers, PairDataset, PairItem, Pictures, shares
from photojury.errors import InputError, unknown_name

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
    size: int = 224  # pixels; section 4
    middle: int = 512  # ours: width between the two added layers
    features: int = 128  # section 4
    relu_after: str = "both"  # ours: the text has one ReLU and not its place
    pool: str = "max"  # section 4
    jitter: float = 0.0  # ours: noise on the measures of the backbone `small`; none
    flip: bool = False  # section 5 names no augmentation
    objective: str = "hybrid"  # section 4, equation 8; global and pairwise are section 5.2's ablations
    weight: str = "clamp"  # ours; `literal` is equation 9
    fixed_weight: float = 0.5  # ours: lambda where weight is `fixed`
    targets: str = "distribution"  # section 4; `majority` is section 5.2's consolidated label
    thresholds: str = "ordered"  # section 4 states the order; `free` does not enforce it
    start: str = "fixed"  # ours: first thresholds (-1, 0, 1) and (1, 2); `constant`: see `start_constant`
    batch_size: int = 32  # pairs; ours
    threads: int = 0  # ours: of the CPU; 0 leaves it to torch
    stages: tuple[Stage, ...] = (
        # Section 5: 2 epochs of the new layers, then 6 of all, at 1e-6 falling tenfold every 2 epochs. The
        # rate belongs to a loss summed over the batch (section 4), as it is here. Momentum 0.9 and decay: ours.
        Stage(2, 1e-6, weight_decay=5e-4, frozen=("backbone.",)),
        Stage(6, 1e-6, step=2, weight_decay=5e-4),
    )


PRESETS = {
    "vgg16": Recipe(),
    "small": Recipe(  # all ours, chosen on photographs of scikit-image in edits of known effect
        backbone="small",
        size=256,
        middle=16,
        features=32,
        relu_after="second",
        pool="mean",
        jitter=0.5,
        flip=True,
        start="constant",
        threads=1,  # its operations are too small to share
        stages=(Stage(60, 1e-3, schedule="cosine", optimizer="adamw", weight_decay=0.05),),
    ),
}
"""The recipe by backbone; its fields can be replaced one by one."""

CHOICES = {
    "relu_after": ("first", "second", "both"),
    "pool": ("max", "mean"),
    "objective": ("hybrid", "global", "pairwise"),
    "weight": ("clamp", "half", "literal", "fixed"),
    "targets": ("distribution", "majority"),
    "thresholds": ("ordered", "free"),
    "start": ("fixed", "constant"),
}


class ScoreNet(nn.Module):
    """Section 4's score net: backbone, two 1 x 1 layers, spatial pooling, one linear layer.

    Takes in what `backbone.prepare` gives, n pictures; gives out (n,) scores, higher meaning better.
    """

    def __init__(self, recipe: Recipe, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.pool = recipe.pool
        inner = nn.ReLU() if recipe.relu_after in ("first", "both") else nn.Identity()
        outer = nn.ReLU() if recipe.relu_after in ("second", "both") else nn.Identity()
        self.added = nn.Sequential(
            nn.Conv2d(backbone.channels, recipe.middle, 1),
            inner,
            nn.Conv2d(recipe.middle, recipe.features, 1),
            outer,
        )
        self.last = nn.Linear(recipe.features, 1)

    def forward(self, prepared: torch.Tensor) -> torch.Tensor:
        grid = self.added(self.backbone(prepared))
        pooled = grid.amax((2, 3)) if self.pool == "max" else grid.mean((2, 3))
        score: torch.Tensor = self.last(pooled).squeeze(1)
        return score


class Thresholds(nn.Module):
    """The learned standard scores s_g,1 .. s_g,M and relative scores D_-2 .. D_2 (section 4).

    D is symmetric with D_0 = 0. Ordered: differences are softplus of the parameters, so that always
    s_g,1 < s_g,2 < ... and 0 < D_1 < D_2. Free: the parameters are the scores, as the paper writes them.
    """

    def __init__(self, levels: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        standard = torch.linspace(-1, 1, levels)
        relative = torch.tensor([1.0, 2.0])
        if kind == "ordered":
            standard = torch.cat([standard[:1], _inverse_softplus(standard.diff())])
            relative = _inverse_softplus(torch.tensor([1.0, 1.0]))
        self.standard_parameters = nn.Parameter(standard)
        self.relative_parameters = nn.Parameter(relative)

    def standard(self) -> torch.Tensor:
        """(levels,) standard scores, worst rating first."""
        raw = self.standard_parameters
        if self.kind == "free":
            return raw
        return raw[0] + torch.cat([torch.zeros_like(raw[:1]), functional.softplus(raw[1:]).cumsum(0)])

    def relative(self) -> torch.Tensor:
        """(5,) relative scores of the levels -2 .. 2."""
        raw = self.relative_parameters
        half = raw if self.kind == "free" else functional.softplus(raw).cumsum(0)
        return torch.cat([-half.flip(0), torch.zeros_like(half[:1]), half])


class Network(nn.Module):
    """What is trained: the score net, shared by both pictures of a pair, and the thresholds of the loss."""

    def __init__(self, recipe: Recipe, backbone: Backbone, levels: int) -> None:
        super().__init__()
        self.score = ScoreNet(recipe, backbone)
        self.thresholds = Thresholds(levels, recipe.thresholds)


def global_log_probabilities(scores: torch.Tensor, standard: torch.Tensor) -> torch.Tensor:
    """Equations 2 and 3: (n,) scores and (k,) standard scores to (n, k) log probabilities of the stars."""
    return functional.log_softmax(-((scores.unsqueeze(1) - standard) ** 2), dim=1)


def pair_log_probabilities(gap: torch.Tensor, relative: torch.Tensor) -> torch.Tensor:
    """Equations 5 and 6: (n,) s_1 - s_2 and (5,) relative scores to (n, 5) log probabilities of -2 .. 2."""
    return functional.log_softmax(-((gap.unsqueeze(1) - relative) ** 2), dim=1)


def cross_entropy(target: torch.Tensor, log_probabilities: torch.Tensor) -> torch.Tensor:
    """Equations 4 and 7 with the minus sign that they lack: (n, k) and (n, k) to (n,) nats."""
    return -(target * log_probabilities).sum(dim=1)


def pair_weight(first: torch.Tensor, second: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    """Equation 9's lambda of (n, k) and (n, k) shares of stars: (n,), 0 where a picture is unrated."""
    distance = ((first - second) ** 2).sum(dim=1)
    weight = {
        "clamp": distance.clamp(max=1),
        "half": distance / 2,
        "literal": distance,
        "fixed": torch.full_like(distance, recipe.fixed_weight),
    }[recipe.weight]
    rated = (first.sum(dim=1) > 0) & (second.sum(dim=1) > 0)
    return torch.where(rated, weight, 0.0)


def hybrid_loss(
    scores: tuple[torch.Tensor, torch.Tensor], batch: PairItem, thresholds: Thresholds, recipe: Recipe
) -> torch.Tensor:
    """Equation 8 for each pair: (n,) scores of the first and of the second pictures to (n,) losses.

    objective "global" leaves only L_g^1 + L_g^2, "pairwise" only L_r (section 5.2).
    """
    first, second, levels = batch.first_stars, batch.second_stars, batch.levels
    weight = pair_weight(first, second, recipe)
    if recipe.targets == "majority":
        first, second, levels = majority(first), majority(second), majority(levels)
    standard = thresholds.standard()
    global_loss = cross_entropy(first, global_log_probabilities(scores[0], standard)) + cross_entropy(
        second, global_log_probabilities(scores[1], standard)
    )
    pair_loss = cross_entropy(levels, pair_log_probabilities(scores[0] - scores[1], thresholds.relative()))
    if recipe.objective == "global":
        return global_loss
    if recipe.objective == "pairwise":
        return pair_loss
    return weight * global_loss + (1 - weight) * pair_loss


def majority(shares_: torch.Tensor) -> torch.Tensor:
    """The consolidated label of section 5.2: all mass on the most voted level, shared among equals."""
    most = ((shares_ == shares_.amax(dim=1, keepdim=True)) & (shares_ > 0)).float()
    return most / most.sum(dim=1, keepdim=True).clamp_min(1)


def start_constant(network: Network, stars: torch.Tensor, levels: torch.Tensor) -> None:
    """Begin where a constant predictor would end (ours).

    The thresholds are fitted to the training mean shares, (k,) and (5,), at the score 0, and the last layer is
    made to give out scores near 0: what the net then learns is what the pictures add to that.
    """
    optimizer = torch.optim.Adam(network.thresholds.parameters(), lr=0.05)
    zero = torch.zeros(1, device=stars.device)
    for _ in range(200):
        global_ = cross_entropy(stars, global_log_probabilities(zero, network.thresholds.standard()))
        pair = cross_entropy(levels, pair_log_probabilities(zero, network.thresholds.relative()))
        optimizer.zero_grad()
        (global_ + pair).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        network.score.last.weight.mul_(0.3)
        network.score.last.bias.zero_()


class HybridSiamese:
    """Paper 1 as a job of photojury.baselines.loop.

    Args:
        recipe: see `Recipe`.
        answers: the study's votes and pictures.
        seed: of the first weights.
        device: "cpu" or "cuda".
        weights: of the backbone; see photojury.baselines.backbones.build.

    Raises:
        InputError: an option that is unknown, weights that are not there, or answers that are missing.
    """

    def __init__(self, recipe: Recipe, answers: Answers, *, seed: int, device: str, weights: str) -> None:
        check(recipe, answers)
        self.recipe, self.answers, self.device = recipe, answers, torch.device(device)
        torch.manual_seed(seed)
        backbone = backbones.build(recipe.backbone, weights=weights, jitter=recipe.jitter)
        self.network = Network(recipe, backbone, answers.levels).to(self.device)
        # `prepare` of the preset small is cheap to keep and dear to compute; VGG16 takes the pictures themselves.
        transform = backbones.measures_of if recipe.backbone == "small" else None
        per_picture = 4 * backbones.MEASURES * backbones.GRID**2 if transform else 3 * recipe.size**2
        self.cache = len(answers.paths) * per_picture <= CACHE_BYTES
        self.pictures = Pictures(answers.paths, recipe.size, cache=self.cache, transform=transform)
        self._begin()

    @property
    def stages(self) -> Sequence[Stage]:
        """The recipe's."""
        return tuple(
            dataclasses.replace(stage, frozen=tuple(f"score.{name}" for name in stage.frozen))
            for stage in self.recipe.stages
        )

    def batches(self, generator: torch.Generator) -> Iterator[PairItem]:
        """Section 4: one sample is a pair; every training pair once an epoch, in random order."""
        pairs = PairDataset(self.pictures, self.answers.parts["train"])
        for batch in self._loader(pairs, generator):
            first, second = batch.first, batch.second
            if self.recipe.flip:
                first, second = _flipped(first, generator), _flipped(second, generator)
            yield self._moved(batch._replace(first=first, second=second))

    def loss(self, batch: PairItem) -> torch.Tensor:
        """Section 4: the sum over the batch's pairs."""
        return hybrid_loss(self._scores(batch), batch, self.network.thresholds, self.recipe).sum()

    def validate(self) -> dict[str, float]:
        """Lg + Lr (or the one that is trained) on the validation part; empty where it has no answers."""
        part = self.answers.parts["validation"]
        scores = self.predict(sorted({*part.images.image_ids, *part.pairs.first_ids, *part.pairs.second_ids}))
        found = {}
        if part.images.image_ids and self.recipe.objective != "pairwise":
            stars = self.star_probabilities([scores[image] for image in part.images.image_ids])
            found["Lg"] = metrics.cross_entropy(shares(part.images.votes), stars)
        if part.pairs.first_ids and self.recipe.objective != "global":
            gaps = [
                scores[a] - scores[b]
                for a, b in zip(part.pairs.first_ids, part.pairs.second_ids, strict=True)
            ]
            found["Lr"] = metrics.cross_entropy(shares(part.pairs.votes), self.level_probabilities(gaps))
        return {"sum": sum(found.values()), **found} if found else {}

    def predict(self, image_ids: Sequence[str]) -> dict[str, float]:
        """The score of each picture."""
        self.network.eval()
        found: list[float] = []
        with torch.no_grad():
            for start in range(0, len(image_ids), 64):
                batch = self.pictures.stack(image_ids[start : start + 64]).to(self.device)
                found += self.network.score(batch).double().cpu().tolist()
        return dict(zip(image_ids, found, strict=True))

    def star_probabilities(self, scores: Sequence[float]) -> NDArray[np.float64]:
        """(n, levels) probabilities of 1, 2, ... stars."""
        with torch.no_grad():
            standard = self.network.thresholds.standard().double().cpu()
            return global_log_probabilities(torch.tensor(scores, dtype=torch.float64), standard).exp().numpy()

    def level_probabilities(self, gaps: Sequence[float]) -> NDArray[np.float64]:
        """(n, 5) probabilities of -2 .. 2, of the first score minus the second."""
        with torch.no_grad():
            relative = self.network.thresholds.relative().double().cpu()
            return pair_log_probabilities(torch.tensor(gaps, dtype=torch.float64), relative).exp().numpy()

    def _begin(self) -> None:
        train = self.answers.parts["train"]
        if self.recipe.backbone == "small":
            ids = sorted({*train.images.image_ids, *train.pairs.first_ids, *train.pairs.second_ids})
            self.network.score.backbone.calibrate(self.pictures.stack(ids).to(self.device))
        if self.recipe.start == "constant":
            stars, levels = shares(train.images.votes).mean(axis=0), shares(train.pairs.votes).mean(axis=0)
            start_constant(
                self.network,
                torch.from_numpy(stars).unsqueeze(0).to(self.device),
                torch.from_numpy(levels).unsqueeze(0).to(self.device),
            )

    def _scores(self, batch: PairItem) -> tuple[torch.Tensor, torch.Tensor]:
        first, second = self.network.score(torch.cat([batch.first, batch.second])).chunk(2)
        return first, second

    def _loader(self, pairs: PairDataset, generator: torch.Generator) -> "DataLoader[PairItem]":
        workers = 0 if self.cache else min(8, os.cpu_count() or 1)
        return DataLoader(
            pairs,
            batch_size=self.recipe.batch_size,
            shuffle=True,
            generator=generator,
            num_workers=workers,
            multiprocessing_context="spawn" if workers else None,
        )

    def _moved(self, batch: PairItem) -> PairItem:
        return PairItem(*(tensor.to(self.device) for tensor in batch))


def job(recipe: Recipe, answers: Answers, *, seed: int, device: str, weights: str) -> HybridSiamese:
    """The job of a recipe, as photojury.baselines.train asks every paper for it."""
    return HybridSiamese(recipe, answers, seed=seed, device=device, weights=weights)


CACHE_BYTES = 2 * 2**30
"""Pictures are kept in memory up to this many bytes, else read again each time by worker processes."""


def check(recipe: Recipe, answers: Answers) -> None:
    """Refuse a recipe or a study that cannot be trained on, in one sentence."""
    for name, choices in CHOICES.items():
        if getattr(recipe, name) not in choices:
            raise unknown_name(name.replace("_", " "), getattr(recipe, name), choices)
    rated = sum(len(part.images.image_ids) for part in answers.parts.values())
    paired = sum(len(part.pairs.first_ids) for part in answers.parts.values())
    for count, what, task in ((rated, "ratings", "stars"), (paired, "comparisons", "five_level")):
        if count == 0:
            raise InputError(
                f"the study has no {what} to train on yet; get some with: photojury annotate plan {task}, "
                "publish, fetch"
            )
    train = answers.parts["train"]
    if not (train.images.image_ids and train.pairs.first_ids):
        raise InputError(
            "the train part of the split has no ratings or no comparisons; "
            "part the study before pairs are planned: photojury datasets split"
        )


def _flipped(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each picture mirrored left to right with probability one half."""
    mirrored = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(mirrored.view(-1, 1, 1, 1), images.flip(3), images)


def _inverse_softplus(values: torch.Tensor) -> torch.Tensor:
    return torch.log(torch.expm1(values))
