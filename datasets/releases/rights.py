"""Rights in a release: which pictures it may hold, which it only names, and which it must not even name.

Takes in the study's kept images and study.toml's [rights]; gives out the same images with the licence that a
release states and, in `left_out`, why the file stays out (null: it may be copied).

    images = ruled(images, study.settings.rights)
    images["left_out"].value_counts()

The default is what FFHQ's makers did and why (its README, "Licenses"): a crop or a smaller copy is a derivative, so
pictures under NoDerivatives cannot be handed on as a dataset; all-rights-reserved allows no copy at all. NonCommercial
is left to the study's leader, since it binds everybody who uses the release.
"""

import pandas as pd

from photojury.datasets.licenses import GROUPS, LICENSES, group
from photojury.errors import SettingsError, unknown_name
from photojury.sections import RightsSection

OWN = "own"
"""The licence_id that a release states for the makers' own pictures without a licence."""

_COPYABLE = tuple(name for name in GROUPS if name != "all-rights-reserved")


def ruled(images: pd.DataFrame, rights: RightsSection) -> pd.DataFrame:
    """The images with license_id and license_url as released, and `left_out`: a sentence, or None.

    Args:
        images: rows of `images`; at least source, license_id, license_url.
        rights: the study's policy.

    Raises:
        SettingsError: the policy names an unknown licence, or one that allows no copies.
    """
    _check(rights)
    images = images.copy()
    own = (images["source"] == "folder") & images["license_id"].isna() & bool(rights.folder_license)
    license = LICENSES.get(rights.folder_license)
    images.loc[own, "license_id"] = rights.folder_license
    images.loc[own, "license_url"] = license.url if license else None
    allowed = set(rights.redistribute)
    # Whoever gives away their own pictures needs no leave from their own policy.
    images["left_out"] = pd.Series(
        [
            None if mine else _against(name if isinstance(name, str) else None, allowed)
            for mine, name in zip(own, images["license_id"], strict=True)
        ],
        index=images.index,
        dtype=object,
    )
    return images


def _against(license_id: str | None, allowed: set[str]) -> str | None:
    """Why files under a licence are not copied, or None where they are."""
    kind = group(license_id)
    if kind == "all-rights-reserved":
        return "all rights are reserved"
    if kind == "unknown":
        return "its licence is not known"
    if kind in allowed or license_id in allowed:
        return None
    license = LICENSES[license_id or ""]
    if not license.derivatives:
        return "its licence allows no derivatives (ND)"
    return f"licences of the kind {kind} are not in rights.redistribute"


def _check(rights: RightsSection) -> None:
    known = [*_COPYABLE, *(name for name, license in LICENSES.items() if license.copies)]
    for name in rights.redistribute:
        if group(name) == "all-rights-reserved" or name == "all-rights-reserved":
            raise SettingsError(
                "rights.redistribute: all-rights-reserved allows no copies; pictures that you have leave to "
                "release belong into the study under the licence that you were given"
            )
        if name not in known:
            raise SettingsError(f"rights.redistribute: {unknown_name('licence', name, known)}")
    if rights.folder_license not in ("", OWN) and rights.folder_license not in LICENSES:
        raise SettingsError(
            f"rights.folder_license: {unknown_name('licence', rights.folder_license, [OWN, *LICENSES])}"
        )
