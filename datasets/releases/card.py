"""The card of a release: README.md, with the header that Hugging Face reads.

Takes in the settings and the released tables; gives out Markdown. Simulated answers are named first.
"""

from collections.abc import Mapping

import pandas as pd

from photojury import __version__
from photojury.settings import Settings

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def card(settings: Settings, tables: Mapping[str, pd.DataFrame], metadata: pd.DataFrame, version: str) -> str:
    """The text of README.md."""
    parts = metadata["part"].value_counts()
    sections = [
        _header(settings, len(metadata), [part for part in ("train", "validation", "test") if part in parts]),
        f"# {settings.study.name} {version}\n",
        _simulated(tables),
        f"Pictures and their ratings, released with photojury {__version__}.\n\n{_counts(tables, parts)}",
        _questions(settings, tables),
        _columns(metadata),
        _rights(tables["images"]),
    ]
    return "\n".join(section for section in sections if section)


def _header(settings: Settings, n: int, parts: list[str]) -> str:
    size = next((name for limit, name in _SIZES if n < limit), "n>1M")
    files = "".join(f"      - split: {part}\n        path: data/{part}/**\n" for part in parts)
    name = settings.study.name.replace("\\", "\\\\").replace('"', '\\"')
    return (
        f'---\npretty_name: "{name}"\nlicense: other\ntask_categories:\n  - image-classification\n'
        f"size_categories:\n  - {size}\nconfigs:\n  - config_name: default\n    drop_labels: true\n"
        f"    data_files:\n{files}---\n"
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
    rows = [
        ("pictures", len(tables["images"])),
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
    known = images["license_id"].fillna("unknown").value_counts()
    lines = "".join(f"| {name} | {count:,} |\n" for name, count in known.items())
    return (
        "## Rights\n\nThe rights in each picture are its author's; licence and author stand in the table "
        f"`images`.\n\n| licence | pictures |\n| --- | ---: |\n{lines}"
    )
