"""Which networks can be trained, by the name that `photojury train` takes, and how a recipe is changed.

Takes in a name; gives out the paper's module, which has PRESETS (a recipe by backbone) and `job`.

    >>> load("hybrid-siamese").PRESETS["small"].size
    256
"""

import dataclasses
import importlib
import types
from collections.abc import Mapping
from typing import Any

from photojury.errors import InputError, unknown_name

RECIPES: Mapping[str, str] = types.MappingProxyType({"hybrid-siamese": "photojury.baselines.hybrid_siamese"})
"""The module of each paper, imported when it is asked for."""

OF_STAGE = ("epochs", "learning_rate")
"""Options that change the last stage of a recipe, not the recipe itself."""


def load(name: str) -> types.ModuleType:
    """The module of a paper.

    Raises:
        InputError: there is no such recipe; says the nearest names.
    """
    if name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES)
    return importlib.import_module(RECIPES[name])


def preset(name: str, backbone: str) -> Any:
    """The frozen recipe of a paper for a backbone."""
    presets: Mapping[str, Any] = load(name).PRESETS
    if backbone not in presets:
        raise unknown_name("backbone", backbone, presets)
    return presets[backbone]


def changed(recipe: Any, changes: Mapping[str, object]) -> Any:
    """A recipe with some values replaced; None leaves a value as it is.

    Args:
        recipe: a frozen dataclass with a field `stages`.
        changes: by field name; epochs and learning_rate are those of the last stage.

    Raises:
        InputError: a field that the recipe does not have, or a number that is not above 0.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    known = [field.name for field in dataclasses.fields(recipe)] + list(OF_STAGE)
    for name, value in given.items():
        if name not in known:
            raise unknown_name("field of the recipe", name, known)
        if isinstance(value, int | float) and value <= 0:
            raise InputError(f"{name.replace('_', ' ')} must be above 0, not {value}")
    stage = {name: given.pop(name) for name in OF_STAGE if name in given}
    if stage:
        given["stages"] = (*recipe.stages[:-1], dataclasses.replace(recipe.stages[-1], **stage))
    return dataclasses.replace(recipe, **given)
