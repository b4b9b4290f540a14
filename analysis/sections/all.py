"""The report's sections by their names: takes in a `Source`, gives out what each section shows.

Every section is a dict for the template; one that cannot be made has the key "missing" with the reason, and
the others stand.

    sections = all_sections(Source(of_study(study), thumbnails=True))
"""

from collections.abc import Callable

from photojury.analysis.observed import observe
from photojury.analysis.sections import agreed, asked, compared, outcomes, popular, rated, scored
from photojury.analysis.sections.source import Context, Source
from photojury.errors import InputError

SECTIONS: dict[str, Callable[[Source], Context]] = {
    "collected": asked.collected,
    "ratings": rated.ratings,
    "pictures": outcomes.pictures,
    "scores": scored.scores,
    "popularity": lambda source: popular.popularity(observe(source.study)),
    "confusion": compared.confusion,
    "pairs": compared.pairs,
    "forced_choice": compared.forced_choice,
    "consistency": agreed.consistency,
    "raters": agreed.raters,
    "training": outcomes.training,
    "recovery": outcomes.recovery,
}


def all_sections(source: Source) -> dict[str, Context]:
    """Every section by its name."""
    made: dict[str, Context] = {}
    for name, make in SECTIONS.items():
        try:
            made[name] = make(source)
        except InputError as error:
            made[name] = {"missing": str(error)}
    return made
