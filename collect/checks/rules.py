"""Rules: which measure a picture is judged by, against which key of [checks], and the sentence that says so.

Takes in nothing; gives out `RULES`, in the order in which they speak where a picture fails several.

    >>> RULES["blur"].sentence(0.123, ChecksSection())
    'its sharpness is 0.12, less than 0.2 (checks.blur)'
"""

from dataclasses import dataclass

from photojury.sections import ChecksSection

CURATION = "curation"
"""The rule of images that a person rejected."""

NEAR_DUPLICATE = "near_duplicate"
"""The rule of images that show what a kept one shows; it speaks only where no other does."""


@dataclass(frozen=True)
class Rule:
    """One check: its name (also the key of [checks] and the rule of images), and what its value is called.

    `least` is true where small values are bad. A limit of 0, or false, switches a check off.
    """

    check: str
    value: str
    unit: str = ""
    least: bool = False

    def limit(self, section: ChecksSection) -> float | None:
        """The threshold; None where it is switched off."""
        limit = float(getattr(section, self.check))
        if isinstance(getattr(section, self.check), bool):
            return 0.5 if limit else None
        return limit or None

    def sentence(self, value: float, section: ChecksSection) -> str:
        """Why a picture with this value fails, with figures."""
        limit = getattr(section, self.check)
        if isinstance(limit, bool):
            return f"{self.value} (checks.{self.check})"
        compared = "less" if self.least else "more"
        return f"{self.value} is {_figure(value)}{self.unit}, {compared} than {_figure(limit)} (checks.{self.check})"


def _figure(value: float) -> str:
    """Two digits that tell, whole numbers from a hundred on."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}"


RULES = {
    rule.check: rule
    for rule in (
        Rule("resolution", "its shorter side", " pixels", least=True),
        Rule("aspect", "its longer side over its shorter"),
        Rule("category", "its source says that it is no photograph"),
        Rule("graphic", "its likeness to a drawing"),
        Rule("alpha", "the share of it that can be seen through"),
        Rule("borders", "the share of it that frames take"),
        Rule("dark", "the luminance of its lightest part", least=True),
        Rule("bright", "the luminance of its darkest part"),
        Rule("clipped", "the share of it that is black or white"),
        Rule("contrast", "its range of luminance", least=True),
        Rule("noise", "its noise"),
        Rule("blur", "its sharpness", least=True),
        Rule("cmyk", "it is a CMYK picture, which screens show in colours of their own"),
        Rule("profile", "the gamut of its colours, in areas of sRGB's,"),
        Rule("trailing", "what follows the end of the picture in its file", " bytes"),
    )
}
"""By the name of the check; what it measures is told in docs/checks.md."""

_RANK = {check: rank for rank, check in enumerate(RULES)}


def rank(check: str) -> int:
    """The place of a check among those that fail: the first of them is the image's rule."""
    return len(_RANK) + 1 if check == NEAR_DUPLICATE else _RANK.get(check, len(_RANK))
