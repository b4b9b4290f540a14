"""A plan of a study: raters for a precision or a reliability, votes for a preference, power, and what it costs.

Takes in the answers so far (or none) and what is wanted; gives out a `Plan` that says where each assumption comes from.

    print(text(plan(of_study(study), reliability=0.8)))
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass

import pandas as pd

from photojury.analysis import agreement, planning
from photojury.analysis.answers import Answers
from photojury.analysis.findings.rated import images as image_table
from photojury.analysis.shapes import sos as fit_sos
from photojury.errors import InputError

USUAL_CORRELATION = 0.36
"""Of two raters: what paper 4's Table 6 implies for its raters of more than 100 batches."""

RATERS = (3, 5, 10, 15, 20, 30, 40)
PREFERENCES = (0.55, 0.60, 0.65, 0.70, 0.77, 0.81, 0.85, 0.89)


@dataclass(frozen=True)
class Plan:
    """What a study takes.

    Attributes:
        images: pictures to rate.
        sos, single: spread and correlation of two raters that were assumed; sos_from, single_from: by whom.
        half_width: the interval that was wanted; None: none was.
        raters_for_width: ratings an image for it; None likewise.
        reliability: that was wanted; raters_for_reliability: ratings an image for it.
        preference: that was wanted; votes_for_preference: votes on one pair for it (80 % power, exact test).
        table: raters, half_width (95 %, t, at the middle of the scale), reliability (of a mean), power (share of such
            HITs that paper 4's batch test finds), reward_cents, fee_cents, total_cents (of all images).
        preferences: preference, votes.
    """

    images: int
    sos: float
    sos_from: str
    single: float
    single_from: str
    half_width: float | None
    raters_for_width: int | None
    reliability: float
    raters_for_reliability: int
    preference: float
    votes_for_preference: int
    table: pd.DataFrame
    preferences: pd.DataFrame


def plan(
    answers: Answers,
    *,
    images: int | None = None,
    half_width: float | None = None,
    reliability: float = 0.8,
    single: float | None = None,
    sos: float | None = None,
    preference: float = 0.7,
    reward_cents: int,
    fees: planning.Fees | None = None,
) -> Plan:
    """Plan a rating study.

    Args:
        answers: of a pilot, to learn from; may be empty.
        images: pictures to rate; the kept ones if None.
        half_width: wanted half width of a mean's 95 % interval, in levels.
        reliability: wanted, of the mean ratings.
        single: correlation of two raters; sos: the spread; None: learnt, or what is usual.
        preference: share of raters who prefer one image of a pair.
        reward_cents: for one HIT of the stars task.
        fees: the marketplace's.

    Raises:
        InputError: no pictures, or a wish that cannot be.
    """
    count = int(answers.images["status"].eq("kept").sum()) if images is None else images
    if not count:
        raise InputError("there are no pictures to plan for; say how many with --images")
    learnt_sos, learnt_single = _learnt(answers)
    scale = _scale(answers)
    a, a_from = _first(sos, learnt_sos, planning.SOS, "usual for pictures (Hossfeld et al. 2011)")
    r, r_from = _first(single, learnt_single, USUAL_CORRELATION, "implied by paper 4, Table 6")
    width = None
    if half_width is not None:
        width = planning.ratings_for_interval(scale=scale, mean=sum(scale) / 2, half_width=half_width, sos=a)
    for_reliability = math.ceil(planning.raters_for_reliability(reliability, single=r) - 1e-9)
    hit = answers.settings.stars.images_per_hit
    wanted = sorted({*RATERS, for_reliability, *([] if width is None else [width])})
    precision = planning.precision_table(scale=scale, raters=tuple(n for n in wanted if n > 1), sos=a)
    rows = []
    for raters, reach in zip(precision["raters"], precision["half_width"], strict=True):
        hits = math.ceil(count / hit)
        reward, fee = planning.cost(
            hits * raters, reward_cents=reward_cents, assignments_a_hit=raters, fees=fees
        )
        rows.append(
            {
                "raters": raters,
                "half_width": reach,
                "reliability": agreement.stepped(r, times=raters),
                "power": planning.consistency_power(
                    raters=raters, images=max(3, min(hit, count)), correlation=r
                ),
                "reward_cents": reward,
                "fee_cents": fee,
                "total_cents": reward + fee,
            }
        )
    votes = [planning.votes_for_preference(p) for p in PREFERENCES]
    return Plan(
        images=count,
        sos=a,
        sos_from=a_from,
        single=r,
        single_from=r_from,
        half_width=half_width,
        raters_for_width=width,
        reliability=reliability,
        raters_for_reliability=for_reliability,
        preference=preference,
        votes_for_preference=planning.votes_for_preference(preference),
        table=pd.DataFrame(rows),
        preferences=pd.DataFrame({"preference": PREFERENCES, "votes": votes}),
    )


def facts(found: Plan) -> dict[str, object]:
    """A plan as plain values for JSON."""
    plain = asdict(found)
    for name in ("table", "preferences"):
        plain[name] = getattr(found, name).to_dict("records")
    return plain


def text(found: Plan) -> str:
    """A plan as people read it."""
    lines = [
        (
            f"{found.images:,} images; two raters correlate at {found.single:.2f} ({found.single_from}); spread a = "
            f"{found.sos:.2f} ({found.sos_from})"
        ),
        "",
        "ratings an image  +- stars (95 %)  reliability  consistent HITs    rewards       fees      total",
    ]
    for row in found.table.to_dict("records"):
        money = "".join(f"{row[name] / 100:>11,.2f}" for name in ("reward_cents", "fee_cents", "total_cents"))
        lines.append(
            f"{row['raters']:>17}{row['half_width']:>16.2f}{row['reliability']:>13.2f}{row['power']:>16.0%}{money}"
        )
    lines.append("")
    if found.raters_for_width is not None:
        lines.append(f"+-{found.half_width:g} stars need {found.raters_for_width} ratings an image (normal).")
    lines += [
        f"A reliability of {found.reliability:g} needs {found.raters_for_reliability} ratings an image.",
        f"A preference of {found.preference:.0%} needs {found.votes_for_preference} votes on the pair to be found (exact "
        "two-sided test at 0.05, 80 % power). Votes by preference: "
        + ", ".join(f"{p:.0%} {n}" for p, n in found.preferences.itertuples(index=False))
        + ".",
        "Five votes on a pair never decide it alone: a scale takes its strength from many pairs.",
    ]
    return "\n".join(lines)


def _first(given: float | None, learnt: float | None, usual: float, source: str) -> tuple[float, str]:
    if given is not None:
        return given, "as given"
    return (learnt, "as the ratings so far show") if learnt is not None else (usual, source)


def _learnt(answers: Answers) -> tuple[float | None, float | None]:
    """Spread and correlation of two raters, as far as the ratings show them."""
    ratings = answers.of_task("stars")
    if ratings.empty:
        return None, None
    found: list[float | None] = []
    learning: tuple[Callable[[], float], ...] = (
        lambda: fit_sos(image_table(answers), scale=answers.scale).a,
        lambda: agreement.icc(ratings).single,
    )
    for learn in learning:
        try:
            value = learn()
        except InputError:
            value = math.nan
        found.append(value if 0 < value < 1 else None)
    return found[0], found[1]


def _scale(answers: Answers) -> tuple[float, float]:
    try:
        return answers.scale
    except InputError:
        return 1.0, float(answers.settings.stars.levels)
