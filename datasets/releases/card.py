"""The card of a release: README.md, with the header that Hugging Face reads, and its figures.

Takes in what is released and its words; gives out Markdown and SVG. Simulated answers are named first.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from photojury import __version__
from photojury.datasets.attribution import unnamed
from photojury.datasets.counting import one_scale
from photojury.datasets.releases.about import About
from photojury.datasets.releases.citation import bibtex
from photojury.datasets.releases.contents import Contents
from photojury.datasets.releases.figures import bars, spoken
from photojury.datasets.releases.rights import OWN
from photojury.datasets.splits import PARTS

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
# What Hugging Face calls the licences that it knows, of those that people give answers.
_HUGGING_FACE = (
    "cc0-1.0",
    *(f"cc-{terms}-4.0" for terms in ("by", "by-sa", "by-nc", "by-nc-sa", "by-nd", "by-nc-nd")),
)
_FILES = {"folder": "**", "csv": "**", "webdataset": "*.tar", "parquet": "*.parquet"}
_BINS = 20

Bars = tuple[str, list[str], list[int], str]


def card(about: About, contents: Contents, drawn: Mapping[str, Bars]) -> str:
    """The text of README.md.

    Args:
        drawn: of `figures_of`.
    """
    metadata = contents.metadata
    parts = metadata.loc[metadata["left_out"].isna(), "part"].value_counts()
    sections = [
        _header(about, int(parts.sum()), [part for part in PARTS if part in parts]),
        f"# {about.name} {about.version}\n",
        _simulated(contents),
        f"{about.description}\n",
        "\n".join(
            f"![{spoken(title, labels, counts)}](figures/{name}.svg)\n"
            for name, (title, labels, counts, _) in drawn.items()
        ),
        _counts(contents, parts),
        _section("What was asked", about.protocol),
        _section(
            "Who answered, and how", (*_platforms(about), about.per_item, *about.raters, *about.analysis)
        ),
        _section("Privacy", about.privacy),
        _section("Limits", about.limits),
        _reading(about, contents),
        _rights(about, contents.tables["images"]),
        f"## Taking a picture back\n\n{about.maintenance}\n",
        f"## Citation\n\n```bibtex\n{bibtex(about)}\n```\n\nReleased with photojury {__version__}.\n",
    ]
    return "\n".join(section for section in sections if section)


def figures_of(contents: Contents) -> dict[str, Bars]:
    """The bars of each figure by its file's name: title, labels, counts, axis."""
    found: dict[str, Bars] = {}
    used = one_scale(contents.table("ratings"))
    used = used[used["use"].astype(bool)]
    if len(used) and used["value"].nunique() <= _BINS:
        counts = used["value"].value_counts().sort_index()
        labels = [f"{level:g}" for level in counts.index]
        found["ratings"] = ("Ratings that are used", labels, [int(n) for n in counts], "rating")
    means = contents.metadata["rating_mean"].dropna().to_numpy(dtype=np.float64)
    if len(means) >= _BINS and np.ptp(means) > 0:
        counts_of, edges = np.histogram(means, bins=_BINS)
        labels = [f"{low:.3g}" for low in edges[:-1]]
        found["means"] = ("Pictures by their mean rating", labels, counts_of.tolist(), "mean rating, from")
    pairs = contents.table("comparisons")
    pairs = pairs[pairs["use"].astype(bool)]
    for task, rows in pairs.groupby("task"):
        counts = rows["value"].value_counts().sort_index()
        labels = [f"{level:+g}" if level else "0" for level in counts.index]
        title = f"Comparisons that are used: {str(task).replace('_', ' ')}"
        found[str(task)] = (title, labels, [int(n) for n in counts], "positive: the first is better")
    return found


def draw(drawn: Mapping[str, Bars]) -> dict[str, str]:
    """The SVG of each figure."""
    return {
        name: bars(title, labels, counts, axis=axis) for name, (title, labels, counts, axis) in drawn.items()
    }


def _header(about: About, n: int, parts: list[str]) -> str:
    size = next((name for limit, name in _SIZES if n < limit), "n>1M")
    files = "".join(
        f"      - split: {part}\n        path: data/{part}/{_FILES[about.form]}\n" for part in parts
    )
    name = about.name.replace("\\", "\\\\").replace('"', '\\"')
    labels = "    drop_labels: true\n" if about.form in ("folder", "csv") else ""
    configs = f"configs:\n  - config_name: default\n{labels}    data_files:\n{files}"
    known = about.license.license_id if about.license else ""
    return (
        f'---\npretty_name: "{name}"\nlicense: {known if known in _HUGGING_FACE else "other"}\ntask_categories:\n'
        f"  - image-classification\nsize_categories:\n  - {size}\n{configs if parts else ''}---\n"
    )


def _simulated(contents: Contents) -> str:
    if not contents.simulated():
        return ""
    return (
        f"> **{contents.simulated():,} of the {contents.answers():,} answers in this release were given by simulated "
        "raters, not by people.** They are marked `simulated`; nothing about people's taste follows from them.\n"
    )


def _counts(contents: Contents, parts: "pd.Series[int]") -> str:
    assignments = contents.table("assignments")
    linked = len(contents.tables["images"]) - int(parts.sum())
    rows = [
        ("pictures", int(parts.sum())),
        *((("pictures that are named, and not copied", linked),) if linked else ()),
        *((f"pictures in {part}", int(parts[part])) for part in PARTS if part in parts),
        ("raters", assignments["rater_id"].nunique()),
        ("assignments", len(assignments)),
        ("assignments that are not used", int((~assignments["use"].astype(bool)).sum())),
        ("ratings", len(contents.table("ratings"))),
        ("comparisons", len(contents.table("comparisons"))),
    ]
    lines = "".join(f"| {name} | {count:,} |\n" for name, count in rows)
    return f"| what | how many |\n| --- | ---: |\n{lines}"


def _section(title: str, sentences: tuple[str, ...]) -> str:
    if not sentences:
        return ""
    return f"## {title}\n\n" + "".join(f"- {sentence}\n" for sentence in sentences)


def _platforms(about: About) -> tuple[str, ...]:
    return (f"Where: {', '.join(about.platforms)}.",) if about.platforms else ()


def _reading(about: About, contents: Contents) -> str:
    suffix = "csv" if about.form == "csv" else "parquet"
    places = {
        "folder": "`data/PART/metadata.parquet` has a row for each picture of its folder",
        "csv": "`data/PART/metadata.csv` has a row for each picture of its folder",
        "webdataset": "each tar in `data/` holds, of each picture, the file and its row as JSON; the Parquet file beside it "
        "has the rows",
        "parquet": "the files in `data/` hold the pictures' bytes (`image`) and a row for each",
    }
    load = {
        "folder": 'load_dataset("imagefolder", data_dir="data")',
        "csv": 'load_dataset("imagefolder", data_dir="data")',
        "webdataset": 'load_dataset("webdataset", data_files={"train": "data/train/*.tar"})',
        "parquet": 'load_dataset("parquet", data_files={"train": "data/train/*.parquet"})',
    }
    votes = [f"`{name}`" for name in map(str, contents.metadata) if name.startswith("votes_")]
    columns = ["`rating_mean`", "`rating_sd` (n - 1)", "`ratings` (their number)", *votes]
    query = '.query("use")' if "ratings" in contents.tables else ""
    first = "ratings" if "ratings" in contents.tables else "images"
    tables = "".join(
        f"| `{name}` | {len(table):,} | {_purpose(name)} |\n" for name, table in contents.tables.items()
    )
    read = f'{first} = pd.read_{suffix}("tables/{first}.{suffix}"){query}'
    return (
        f"## How to read it\n\n{places[about.form]}: {', '.join(columns)}, of the ratings that are used.\n\n"
        f"```python\nimport pandas as pd\nfrom datasets import load_dataset\n\npictures = {load[about.form]}\n{read}\n```\n\n"
        f"| table in `tables/` | rows | what |\n| --- | ---: | --- |\n{tables}\n"
        "Rows with `use` true are those that count. In comparisons, a positive `value` means that the first picture is better, "
        "always. `croissant.json` says what every column means.\n"
    )


def _purpose(name: str) -> str:
    return {
        "images": "every picture, with its source, author and licence",
        "ratings": "every rating of a picture",
        "comparisons": "every comparison of two pictures",
        "presentations": "how long each question was seen, and what raters wrote",
        "assignments": "one visit of a rater to a HIT; whether it is used",
        "hits": "questions that were asked together, and the reward in US cents",
        "units": "every question; gold, repeats and training are its `control`",
        "histograms": "how many raters gave each level, where single ratings are not known",
        "scores": "scores of pictures by method, with standard errors",
        "splits": "which part each picture lies in, by the split's name",
        "series": "pictures of one moment",
        "observations": "views and favourites at the source, over time",
    }[name]


def _rights(about: About, images: pd.DataFrame) -> str:
    licences = images["license_id"].fillna("unknown")
    copied = images["left_out"].isna()
    lines = "".join(
        f"| {name} | {count:,} | {int((copied & (licences == name)).sum()):,} |\n"
        for name, count in licences.value_counts().sort_index().items()
    )
    ours = f"are under {about.license.name}" if about.license else "have no licence yet: ask their makers"
    text = (
        f"## Rights\n\nAnswers, scores and splits {ours}. The rights in each picture are its author's, not those of who made "
        "this dataset. `ATTRIBUTION.csv` has title, author, page and licence of each, when it was fetched, and a sentence "
        "that gives credit; the files are the bytes as they were fetched.\n\n"
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
