"""What a release says of itself: the sentences that its card, its Croissant file and its citation share.

Takes in a study and what is released of it; gives out `About`. Everything is told from what the study recorded; what
nobody recorded (who raters are) is said to be unknown.

    about = tell_about(study, contents, version="1.0.0", form="folder", options=Options(), published="")
    about.collection
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from photojury.datasets import tables
from photojury.datasets.licenses import LICENSES, License
from photojury.datasets.releases.contents import Contents, Options
from photojury.datasets.scales import scale_of
from photojury.datasets.store import Study
from photojury.errors import SettingsError, unknown_name
from photojury.settings import Settings

_PLATFORMS = {
    "local": "photojury's own marketplace (compatible with Mechanical Turk's API)",
    "mturk": "Amazon Mechanical Turk",
    "mturk-sandbox": "Amazon Mechanical Turk's sandbox",
}
# Recommended values of rai:dataCollectionType (Croissant RAI 1.0).
_WEB = "Web API"
_COLLECTED = {"folder": "Manual Human Curator", "urls": "Web Scraping", "flickr": _WEB, "google": _WEB,
              "openverse": _WEB, "commons": _WEB}  # fmt: skip


@dataclass(frozen=True)
class About:
    """A release in words.

    Attributes:
        published: the day, ISO 8601.
        license: of answers, scores and splits; None: none is granted.
        days: the first and the last day on which pictures were fetched or answers given.
        collection, per_item, maintenance: a few sentences.
        protocol, platforms, analysis, raters, privacy, limits, collected: a sentence or a name each.
    """

    name: str
    version: str
    form: str
    published: str
    description: str
    creators: tuple[str, ...]
    license: License | None
    url: str
    contact: str
    days: tuple[str, str]
    collection: str
    collected: tuple[str, ...]
    protocol: tuple[str, ...]
    platforms: tuple[str, ...]
    per_item: str
    analysis: tuple[str, ...]
    raters: tuple[str, ...]
    privacy: tuple[str, ...]
    limits: tuple[str, ...]
    maintenance: str
    scales: Mapping[str, tuple[float, float]]


def tell_about(
    study: Study, contents: Contents, *, version: str, form: str, options: Options, published: str
) -> About:
    """The words for a release.

    Args:
        published: the day; empty: the last day on which a picture was fetched or an answer given, so that the same
            study gives the same bytes.

    Raises:
        SettingsError: release.license is no licence that photojury knows, or allows no copies.
    """
    settings = study.settings
    days = _days(study, contents)
    simulated = contents.simulated()
    words = settings.release
    made_up = (
        (
            f"{simulated:,} of {contents.answers():,} answers were made by programs and say nothing about people.",
        )
        if simulated
        else ()
    )
    return About(
        name=settings.study.name,
        version=version,
        form=form,
        published=published or days[1],
        description=words.description.strip() or _description(contents),
        creators=tuple(words.creators),
        license=_license(settings),
        url=words.url.strip(),
        contact=settings.study.contact.strip(),
        days=days,
        collection=_collection(contents, days),
        collected=tuple(
            sorted(
                {_COLLECTED.get(str(name), "Secondary Data analysis") for name in _sources(contents).index}
            )
        ),
        protocol=tuple(_asked(settings, contents)),
        platforms=tuple(_platforms(study, contents)),
        per_item=_per_item(contents),
        analysis=tuple(_analysis(study, contents, options)),
        raters=(*made_up, *_raters(contents)),
        privacy=tuple(_privacy(options)),
        limits=(*_limits(contents), *words.limits),
        maintenance=(
            "A release is never changed; corrections are a new version. Whoever made a picture, or is in it, may have it "
            f"taken out{f': {settings.study.contact.strip()}' if settings.study.contact.strip() else ''}; what was taken "
            "out stands in removed.csv of the next version, by sha256, and is to be dropped from every copy."
        ),
        scales=_scales(settings, contents),
    )


def day(seconds: float) -> str:
    """The day of a time, in UTC, as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _days(study: Study, contents: Contents) -> tuple[str, str]:
    times = [contents.tables["images"]["retrieved_at"]]
    if contents.answers():
        times.append(study.read("assignments", columns=["submitted_at"])["submitted_at"])
    seconds = pd.concat(times).dropna().astype(float)
    return day(seconds.min()), day(seconds.max())


def _license(settings: Settings) -> License | None:
    name = settings.release.license.strip()
    if not name:
        return None
    if name not in LICENSES:
        raise SettingsError(f"release.license: {unknown_name('licence', name, LICENSES)}")
    if not LICENSES[name].copies:
        raise SettingsError(
            f"release.license: {name} allows no copies; leave it empty, or name one that does"
        )
    return LICENSES[name]


def _description(contents: Contents) -> str:
    asked = [
        f"{len(contents.table(name)):,} {name}"
        for name in ("ratings", "comparisons")
        if name in contents.tables
    ]
    what = f" with {' and '.join(asked)} of them" if asked else ""
    return f"{len(contents.tables['images']):,} photographs{what}."


def _sources(contents: Contents) -> "pd.Series[int]":
    return contents.tables["images"]["source"].value_counts().sort_index()


def _collection(contents: Contents, days: Sequence[str]) -> str:
    sources = ", ".join(f"{count:,} from {name}" for name, count in _sources(contents).items())
    return f"Pictures: {sources}. They were fetched, and answers given, between {days[0]} and {days[1]}."


def _asked(settings: Settings, contents: Contents) -> list[str]:
    """What raters were asked, and how the questions were checked."""
    ratings, comparisons = contents.table("ratings"), contents.table("comparisons")
    given = {*ratings["task"].fillna("stars"), *comparisons["task"]}
    stars, attributes = settings.stars, settings.attributes
    sentences = {
        "stars": f'Stars: "{stars.question}" 1 ({stars.low_label}) to {stars.levels} ({stars.high_label}), '
        f"{stars.images_per_hit} pictures in a HIT.",
        "attributes": f'Attributes: "{attributes.question}" 1 ({attributes.low_label}) to {attributes.levels} '
        f"({attributes.high_label}), then negative, null or positive for {', '.join(attributes.names)}.",
        "five_level": f'Five levels: "{settings.five_level.question}" -2 to 2; positive means that the first is better.',
        "forced_choice": f'Forced choice: "{settings.forced_choice.question}" -1 or 1; 1 means that the first is better.',
        "series": f'Series: "{settings.series.question}" -1 or 1; 1 means that the first is better.',
    }
    found = [sentence for task, sentence in sentences.items() if task in given]
    if found:
        found.append("Order and sides were drawn anew for each rater and are recorded.")
    controls = contents.table("units")["control"].value_counts()
    names = {"gold": "gold questions", "repeat": "repeated questions", "training": "training questions"}
    known = [f"{words} ({controls[name]:,})" for name, words in names.items() if name in controls]
    if known:
        found.append(f"Among the questions were {', '.join(known)}; they measure raters, not pictures.")
    return found


def _platforms(study: Study, contents: Contents) -> list[str]:
    if not contents.answers():
        return []
    hits = study.read("hits", columns=["hit_key", "marketplace"])
    used = hits[hits["hit_key"].isin(contents.table("hits")["hit_key"])]["marketplace"]
    found = []
    if used.ne(tables.IMPORTED).any():
        target = study.settings.market.target
        found.append(_PLATFORMS.get(target, "a marketplace with Mechanical Turk's API"))
    if used.eq(tables.IMPORTED).any():
        found.append("Amazon Mechanical Turk (its batch results)")
    providers = set(study.read("recruitments", columns=["provider"])["provider"])
    return found + [name.capitalize() for name in sorted(providers)]


def _per_item(contents: Contents) -> str:
    """How many used answers a picture or pair has."""
    ratings, comparisons = contents.table("ratings"), contents.table("comparisons")
    parts = []
    if len(ratings):
        used = ratings[ratings["use"].astype(bool) & ratings["attribute"].eq("overall")]
        parts.append(_spread(used.groupby("image_id").size(), "used rating", "picture that was rated"))
    if len(comparisons):
        used = comparisons[comparisons["use"].astype(bool)]
        ordered = used[["first_id", "second_id"]].to_numpy(dtype=str)
        ordered.sort(axis=1)
        pairs = pd.DataFrame(ordered).groupby([0, 1]).size()
        parts.append(_spread(pairs, "used comparison", "pair that was compared"))
    if len(known := contents.table("histograms")):
        sums = known[known["attribute"] == "overall"].groupby("image_id")["count"].sum()
        parts.append(_spread(sums, "rating", "picture with a histogram"))
    return " ".join(part for part in parts if part) or "No picture was rated."


def _spread(counts: "pd.Series[int]", what: str, item: str) -> str:
    if counts.empty:
        return ""
    low, high = int(counts.min()), int(counts.max())
    number = f"{low}" if low == high else f"{low} to {high} (median {counts.median():g})"
    return f"{number} {what}{'s' if high != 1 else ''} for each {item}."


def _analysis(study: Study, contents: Contents, options: Options) -> list[str]:
    found = []
    if contents.answers():
        found.append("Answers are released one by one, as they were given.")
    if "small-cells" in options.drop:
        found.append("Answers of raters who could have been told apart by their batches are left out.")
    assignments = contents.table("assignments")
    if unused := int((~assignments["use"].astype(bool)).sum()):
        found.append(
            f"{unused:,} of {len(assignments):,} assignments are marked as not used, and with them their answers."
        )
    rules = study.read("verdicts", columns=["rater_id", "rule"])["rule"].value_counts().sort_index()
    if len(rules):
        counts = ", ".join(f"{rule} {count:,}" for rule, count in rules.items())
        found.append(f"Screening spoke against raters by these rules, in so many cases: {counts}.")
    if len(scores := contents.table("scores")):
        found.append(f"Scores by the methods {', '.join(sorted(set(scores['method'])))}.")
    return found


def _raters(contents: Contents) -> list[str]:
    if not contents.answers():
        return ["No single answers are released."]
    people = contents.table("assignments")
    people = people[~people["simulated"].astype(bool)]
    if people.empty:
        return ["No person was among the raters."]
    return [
        (
            f"{people['rater_id'].nunique():,} people. Nothing about them (age, sex, country, trade) was recorded with their "
            "answers, so nobody can say whom their taste stands for."
        )
    ]


def _privacy(options: Options) -> list[str]:
    found = [
        "Raters have ids made for this release alone, which cannot be joined with those of another.",
        "Worker ids, raw answers, times of day, devices and payments are not released.",
        "Photographers are named as their licences ask. People may be seen in pictures; nobody looked for who they are.",
    ]
    if "small-cells" in options.allow:
        found.append(
            "Some raters share the batches that they worked on with few others and could be told apart by that."
        )
    if "text" in options.allow:
        found.append(
            "Titles, descriptions, tags or raters' words may hold addresses, telephone numbers or names."
        )
    return found


def _limits(contents: Contents) -> list[str]:
    found = ["Pictures were chosen by whoever collected them, not drawn at random from any population."]
    if contents.answers() > contents.simulated():
        found.append("Raters are those who chose to take part.")
    return found


def _scales(settings: Settings, contents: Contents) -> dict[str, tuple[float, float]]:
    """Worst and best level by task: what was asked, or further where answers came from elsewhere."""
    known = {
        "stars": scale_of(settings),
        "attributes": (-1.0, float(settings.attributes.levels)),
        "five_level": (-2.0, 2.0),
        "forced_choice": (-1.0, 1.0),
        "series": (-1.0, 1.0),
    }
    found = {}
    for name in ("ratings", "comparisons"):
        answers = contents.table(name)
        for task, values in answers.groupby(answers["task"].fillna("stars"))["value"]:
            low, high = known.get(str(task), (float(values.min()), float(values.max())))
            found[str(task)] = (min(low, float(values.min())), max(high, float(values.max())))
    return found
