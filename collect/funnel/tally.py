"""A tally: how many pictures a source gave, and what became of them.

Takes in counts; gives out lines of the funnel, whose fates add up to their pictures.

    >>> Tally(rows=3, unique=2, fates={**NONE, "kept": 1, "gone": 1}).downloaded
    1
"""

from dataclasses import dataclass, field

FATES = {
    "waiting": "not downloaded yet",
    "failed": "failed, to be tried again",
    "given_up": "failed too often and given up",
    "gone": "gone at the source",
    "barred": "barred by a tombstone or an opt-out",
    "unusable": "not fit to be shown to raters",
    "duplicate": "exact duplicates of another file",
    "rejected": "rejected by a check or by hand",
    "tombstoned": "taken out for good",
    "kept": "kept",
}
"""What became of candidates, with the words that follow their number in the report, in the order of the way that a picture goes."""

LOOKED_AT = ("unusable", "duplicate", "rejected", "tombstoned", "kept")
"""The fates of pictures whose file came."""

STORED = ("rejected", "tombstoned", "kept")

NONE = dict.fromkeys(FATES, 0)


@dataclass
class Tally:
    """One line of the funnel.

    Attributes:
        rows: how many a source gave, repeats included.
        unique: how many different pictures; the sum of `fates`.
        fates: pictures by what became of them, every name of FATES.
        without_file: of the unusable ones, those whose file never came.
    """

    rows: int = 0
    unique: int = 0
    fates: dict[str, int] = field(default_factory=NONE.copy)
    without_file: int = 0

    @property
    def downloaded(self) -> int:
        """Pictures whose file came and was looked at."""
        return sum(self.fates[name] for name in LOOKED_AT) - self.without_file

    @property
    def stored(self) -> int:
        """Pictures that are stored, kept or not."""
        return sum(self.fates[name] for name in STORED)

    def add(self, other: "Tally") -> None:
        """Count another line's pictures, too."""
        self.rows += other.rows
        self.unique += other.unique
        self.without_file += other.without_file
        for name, number in other.fates.items():
            self.fates[name] += number
