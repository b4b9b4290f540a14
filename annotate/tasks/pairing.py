"""Pairing: the design that study.toml names, applied to the study's pictures.

Takes in a study and the settings of a pair task (`pairing` and what belongs to it); gives out a `PairSample` and
says in the log what the design came to. Pairs that earlier batches of the task planned do not come again; the
active sampler alone may ask them anew, once all others have been asked.

    >>> sorted(PAIRINGS)
    ['active', 'connected', 'score-distance', 'similarity', 'uniform']
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from photojury.analysis.answers import of_study
from photojury.annotate.pairs.active import active_pairs
from photojury.annotate.pairs.connected import connected_pairs
from photojury.annotate.pairs.designs import score_distance_pairs
from photojury.annotate.pairs.similarity import Features, Indices, PairSample, sample_pairs, uniform_pairs
from photojury.annotate.tasks.pairs import earlier_pairs, kept_pairs, known_rows, without_pairs
from photojury.datasets.features import read_features
from photojury.datasets.store import Study
from photojury.datasets.streams import stream_seed
from photojury.errors import InputError, SettingsError
from photojury.sections import FiveLevelSection, ForcedChoiceSection

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drawing:
    """What is to be drawn.

    Attributes:
        study: with the settings' features, scores or answers.
        task: as in the units table.
        ours: the task's section of study.toml.
        ids, parts: the pictures, and the part of each.
        planned: first_id and second_id of the pairs of earlier batches.
        pairs: how many new pairs are wanted.
        partners: of each picture, where pairs are drawn by similarity.
        seed: of this batch.
    """

    study: Study
    task: str
    ours: FiveLevelSection | ForcedChoiceSection
    ids: Sequence[str]
    parts: Sequence[str]
    planned: pd.DataFrame
    pairs: int
    partners: int
    seed: int

    def taken(self) -> tuple[Indices, Indices]:
        """Row numbers of the planned pairs whose pictures are still there."""
        return known_rows(self.planned, self.ids)


def draw_pairs(
    study: Study,
    task: str,
    ours: FiveLevelSection | ForcedChoiceSection,
    batch: str,
    *,
    images: tuple[Sequence[str], Sequence[str]],
    pairs: int,
    partners: int,
) -> PairSample:
    """Draw a batch of pairs as study.toml says.

    Args:
        study: the open study.
        task: five_level or forced_choice.
        ours: its section of study.toml.
        batch: its name, from which the seed derives.
        images: the ids of the pictures, and the part of each.
        pairs: wanted over the whole study.
        partners: wanted of each picture, where pairs are drawn by similarity.

    Raises:
        InputError: no pair is left, or features or scores that the design needs are missing.
    """
    seed = stream_seed(study.settings.study.seed, "pairs", batch)
    drawing = Drawing(study, task, ours, *images, earlier_pairs(study, task), pairs, partners, seed)
    sample = PAIRINGS[ours.pairing](drawing)
    if not sample.draws:
        raise InputError(
            f"every pair of the study's {len(drawing.ids)} pictures that pairing = {ours.pairing!r} can make for "
            f"{task} is planned already; collect more pictures, or set another pairing in study.toml"
        )
    if sample.missing > 0:
        log.warning(
            "%s: %d of %d pairs do not exist", ours.pairing, sample.missing, sample.draws + sample.missing
        )
    return sample


def _by_similarity(drawing: Drawing) -> PairSample:
    """The softmax of paper 1; see photojury.annotate.pairs.similarity."""
    taken = drawing.taken()
    # An image whose pairs of earlier batches come up again goes on drawing, so it draws as many more as it can
    # lose. That is the softmax over the partners that are left, but for draws that it can spare (below).
    spare = int(np.bincount(np.concatenate(taken)).max(initial=0))
    sample = sample_pairs(
        _features(drawing),
        partners=drawing.partners + spare,
        temperature=drawing.ours.temperature,
        parts=np.asarray(drawing.parts),
        seed=drawing.seed,
    )
    sample = without_pairs(sample, taken, most=sample.draws)
    if spare:
        sample = _spared(sample, len(drawing.ids), drawing.partners)
    kept = np.arange(sample.draws)
    if len(kept) > drawing.pairs:
        # Early draws are those of images that find partners easily, so what is too much is dropped by chance.
        kept = np.sort(np.random.default_rng(drawing.seed).permutation(len(kept))[: drawing.pairs])
    return kept_pairs(sample, kept, wanted=drawing.pairs)


def _spared(sample: PairSample, images: int, partners: int) -> PairSample:
    """At most so many partners for each image that drew; a draw that it can spare counts for the other image."""
    count = [0] * images
    kept, turned = [], []
    for at, (first, second) in enumerate(zip(sample.first.tolist(), sample.second.tolist(), strict=True)):
        for drew, other in ((first, False), (second, True)):
            if count[drew] < partners:
                count[drew] += 1
                kept.append(at)
                turned.append(other)
                break
    part = kept_pairs(sample, np.array(kept, dtype=np.int64), wanted=len(kept))
    swap = np.array(turned, dtype=bool)
    first, second = np.where(swap, part.second, part.first), np.where(swap, part.first, part.second)
    return replace(part, first=first, second=second)


def _uniform(drawing: Drawing) -> PairSample:
    taken = drawing.taken()
    sample = uniform_pairs(
        len(drawing.ids),
        pairs=drawing.pairs + len(taken[0]),
        parts=np.asarray(drawing.parts),
        seed=drawing.seed,
    )
    # In random order, so the first new ones are a uniform sample of the new ones.
    return without_pairs(sample, taken, most=drawing.pairs)


def _by_score_distance(drawing: Drawing) -> PairSample:
    """Evenly over the distances of two scores; pictures without a score are left out, and counted in the log."""
    method, where = drawing.ours.score_method, f"{drawing.task}.distances in study.toml"
    scores = drawing.study.read("scores", {"method": method})
    score_of = dict(zip(scores["image_id"], scores["score"], strict=True))
    rows = np.array([row for row, image in enumerate(drawing.ids) if image in score_of], dtype=np.int64)
    if not len(rows):
        there = ", ".join(sorted(set(drawing.study.read("scores")["method"]))) or "none"
        raise InputError(
            f"pairing = 'score-distance' needs scores by the method {method!r} (there: {there}); photojury analyze "
            f'scores makes those of "mos", or name another in {drawing.task}.score_method in study.toml'
        )
    if len(rows) < len(drawing.ids):
        log.warning("score-distance: %d pictures have no %s score", len(drawing.ids) - len(rows), method)
    try:
        edges = [float(text) for text in drawing.ours.distances]
    except ValueError:
        raise SettingsError(f'{where} must be rising numbers as texts, like ["0.1", "0.2"]') from None
    place = np.full(len(drawing.ids), -1)
    place[rows] = np.arange(len(rows))
    first, second = (place[side] for side in drawing.taken())
    known = (first >= 0) & (second >= 0)
    sample = score_distance_pairs(
        [score_of[drawing.ids[row]] for row in rows],
        pairs=drawing.pairs,
        edges=edges,
        seed=drawing.seed,
        parts=np.asarray(drawing.parts)[rows],
        taken=(first[known], second[known]),
    )
    for low, high, there, wanted, drawn in sample.report.itertuples(index=False):
        level = logging.WARNING if drawn < wanted else logging.INFO
        log.log(level, "distance %g to %g: %d of %d pairs wanted, %d there", low, high, drawn, wanted, there)
    return replace(sample, first=rows[sample.first], second=rows[sample.second])


def _connected(drawing: Drawing) -> PairSample:
    sample = connected_pairs(
        len(drawing.ids),
        pairs=drawing.pairs,
        seed=drawing.seed,
        parts=np.asarray(drawing.parts),
        taken=drawing.taken(),
    )
    for row in sample.report.to_dict("records"):
        level = logging.WARNING if row["components"] > 1 else logging.INFO
        log.log(
            level,
            "%(part)s: each of %(images)d pictures in %(degree_min)d to %(degree_max)d pairs, %(components)d "
            "connected group(s), spectral gap %(spectral_gap).3f",
            row,
        )
    return sample


def _active(drawing: Drawing) -> PairSample:
    """The pairs that tell most beyond the answers so far, of assignments that are used."""
    sample = active_pairs(
        of_study(drawing.study).of_task(drawing.task),
        np.asarray(drawing.ids),
        pairs=drawing.pairs,
        raters=drawing.ours.raters_per_pair,
        seed=drawing.seed,
        parts=np.asarray(drawing.parts),
        asked=drawing.planned,
    )
    for row in sample.report.to_dict("records"):
        if row["left_out"]:
            log.warning("active: %(left_out)d answers are about pictures that are no longer asked about", row)
        text = "%(part)s: %(pairs)d pairs of %(images)d pictures, a connected design: there is no answer yet"
        if row["chosen_by"] == "active":
            text = (
                "%(part)s: %(pairs)d pairs of %(images)d pictures, chosen by %(answers)d answers; a picture's rank "
                "is off by %(error_before).1f places now, by %(error_after).1f after them"
            )
        log.info(text, row)
    return sample


PAIRINGS: dict[str, Callable[[Drawing], PairSample]] = {
    "similarity": _by_similarity,
    "uniform": _uniform,
    "score-distance": _by_score_distance,
    "connected": _connected,
    "active": _active,
}


def _features(drawing: Drawing) -> Features:
    """The pictures' rows of the features that study.toml names."""
    model = drawing.ours.features
    known, matrix = read_features(drawing.study.folder, model)
    row_of = {image: row for row, image in enumerate(known)}
    missing = [image for image in drawing.ids if image not in row_of]
    if missing:
        raise InputError(
            f"{len(missing)} pictures have no {model} features; first: photojury embed --model {model}"
        )
    return matrix[[row_of[image] for image in drawing.ids]]
