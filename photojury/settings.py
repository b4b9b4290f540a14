"""study.toml and the environment, read into the frozen dataclasses of photojury.sections.

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
from pathlib import Path

from photojury.errors import NotAStudyError, SettingsError
from photojury.sections import Settings

__all__ = ["FILE_NAME", "Settings", "load", "override", "parse", "template"]

FILE_NAME = "study.toml"


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
    if wanted == tuple[str, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
            raise SettingsError(f"{where} must be {_TYPE_NAMES[wanted]}, not {value!r}")
        return tuple(value)
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
    if wanted == tuple[str, ...]:
        return [part.strip() for part in text.split(";") if part.strip()]
    if wanted is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    try:
        return wanted(text)
    except ValueError:
        raise SettingsError(f"environment: {name} must be {_TYPE_NAMES[wanted]}, not {text!r}") from None


def _nearest(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        # Control characters are not allowed bare in a TOML string.
        return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
    return repr(value)


_TYPE_NAMES: Mapping[object, str] = types.MappingProxyType(
    {
        str: "a text in quotes",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        tuple[str, ...]: 'a list of texts, like ["one", "two"]',
    }
)
