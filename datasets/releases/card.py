"""The card of a release: README.md, with the header that Hugging Face reads.

Takes in the settings and the released tables; gives out Markdown. Simulated answers are named first.
"""

from collections.abc import Mapping

import pandas as pd

from photojury import __version__
from photojury.datasets.attribution import unnamed
from photojury.datasets.releases.rights import OWN
from photojury.settings import Settings

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def card(settings: Settings, tables: Mapping[str, pd.DataFrame], metadata: pd.DataFrame, version: str) -> str:
    """The text of README.md."""
    parts = metadata.loc[metadata["left_out"].isna(), "part"].value_counts()
    sections = [
        _header(
            settings, int(parts.sum()), [part for part in ("train", "validation", "test") if part in parts]
        ),
        f"# {settings.study.name} {version}\n",
        _simulated(tables),
        f"Pictures and their ratings, released with photojury {__version__}.\n\n{_counts(tables, parts)}",
        _questions(settings, tables),
        _columns(metadata),
        _rights(tables["images"]),
        _removal(settings),
    ]
    return "\n".join(section for section in sections if section)


def _header(settings: Settings, n: int, parts: list[str]) -> str:
    size = next((name for limit, name in _SIZES if n < limit), "n>1M")
    files = "".join(f"      - split: {part}\n        path: data/{part}/**\n" for part in parts)
    name = settings.study.name.replace("\\", "\\\\").replace('"', '\\"')
    configs = f"configs:\n  - config_name: default\n    drop_labels: true\n    data_files:\n{files}"
    return (
        f'---\npretty_name: "{name}"\nlicense: other\ntask_categories:\n  - image-classification\n'
        f"size_categories:\n  - {size}\n{configs if parts else ''}---\n"
    )


def _simulated(tables: Mapping[str, pd.DataFrame]) -> str:
    made_up = sum(int(tables[name]["simulated"].sum()) for name in ("ratings", "comparisons"))
    everything = len(tables["ratings"]) + len(tables["comparisons"])
    if not made_up:
        return ""
    return (
        f"> **{made_up:,} of the {everything:,} answers in this release were given by simulated raters, not by "
        "people.** They are marked `simulated`; nothing about people's taste follows from them.\n"
    )


def _counts(tables: Mapping[str, pd.DataFrame], parts: "pd.Series[int]") -> str:
    linked = len(tables["images"]) - int(parts.sum())
    rows = [
        ("pictures", int(parts.sum())),
        *((("pictures that are named, and not copied", linked),) if linked else ()),
        *(
            (f"pictures in {part}", int(parts[part]))
            for part in ("train", "validation", "test")
            if part in parts
        ),
        ("raters", tables["assignments"]["rater_id"].nunique()),
        ("assignments", len(tables["assignments"])),
        ("ratings", len(tables["ratings"])),
        ("comparisons", len(tables["comparisons"])),
        ("assignments that are not used", int((~tables["assignments"]["use"].astype(bool)).sum())),
    ]
    lines = "".join(f"| {name} | {count:,} |\n" for name, count in rows)
    return f"| what | how many |\n| --- | ---: |\n{lines}"


def _questions(settings: Settings, tables: Mapping[str, pd.DataFrame]) -> str:
    asked = []
    if len(tables["ratings"]):
        stars = settings.stars
        asked.append(
            f'- Stars: "{stars.question}" 1 ({stars.low_label}) to {stars.levels} ({stars.high_label}), '
            f"{stars.images_per_hit} pictures in a HIT."
        )
    tasks = set(tables["comparisons"]["task"])
    if "five_level" in tasks:
        asked.append(
            f'- Five levels: "{settings.five_level.question}" -2 to 2; positive means that the first is better.'
        )
    if "forced_choice" in tasks:
        asked.append(
            f'- Forced choice: "{settings.forced_choice.question}" -1 or 1; 1 means that the first is better.'
        )
    if not asked:
        return ""
    order = "Order and sides were drawn anew for each rater and are recorded.\n"
    return "## What was asked\n\n" + "\n".join(asked) + f"\n\n{order}"


def _columns(metadata: pd.DataFrame) -> str:
    votes = ", ".join(f"`{name}`" for name in map(str, metadata) if name.startswith("votes_"))
    text = (
        "## How to read it\n\n`data/*/metadata.csv` has a row for each picture: `file_name`, `rating_mean`, "
        "`rating_sd` (of the ratings, n - 1), `ratings` (their number)"
    )
    text += f", {votes}" if votes else ""
    return text + (
        ". `tables/*.parquet` has every answer; the rows with `use` true are the ones that count.\n\n"
        "```python\nimport pandas as pd\nfrom datasets import load_dataset\n\n"
        'pictures = load_dataset("imagefolder", data_dir="data")\n'
        'ratings = pd.read_parquet("tables/ratings.parquet").query("use")\n```\n'
    )


def _rights(images: pd.DataFrame) -> str:
    licences = images["license_id"].fillna("unknown")
    copied = images["left_out"].isna()
    lines = "".join(
        f"| {name} | {count:,} | {int((copied & (licences == name)).sum()):,} |\n"
        for name, count in licences.value_counts().items()
    )
    text = (
        "## Rights\n\nThe rights in each picture are its author's, not those of who made this dataset. "
        "`ATTRIBUTION.csv` has title, author, page and licence of each, when it was fetched, and a sentence that "
        "gives credit; the files are the bytes as they were fetched.\n\n"
        f"| licence | pictures | of these, copied |\n| --- | ---: | ---: |\n{lines}"
    )
    if OWN in set(licences):
        text += (
            f"\n`{OWN}`: from the makers' own folders, released on their word. No licence is granted with them "
            "beyond this release; ask its makers.\n"
        )
    if not copied.all():
        reasons = images["left_out"].value_counts()
        text += "\nNamed in `links.csv`, with address, sha256 (`image_id`) and ratings, and not copied:\n\n"
        text += "".join(f"- {count:,}: {reason}\n" for reason, count in reasons.items())
    if nameless := len(unnamed(images)):
        text += f"\n{nameless:,} pictures are under a licence that asks to name an author whom nobody has named.\n"
    return text


def _removal(settings: Settings) -> str:
    contact = settings.study.contact.strip()
    return (
        "## Taking a picture back\n\nWhoever made a picture, or is in it, may have it taken out"
        f"{f': {contact}' if contact else ' by writing to who made this dataset'}. Pictures that were taken back "
        "stand in `removed.csv` of the next release, by sha256; drop them from every copy.\n"
    )
