"""How a release is cited and under which licence it stands: CITATION.cff, LICENSE and a BibTeX entry.

Takes in `About`; gives out texts. CITATION.cff follows the Citation File Format 1.2.0 (Druskat et al. 2021).

    >>> spdx("cc-by-4.0"), spdx("public-domain")
    ('CC-BY-4.0', None)
"""

import json
import re

from photojury.datasets.releases.about import About

# Names of ours that are SPDX identifiers once written in capitals.
_SPDX = re.compile(r"cc0-1\.0|cc-(by|by-nc|by-nd|by-sa|by-nc-nd|by-nc-sa)-(1\.0|2\.0|2\.5|3\.0|4\.0)")


def spdx(license_id: str) -> str | None:
    """The SPDX identifier of a licence; None where it has none."""
    return license_id.upper() if _SPDX.fullmatch(license_id) else None


def authors(about: About) -> tuple[str, ...]:
    """Who made the release, as far as that was said."""
    return about.creators or (f"The makers of {about.name}",)


def citation_cff(about: About) -> str:
    """The text of CITATION.cff. Strings are written as JSON, which YAML reads."""
    lines = [
        "cff-version: 1.2.0",
        'message: "If you use this dataset, please cite it as below."',
        "type: dataset",
        f"title: {_quoted(about.name)}",
        f"abstract: {_quoted(about.description)}",
        f"version: {_quoted(about.version)}",
        f"date-released: {_quoted(about.published)}",
        "authors:",
        *(f"  - name: {_quoted(name)}" for name in authors(about)),
    ]
    if about.license and (known := spdx(about.license.license_id)):
        lines.append(f"license: {known}")
    if about.url:
        lines.append(f"url: {_quoted(about.url)}")
    return "\n".join(lines) + "\n"


def bibtex(about: About) -> str:
    """A BibTeX entry on one line."""
    key = re.sub(r"[^A-Za-z0-9]+", "", about.name).lower() or "dataset"
    fields = {
        "title": f"{about.name}, version {about.version}",
        "author": " and ".join(f"{{{name}}}" for name in authors(about)),
        "year": about.published[:4],
        "url": about.url,
    }
    listed = ", ".join(f"{name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@misc{{{key}, {listed}}}"


def licence_text(about: About) -> str:
    """The text of LICENSE: of the answers on the one hand, of each picture on the other."""
    if about.license:
        at = f", {about.license.url}" if about.license.url else ""
        ours = f"Answers, scores, splits and the other tables: {about.license.name}{at}."
    else:
        ours = (
            "Answers, scores, splits and the other tables: no licence is granted with this release. Ask its makers"
            f"{f' ({about.contact})' if about.contact else ''}."
        )
    return (
        f"{about.name} {about.version}\n\n{ours}\n\n"
        "Pictures, their titles and their descriptions: the rights are their authors'. Each picture has its own licence, "
        "author and page in ATTRIBUTION.csv.\n"
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
