"""study.toml: what is accepted, and what each mistake is told."""

import dataclasses
import tomllib
from pathlib import Path

import pytest

from photojury.errors import NotAStudyError, SettingsError
from photojury.settings import Settings, load, override, parse, template


def test_the_template_is_the_defaults() -> None:
    """What `photojury init` writes reads back as the defaults, name apart."""
    read = parse(tomllib.loads(template('a "quoted"\nname')), "study.toml")
    assert read.study.name == 'a "quoted"\nname'
    assert dataclasses.replace(read, study=Settings().study) == Settings()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[stras]", "unknown section [stras]; did you mean stars?"),
        ("[stars]\nlevls = 3", "unknown key stars.levls; did you mean levels?"),
        ("[stars]\nlevels = '3'", "stars.levels must be a whole number, not '3'"),
        ("[stars]\nlevels = true", "stars.levels must be a whole number, not True"),
        ("[stars]\nlevels = 1", "stars.levels must be from 2 to 10, not 1"),
        ("[five_level]\ntemperature = nan", "five_level.temperature must be at least 0.001, not nan"),
        ("[splits]\nby = 'day'", "splits.by must be one of image, series, author, not 'day'"),
        ("[splits]\ntest = 0.5\nvalidation = 0.5", "must be under 1"),
        ("[analysis]\nc_g = '1/3'", "analysis.c_g must be a decimal in quotes"),
        ("[study]\nname = ' '", "study.name must not be empty"),
        ("stars = 3", "stars must be a section"),
    ],
)
def test_a_mistake_is_named(text: str, sentence: str) -> None:
    """Each mistake in study.toml gets a sentence that names file and key."""
    with pytest.raises(SettingsError) as caught:
        parse(tomllib.loads(text), "my/study.toml")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("my/study.toml: ")


def test_broken_toml_is_a_sentence(tmp_path: Path) -> None:
    """A file that is no TOML, or is missing, says so with its path."""
    with pytest.raises(NotAStudyError, match="photojury init"):
        load(tmp_path)
    (tmp_path / "study.toml").write_text("[study\n")
    with pytest.raises(SettingsError, match=r"study\.toml is not valid TOML"):
        load(tmp_path)


def test_the_environment_wins_over_the_file() -> None:
    """PHOTOJURY_<SECTION>_<KEY> is put over the file, with the same checks."""
    settings = override(
        Settings(), {"PHOTOJURY_STARS_LEVELS": "5", "PHOTOJURY_FIVE_LEVEL_TEMPERATURE": "0.5"}
    )
    assert (settings.stars.levels, settings.five_level.temperature) == (5, 0.5)
    with pytest.raises(SettingsError, match="PHOTOJURY_STARS_LEVELS must be a whole number, not 'many'"):
        override(Settings(), {"PHOTOJURY_STARS_LEVELS": "many"})
