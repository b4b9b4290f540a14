"""The scale of a study's star ratings: what study.toml says, and whether a dataset's ratings lie on it.

>>> scale_of(Settings())
(1.0, 3.0)
>>> settings_for((0.0, 10.0)), settings_for((1.0, 7.0))
({('analysis', 'scale'): '0 10'}, {('stars', 'levels'): 7, ('attributes', 'levels'): 7})
"""

from photojury.datasets.readers.published import Published
from photojury.datasets.store import Study
from photojury.errors import InputError, SettingsError
from photojury.sections import StarsSection
from photojury.settings import Settings

_MOST_LEVELS = StarsSection.__dataclass_fields__["levels"].metadata["high"]


def scale_of(settings: Settings) -> tuple[float, float]:
    """Worst and best level of the ratings of the stars task.

    Raises:
        SettingsError: analysis.scale is not empty, and not two rising numbers.
    """
    text = settings.analysis.scale
    if not text.strip():
        return 1.0, float(settings.stars.levels)
    try:
        low, high = (float(part) for part in text.split())
    except ValueError:
        low = high = 0.0
    if low >= high:
        raise SettingsError(
            f'analysis.scale must be the worst and the best level, like "0 10", or empty; it is {text!r}'
        )
    return low, high


def settings_for(scale: tuple[float, float]) -> dict[tuple[str, str], object]:
    """What a new study's settings must say so that ratings lie on a scale."""
    low, high = scale
    if low == 1 and high == int(high) and 2 <= high <= _MOST_LEVELS:
        return {("stars", "levels"): int(high), ("attributes", "levels"): int(high)}
    return {("analysis", "scale"): f"{low:g} {high:g}"}


def check_scale(study: Study, published: Published) -> None:
    """Check that a dataset's overall ratings lie on the study's scale: two scales are never mixed.

    Raises:
        InputError: they do not.
    """
    both = (published.read(name) for name in ("ratings", "histograms"))
    overall = any(
        "attribute" not in table or table["attribute"].eq("overall").any() for table in both if len(table)
    )
    if published.scale is None or not overall or published.scale == scale_of(study.settings):
        return
    low, high = scale_of(study.settings)
    theirs = published.scale
    told = " and ".join(
        f"{section}.{name} = {value!r}" for (section, name), value in settings_for(theirs).items()
    )
    raise InputError(
        f"the ratings of {published.name} lie on {theirs[0]:g} to {theirs[1]:g}, those of the study in {study.folder} on "
        f"{low:g} to {high:g}, and two scales are never mixed; import into a study of its own, or, where this one has no "
        f"ratings yet, set {told} in its study.toml"
    )
