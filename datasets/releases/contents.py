"""What leaves a study: its tables with the columns of `layout`, about kept pictures only, with new ids for raters.

Takes in a study; gives out `Contents`, which every form of a release is written from, or Refused with the rows that
would tell who somebody is.

    contents = gather(study, version="1.0.0", options=Options())
    contents.tables["ratings"].query("use")
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from photojury.datasets import tombstones
from photojury.datasets.attribution import UNCHANGED, credit
from photojury.datasets.counting import not_counted, one_scale
from photojury.datasets.images import EXTENSIONS
from photojury.datasets.releases import privacy
from photojury.datasets.releases.layout import TABLES, keys
from photojury.datasets.releases.rights import ruled
from photojury.datasets.splits import DEFAULT
from photojury.datasets.store import Study
from photojury.errors import InputError, Refused

logger = logging.getLogger(__name__)

CHECKS = ("small-cells", "text")
"""What is looked at before anything is written: raters who could be told apart, and texts that tell who somebody is."""

_SHOWN = 20
# More levels than this are a scale of numbers, whose votes nobody wants in columns.
_MOST_LEVELS = 21


@dataclass(frozen=True)
class Options:
    """What is done about findings.

    Attributes:
        allow: checks whose findings are released all the same.
        drop: checks whose findings are left out: the answers of such raters, such texts.
        smallest_cell: raters who must have worked on the same batches; None: the study's release.smallest_cell.
    """

    allow: Collection[str] = ()
    drop: Collection[str] = ()
    smallest_cell: int | None = None


STRICT = Options()
"""Any finding stops the release."""


@dataclass(frozen=True)
class Contents:
    """What is released.

    Attributes:
        tables: those of layout.TABLES that have rows, and always `images`.
        metadata: a row for each picture, ordered by image_id: file_name, the columns of images, the used ratings of it,
            and part; left_out as in images.
        removed: pictures that were taken back.
    """

    tables: Mapping[str, pd.DataFrame]
    metadata: pd.DataFrame
    removed: "pd.Series[str]"

    def table(self, name: str) -> pd.DataFrame:
        """A table, empty where nothing of it is released."""
        return self.tables.get(name, pd.DataFrame(columns=list(TABLES[name])))

    def answers(self) -> int:
        """How many ratings and comparisons there are."""
        return len(self.table("ratings")) + len(self.table("comparisons"))

    def simulated(self) -> int:
        """How many of them simulated raters gave."""
        names = ("ratings", "comparisons")
        return sum(int(self.table(name)["simulated"].astype(bool).sum()) for name in names)


def gather(study: Study, *, version: str, options: Options) -> Contents:
    """Read, check and rename everything that a release holds.

    Raises:
        InputError: the study has no pictures.
        Refused: raters could be told apart, or texts tell who somebody is, and nothing was said about it.
        SettingsError: [rights] is wrong, or the user's salt cannot be read.
    """
    images = _images(study)
    if images.empty:
        labels = len(study.read("images", {"status": "absent"}, columns=["image_id"]))
        first = "import the dataset again with its --images" if labels else "photojury collect folder DIR"
        raise InputError(f"the study has no pictures to release; first: {first}")
    found = {"images": images, **_answers(study, set(images["image_id"])), **_about(study, images)}
    found = _checked(study, found, options)
    found["images"] = found["images"].assign(
        attribution=[credit(row) for row in found["images"].to_dict("records")], changes=UNCHANGED
    )
    tables = {
        name: _renamed(found[name], name, study.settings.study.name, version)
        for name in TABLES
        if name == "images" or len(found[name])
    }
    removed = study.read("images", {"status": "tombstoned"})["image_id"]
    return Contents(tables, _metadata(tables), removed)


def _images(study: Study) -> pd.DataFrame:
    """The kept pictures against which no tombstone stands, as the study's [rights] see them."""
    images = study.read("images", {"status": "kept"})
    images = ruled(images[~images["image_id"].isin(tombstones.buried_images(study))], study.settings.rights)
    # A picture of a folder is called there by a path of this machine.
    images.loc[images["source"] == "folder", "source_id"] = None
    return images


def _answers(study: Study, kept: set[str]) -> dict[str, pd.DataFrame]:
    """Every answer about kept pictures, whether it is used, and the assignments and questions that they belong to."""
    assignments, units, hits = study.read("assignments"), study.read("units"), study.read("hits")
    ratings, comparisons = study.read("ratings"), study.read("comparisons")
    for answers in (ratings, comparisons):
        answers["use"] = not_counted(answers, assignments, units).isna()
    ratings = ratings[ratings["image_id"].isin(kept)]
    comparisons = comparisons[comparisons["first_id"].isin(kept) & comparisons["second_id"].isin(kept)]
    both = pd.concat([ratings[["assignment_id", "unit_id"]], comparisons[["assignment_id", "unit_id"]]])
    assignments = assignments[assignments["assignment_id"].isin(both["assignment_id"].unique())]
    presentations = study.read("presentations")
    given = pd.MultiIndex.from_frame(both)
    shown = pd.MultiIndex.from_frame(presentations[["assignment_id", "unit_id"]]).isin(given)
    asked = units[units["unit_id"].isin(both["unit_id"].unique())]
    return {
        "ratings": ratings,
        "comparisons": comparisons,
        "presentations": presentations[shown],
        "assignments": assignments,
        "hits": hits[hits["hit_key"].isin(assignments["hit_key"].unique())],
        # A repeat names the question that it repeats, answered or not.
        "units": units[units["unit_id"].isin([*asked["unit_id"], *asked["repeat_of"].dropna()])],
    }


def _about(study: Study, images: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What else is known of kept pictures."""
    found = {}
    for name in ("histograms", "scores", "splits", "series"):
        table = study.read(name)
        found[name] = table[table["image_id"].isin(images["image_id"])]
    seen = study.read("observations")
    public = images[images["source_id"].notna()]
    here = pd.MultiIndex.from_frame(public[["source", "source_id"]])
    found["observations"] = seen[pd.MultiIndex.from_frame(seen[["source", "source_id"]]).isin(here)]
    return found


def _checked(study: Study, found: dict[str, pd.DataFrame], options: Options) -> dict[str, pd.DataFrame]:
    """The tables without what was to be dropped; refused where something was neither dropped nor allowed."""
    found, problems = dict(found), {}
    least = options.smallest_cell or study.settings.release.smallest_cell
    raters = _distinguishable(found, least, again="small-cells" in options.drop)
    if "small-cells" in options.drop:
        found = _without(found, set(raters.index))
    elif len(raters) and "small-cells" not in options.allow:
        rows = [f"{rater} ({why})" for rater, why in raters.items()]
        problems["small-cells"] = f"{len(rows)} raters could be told apart: {_listed(rows)}"
    texts = _telling(study, found)
    if "text" in options.drop:
        found |= {name: found[name].copy() for name in privacy.TEXTS}
        for name, column, at in texts[["table", "column", "at"]].itertuples(index=False):
            found[name].iat[at, list(found[name].columns).index(column)] = None
    elif len(texts) and "text" not in options.allow:
        rows = [f"{row[:16]} in {name}.{column} ({what})" for name, row, column, what, _ in texts.to_numpy()]
        problems["text"] = f"{len(rows)} texts may tell who somebody is: {_listed(rows)}"
    if problems:
        flags = " ".join(f"--drop {name}" for name in problems)
        raise Refused(
            f"nothing was written. {'; '.join(problems.values())}. Leave them out with {flags}, or release them with "
            f"{flags.replace('--drop', '--allow')}"
        )
    return found


def _listed(rows: list[str]) -> str:
    return ", ".join(rows[:_SHOWN]) + (f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else "")


def _distinguishable(found: Mapping[str, pd.DataFrame], least: int, *, again: bool) -> "pd.Series[str]":
    """People among the raters who could be told apart; with `again`, also those who could be without the first."""
    columns = ["rater_id", "unit_id", "simulated"]
    answers = pd.concat([found["ratings"][columns], found["comparisons"][columns]])
    answers = answers[~answers["simulated"].astype(bool)]
    batches = found["units"].set_index("unit_id")["batch"]
    answers = answers.assign(batch=answers["unit_id"].map(batches))
    reasons = privacy.small_cells(answers, least=least)
    more = reasons
    while again and len(more):
        answers = answers[~answers["rater_id"].isin(more.index)]
        more = privacy.small_cells(answers, least=least)
        reasons = pd.concat([reasons, more])
    return reasons


def _without(found: Mapping[str, pd.DataFrame], raters: Collection[str]) -> dict[str, pd.DataFrame]:
    """The tables without everything of some raters."""
    return {
        name: table[~table["rater_id"].isin(raters)] if "rater_id" in table else table
        for name, table in found.items()
    }


def _telling(study: Study, found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The texts that tell who somebody is; workers' ids are read here alone, to be looked for."""
    ids = {*study.read("workers")["worker_id"], *study.read("assignments", columns=["rater_id"])["rater_id"]}
    return pd.concat(
        [privacy.telling_texts(found[name], name, columns, ids) for name, columns in privacy.TEXTS.items()]
    )


def _renamed(table: pd.DataFrame, name: str, study_name: str, version: str) -> pd.DataFrame:
    """The released columns with the release's ids, in the order of the table's key.

    The order of the study's ids would tell of them, and databases order texts in different ways.
    """
    table = table[list(TABLES[name])].copy()
    secret = [column for column in ("assignment_id", "rater_id") if column in table]
    if secret:
        rename = privacy.renamer(privacy.release_key(study_name, version))
        for column in secret:
            table[column] = rename(table[column])
    return table.sort_values(keys(name), ignore_index=True)


def _metadata(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    images = tables["images"].copy()
    names = [
        f"{image}.{EXTENSIONS[kind]}"
        for image, kind in zip(images["image_id"], images["format"], strict=True)
    ]
    images.insert(0, "file_name", names)
    counts = _counts(tables)
    facts = _facts(counts)
    metadata = images.merge(facts, left_on="image_id", right_index=True, how="left")
    for name in facts.columns.difference(["rating_mean", "rating_sd"]):
        metadata[name] = metadata[name].fillna(0).astype(int)
    made_up = counts.loc[counts["simulated"], "image_id"]
    metadata["simulated"] = metadata["image_id"].isin(made_up)
    metadata["part"] = _parts(tables, images["image_id"])
    return metadata


def _counts(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How often each picture got each level: its used ratings, or its histogram where single ratings are not known."""
    columns = ["image_id", "value", "count", "simulated"]
    parts = []
    if "ratings" in tables:
        ratings = tables["ratings"]
        used = one_scale(ratings[ratings["use"].astype(bool)])
        counted = used.groupby(["image_id", "value"])["simulated"].agg(["size", "any"]).reset_index()
        parts.append(counted.set_axis(columns, axis="columns"))
    if "histograms" in tables:
        known = tables["histograms"]
        known = known[known["attribute"] == "overall"].assign(simulated=False)[columns]
        parts.append(known[~known["image_id"].isin(parts[0]["image_id"])] if parts else known)
    return pd.concat(parts) if parts else pd.DataFrame({name: pd.Series(dtype=object) for name in columns})


def _facts(counts: pd.DataFrame) -> pd.DataFrame:
    """Mean, standard deviation, number and votes by level, by image_id."""
    table = counts.pivot_table(index="image_id", columns="value", values="count", aggfunc="sum", fill_value=0)
    votes = table.to_numpy(dtype=np.float64)
    levels = np.asarray(table.columns, dtype=np.float64)
    number = votes.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = votes @ levels / number
        spread = (votes * (levels - mean[:, np.newaxis]) ** 2).sum(axis=1) / (number - 1)
    facts = pd.DataFrame(
        {"rating_mean": mean, "rating_sd": np.sqrt(spread), "ratings": number}, index=table.index
    )
    if len(levels) <= _MOST_LEVELS:
        for level, column in zip(levels, votes.T, strict=True):
            facts[f"votes_{level:g}"] = column
    return facts


def _parts(tables: Mapping[str, pd.DataFrame], images: "pd.Series[str]") -> list[str]:
    """The part of each picture in the study's own split, else in its only one; all train where there is none."""
    splits = tables.get("splits", pd.DataFrame({"image_id": [], "split": [], "part": []}))
    names = set(splits["split"])
    chosen = DEFAULT if DEFAULT in names or len(names) != 1 else names.pop()
    rows = splits[splits["split"] == chosen]
    part_of = dict(zip(rows["image_id"], rows["part"], strict=True))
    return [part_of.get(image, "train") for image in images]
