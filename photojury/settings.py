"""study.toml and the environment, read into frozen dataclasses.

Takes in a study folder; gives out `Settings`. A value comes from, in falling order: a command's flag,
`PHOTOJURY_<SECTION>_<KEY>` in the environment, study.toml, the default below. An unknown key, a wrong
type or an impossible value is a SettingsError that names the file and the key. Secrets never stand here.

    >>> Settings().stars.levels
    3
    >>> parse({"stars": {"levels": 5}}, source="study.toml").stars.levels
    5
"""

import dataclasses
import difflib
import math
import os
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from photojury.errors import NotAStudyError, SettingsError

FILE_NAME = "study.toml"

T = TypeVar("T")


def _key(
    default: T,
    comment: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> T:
    """A setting with its comment in study.toml and its bounds (both inclusive)."""
    value: T = field(
        default=default, metadata={"comment": comment, "low": low, "high": high, "choices": choices}
    )
    return value


@dataclass(frozen=True)
class StudySection:
    """Who asks, and what holds for the whole study."""

    name: str = _key("my-study", "shown to raters and in reports")
    seed: int = _key(1, "every random choice derives from it", low=0)
    store: str = _key("", "a PostgreSQL URL; empty means study.db in this folder")
    contact: str = _key("", "an e-mail address for raters' questions")


@dataclass(frozen=True)
class CollectSection:
    """Which pictures are taken in."""

    max_megapixels: float = _key(50.0, "larger pictures are rejected", low=0.01)
    max_megabytes: float = _key(64.0, "larger files are rejected", low=0.001)
    min_side: int = _key(64, "pixels; pictures with a shorter side are rejected", low=1)


@dataclass(frozen=True)
class StarsSection:
    """1 to `levels` stars on one picture (paper 1's global rating)."""

    question: str = _key("How attractive is this photo?", "one line above the picture")
    levels: int = _key(3, "the best rating; the worst is 1", low=2, high=9)
    low_label: str = _key("not attractive", "what 1 means")
    high_label: str = _key("very attractive", "what the best means")
    images_per_hit: int = _key(10, "pictures in one HIT", low=1, high=100)
    raters_per_image: int = _key(10, "different people for each picture", low=1, high=1000)
    reward_cents: int = _key(20, "for one HIT, in US cents", low=0, high=100_00)
    assignment_minutes: int = _key(30, "time allowed for one HIT", low=1, high=525_600)


@dataclass(frozen=True)
class FiveLevelSection:
    """Two pictures on five levels, -2 to 2 (paper 1's pairwise rating)."""

    question: str = _key("Which photo is more attractive?", "one line above the pair")
    partners: int = _key(5, "partners drawn for each picture", low=1, high=1000)
    features: str = _key("classical", "whose similarity draws the pairs (photojury embed --model)")
    temperature: float = _key(1.0, "p ~ exp(similarity / temperature); 1 is the paper's", low=0.001)
    pairs_per_hit: int = _key(10, "pairs in one HIT", low=1, high=100)
    raters_per_pair: int = _key(5, "different people for each pair", low=1, high=1000)
    reward_cents: int = _key(25, "for one HIT, in US cents", low=0, high=100_00)
    assignment_minutes: int = _key(30, "time allowed for one HIT", low=1, high=525_600)


@dataclass(frozen=True)
class ForcedChoiceSection:
    """Two pictures, one must be chosen (paper 2's user study)."""

    question: str = _key("Which photo is aesthetically more pleasing?", "one line above the pair")
    pairs: int = _key(600, "pairs drawn over the whole study", low=1)
    pairs_per_hit: int = _key(10, "pairs in one HIT", low=1, high=100)
    raters_per_pair: int = _key(5, "different people for each pair", low=1, high=1000)
    reward_cents: int = _key(20, "for one HIT, in US cents", low=0, high=100_00)
    assignment_minutes: int = _key(30, "time allowed for one HIT", low=1, high=525_600)


@dataclass(frozen=True)
class MarketSection:
    """Where HITs go, and how long they stay there."""

    target: str = _key("local", "local, or the URL of any MTurk-compatible requester API")
    port: int = _key(8700, "of the local marketplace", low=1, high=65535)
    image_url: str = _key("/images", "where raters' browsers find the pictures; /images is the local one")
    lifetime_hours: int = _key(168, "how long a HIT is offered", low=1, high=8760)
    auto_approval_hours: int = _key(72, "unreviewed work is paid after this time", low=0, high=720)
    fee_percent: float = _key(20.0, "of each reward, at least one cent", low=0, high=100)


@dataclass(frozen=True)
class SplitSection:
    """How pictures are parted for training."""

    by: str = _key(
        "image", "image, series or author: what stays together", choices=("image", "series", "author")
    )
    validation: float = _key(0.15, "share of the pictures", low=0, high=0.9)
    test: float = _key(0.25, "share of the pictures", low=0, high=0.9)


@dataclass(frozen=True)
class AnalysisSection:
    """Thresholds of the analyses, the papers' where a paper has one."""

    c_g: str = _key("0.3", "global ratings at most this far apart count as equal (paper 1, Table 1)")
    c_p: str = _key("0.2", "mean pairwise ratings at most this far from 0 count as equal (paper 1, Table 1)")
    alpha: float = _key(0.05, "false discovery rate of Benjamini-Hochberg", low=0.0001, high=0.5)


@dataclass(frozen=True)
class Settings:
    """All of study.toml; every section and every key may be left out."""

    study: StudySection = field(default_factory=StudySection)
    collect: CollectSection = field(default_factory=CollectSection)
    stars: StarsSection = field(default_factory=StarsSection)
    five_level: FiveLevelSection = field(default_factory=FiveLevelSection)
    forced_choice: ForcedChoiceSection = field(default_factory=ForcedChoiceSection)
    market: MarketSection = field(default_factory=MarketSection)
    splits: SplitSection = field(default_factory=SplitSection)
    analysis: AnalysisSection = field(default_factory=AnalysisSection)


def load(folder: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of a study folder.

    Args:
        folder: the study's folder.
        environ: the environment; os.environ when None.

    Raises:
        NotAStudyError: there is no study.toml.
        SettingsError: study.toml or a PHOTOJURY_* variable is wrong.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotAStudyError(
            f"{folder} holds no {FILE_NAME}; make a study with: photojury init {folder}, or name one with --study"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    return override(parse(values, source=str(path)), os.environ if environ is None else environ)


def parse(values: Mapping[str, object], source: str) -> Settings:
    """Turn the tables of a TOML file into Settings, or say what is wrong and where."""
    sections: dict[str, object] = {}
    known = {part.name: part.type for part in dataclasses.fields(Settings)}
    for name, table in values.items():
        if name not in known:
            raise SettingsError(f"{source}: unknown section [{name}]; {_nearest(name, known)}")
        if not isinstance(table, dict):
            raise SettingsError(f"{source}: {name} must be a section, written [{name}]")
        sections[name] = _section(typing.cast(type, known[name]), name, table, source)
    settings = Settings(**sections)  # type: ignore[arg-type]
    _check_together(settings, source)
    return settings


def override(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Settings with every `PHOTOJURY_<SECTION>_<KEY>` of the environment put over them."""
    changed = {}
    for part in dataclasses.fields(settings):
        section = getattr(settings, part.name)
        for key in dataclasses.fields(section):
            name = f"PHOTOJURY_{part.name}_{key.name}".upper()
            if name in environ:
                value = _check(key, _from_text(key, environ[name], name), f"environment: {name}")
                section = dataclasses.replace(section, **{key.name: value})
        changed[part.name] = section
    result = Settings(**changed)
    _check_together(result, "environment")
    return result


def template(name: str, values: Mapping[tuple[str, str], object] = types.MappingProxyType({})) -> str:
    """A commented study.toml with every default, for `photojury init`.

    Args:
        name: the study's name.
        values: other values than the defaults, by (section, key).
    """
    values = {("study", "name"): name, **values}
    lines = ["# A photojury study. Every key may be left out; what stands here is the default.", ""]
    for part in dataclasses.fields(Settings):
        section = typing.cast(type, part.type)
        lines += [f"# {(section.__doc__ or '').strip()}", f"[{part.name}]"]
        for key in dataclasses.fields(section):
            value = values.get((part.name, key.name), key.default)
            lines.append(f"{key.name} = {_toml(value)}  # {key.metadata['comment']}")
        lines.append("")
    return "\n".join(lines)


def _section(kind: type, name: str, table: Mapping[str, object], source: str) -> object:
    keys = {key.name: key for key in dataclasses.fields(kind)}
    for given in table:
        if given not in keys:
            raise SettingsError(f"{source}: unknown key {name}.{given}; {_nearest(given, keys)}")
    return kind(
        **{given: _check(keys[given], value, f"{source}: {name}.{given}") for given, value in table.items()}
    )


def _check(key: "dataclasses.Field[object]", value: object, where: str) -> object:
    wanted = typing.cast(type, key.type)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not wanted:
        raise SettingsError(f"{where} must be {_TYPE_NAMES[wanted]}, not {value!r}")
    low, high, choices = key.metadata["low"], key.metadata["high"], key.metadata["choices"]
    if choices and value not in choices:
        raise SettingsError(f"{where} must be one of {', '.join(choices)}, not {value!r}")
    if isinstance(value, int | float) and not _within(value, low, high):
        bounds = f"from {low} to {high}" if high is not None else f"at least {low}"
        raise SettingsError(f"{where} must be {bounds}, not {value}")
    return value


def _within(value: float, low: float | None, high: float | None) -> bool:
    return not math.isnan(value) and (low is None or value >= low) and (high is None or value <= high)


def _check_together(settings: Settings, source: str) -> None:
    parts = settings.splits
    if parts.validation + parts.test >= 1:
        raise SettingsError(
            f"{source}: splits.validation + splits.test is {parts.validation + parts.test:g}; "
            "it must be under 1, so that something is left to train on"
        )
    for name in ("c_g", "c_p"):
        text = getattr(settings.analysis, name)
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number < 100:
            raise SettingsError(
                f'{source}: analysis.{name} must be a decimal in quotes, like "0.3", not {text!r}'
            )
    if not settings.study.name.strip():
        raise SettingsError(f"{source}: study.name must not be empty")


def _from_text(key: "dataclasses.Field[object]", text: str, name: str) -> object:
    wanted = typing.cast(type, key.type)
    if wanted is str:
        return text
    try:
        return wanted(text)
    except ValueError:
        raise SettingsError(f"environment: {name} must be {_TYPE_NAMES[wanted]}, not {text!r}") from None


def _nearest(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def _toml(value: object) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        # Control characters are not allowed bare in a TOML string.
        return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
    return repr(value)


_TYPE_NAMES: Mapping[type, str] = types.MappingProxyType(
    {str: "a text in quotes", int: "a whole number", float: "a number"}
)
