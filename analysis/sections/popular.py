"""The section about views and favourites, for the report of answers and the report of collecting.

Takes in a study's S(i); gives out what the section shows, or raises an InputError where no picture has a score.

    popularity(observe(study))["warning"]
"""

from photojury.analysis import wording
from photojury.analysis.figures.popularity import popularity_histogram
from photojury.analysis.observed import Observed
from photojury.analysis.popularity import FLAGS
from photojury.analysis.sections.source import Context, Measure
from photojury.datasets.papers import number


def popularity(found: Observed) -> Context:
    """S(i) of the kept pictures: its histogram, what is to be known about it, and a warning where need be."""
    spread = found.spread
    left_out = [f"{count:,} left out ({FLAGS[flag]})" for flag, count in found.flags.items()]
    caption = f"S(i) of {wording.plural(spread.n, 'kept image')}; dashed: uniform."
    return {
        "intro": "S(i) = log(F + 1) / log(V + 1) of F favourites in V views; the paper's own form leaves out "
        "photos without favourites.",
        "figure": popularity_histogram(spread),
        "caption": caption + (f" {'; '.join(left_out)}." if left_out else ""),
        "warning": f"{spread.warning}." if spread.warning else "",
        "measures": _measures(found),
    }


def _measures(found: Observed) -> list[Measure]:
    spread, scored = found.spread, found.scored
    views = number("like_image.mean_views")
    n = wording.whole(spread.n)
    lines = [
        Measure(
            "mean views of an image",
            wording.whole(scored["views"].mean()),
            n=n,
            paper=wording.whole(views.value),
            source=views.source,
        ),
        Measure("images without a favourite", wording.share(float(scored["favs"].eq(0).mean())), n=n),
        Measure("mean of S(i)", wording.decimal(spread.mean), n=n),
        Measure(
            "5th to 95th percentile",
            f"{wording.decimal(spread.low, 2)} to {wording.decimal(spread.high, 2)}",
            n=n,
        ),
        Measure(
            "distance from uniform (Kolmogorov-Smirnov)",
            wording.decimal(spread.distance),
            n=n,
            note=f"0 is uniform; p {wording.probability(spread.p)}; on its own range "
            f"{wording.decimal(spread.distance_on_range)}",
        ),
    ]
    if found.age:
        lines.append(
            Measure(
                "variance of S(i) that the age of the photo explains",
                wording.share(found.age.explained),
                n=wording.whole(found.age.n),
                note=f"rank correlation with age {wording.decimal(found.age.rank_correlation, 2)}; "
                "the paper takes it for none",
            )
        )
    return lines
