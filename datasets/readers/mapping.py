"""Mapping files: a small TOML that says what the columns of somebody's files mean.

Takes in a TOML file; gives out its values as frozen dataclasses, checked as settings are: an unknown key, a wrong type
or a missing one is an error that names the file and the key.

    >>> section = Section("map.toml", "", {"name": "skies", "scale": [1, 5]})
    >>> section.text("name"), section.scale()
    ('skies', (1.0, 5.0))
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photojury.errors import InputError, unknown_name


@dataclass(frozen=True)
class Section:
    """One table of a mapping file.

    Attributes:
        file: its name, for sentences.
        where: the table's place in it, like "file[1].", or empty.
        values: what it holds.
    """

    file: str
    where: str
    values: Mapping[str, Any]

    def only(self, known: Sequence[str]) -> None:
        """Check that no other keys are there.

        Raises:
            InputError: one is.
        """
        for key in self.values:
            if key not in known:
                raise unknown_name(
                    f"key of {self.file}", f"{self.where}{key}", [f"{self.where}{one}" for one in known]
                )

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it must be there.

        Raises:
            InputError: it is missing, empty or no text.
        """
        found = self.values.get(key, default)
        if not isinstance(found, str) or (not found and default is None):
            raise InputError(f"{self.file}: {self.where}{key} must be a text in quotes{_given(found)}")
        return found

    def choice(self, key: str, known: Sequence[str], default: str) -> str:
        """One of some words.

        Raises:
            InputError: it is another.
        """
        found = self.text(key, default)
        if found not in known:
            raise unknown_name(f"value of {self.where}{key} in {self.file}", found, known)
        return found

    def truth(self, key: str, default: bool | None) -> bool | None:
        """true or false.

        Raises:
            InputError: it is neither.
        """
        found = self.values.get(key, default)
        if found is not None and not isinstance(found, bool):
            raise InputError(f"{self.file}: {self.where}{key} must be true or false{_given(found)}")
        return found

    def scale(self) -> tuple[float, float] | None:
        """The worst and the best level; None where it is not said.

        Raises:
            InputError: it is no list of two rising numbers.
        """
        found = self.values.get("scale")
        if found is None:
            return None
        if (
            not isinstance(found, list)
            or len(found) != 2
            or not all(isinstance(one, int | float) and not isinstance(one, bool) for one in found)
            or found[0] >= found[1]
        ):
            raise InputError(
                f"{self.file}: {self.where}scale must be the worst and the best level, like [1, 5]"
            )
        return float(found[0]), float(found[1])

    def numbers(self, key: str) -> dict[str, float]:
        """A table of words with the number that each stands for; empty where it is not there.

        Raises:
            InputError: it is no such table.
        """
        found = self.values.get(key, {})
        if not isinstance(found, dict) or not all(
            isinstance(one, int | float) and not isinstance(one, bool) for one in found.values()
        ):
            raise InputError(
                f"{self.file}: {self.where}{key} must be a table of numbers, like {{ left = 1, right = -1 }}"
            )
        return {word: float(number) for word, number in found.items()}

    def texts(self, key: str) -> dict[str, str]:
        """A table of texts; empty where it is not there.

        Raises:
            InputError: it is no such table.
        """
        found = self.values.get(key, {})
        if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
            raise InputError(f"{self.file}: {self.where}{key} must be a table of texts in quotes")
        return found

    def sections(self, key: str) -> list["Section"]:
        """The tables written [[key]]; none where there are none.

        Raises:
            InputError: it is no such list.
        """
        found = self.values.get(key, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise InputError(f"{self.file}: {self.where}{key} must be written as [[{key}]]")
        return [Section(self.file, f"{self.where}{key}[{at}].", one) for at, one in enumerate(found, 1)]


def open_mapping(path: Path | None, *, reader: str) -> Section:
    """A mapping file.

    Raises:
        InputError: none was named, or it cannot be read.
    """
    if path is None:
        raise InputError(
            f"{reader} needs a mapping file that says what the columns mean; name it with --map FILE"
        )
    try:
        return Section(path.name, "", tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not valid TOML: {error}") from None


def _given(found: object) -> str:
    return "" if found is None else f", not {found!r}"
