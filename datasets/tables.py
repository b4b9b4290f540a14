"""The study's tables: every column with its type, unit and meaning. All readers and writers use these.

Times are seconds since 1970 in UTC; money is in the currency's minor unit (US cents); an unknown value is
null, never 0. `simulated` is true for everything that simulated raters had a hand in.

    >>> [column.name for column in ratings.primary_key]
    ['assignment_id', 'unit_id', 'attribute']
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

SCHEMA_VERSION = 4

IMPORTED = "mturk-csv"
"""What hits.marketplace says of HITs that came from a file: nobody can be asked about them, or paid for them."""

metadata = MetaData()


def _simulated() -> "Column[bool]":
    return Column("simulated", Boolean, nullable=False, default=False)


meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    comment="facts about the store itself, first of all its schema version",
)

searches = Table(
    "searches",
    metadata,
    Column("search_id", String(32), primary_key=True, comment="a hash of source and query"),
    Column("source", String(64), nullable=False),
    Column("query", Text, nullable=False, comment="a JSON object: what is asked of the source"),
    Column(
        "made_at",
        Float,
        nullable=False,
        comment="when it was first asked; open ends of date ranges mean this",
    ),
    comment="what was asked of a source; the same query is the same search, and goes on where it was",
)

slices = Table(
    "slices",
    metadata,
    Column("search_id", String(32), ForeignKey("searches.search_id"), primary_key=True),
    Column(
        "slice",
        String(64),
        primary_key=True,
        comment="a part of the search, as its source names it: a date range",
    ),
    Column("part_of", String(64), comment="the slice that was cut into this one, else null"),
    Column("cursor", Text, comment="what to ask for next within it; null at its beginning"),
    Column(
        "state", String(16), nullable=False, comment="open, done, cut (newer slices stand for it) or full"
    ),
    Column("reported", Integer, comment="how many the source said there are, when asked first"),
    Column("rows", Integer, nullable=False, default=0, comment="how many it gave, repeats included"),
    Column("unique", Integer, nullable=False, default=0, comment="how many different ones"),
    Column(
        "new",
        Integer,
        nullable=False,
        default=0,
        comment="how many that no earlier slice or search had given",
    ),
    Column("own", Integer, comment="how many that no earlier slice of this search had given"),
    Column("calls", Integer, nullable=False, default=0),
    Column("claimed_by", String(64), comment="the process that is asking for it"),
    comment="the parts that a search is asked in; a finished one is never asked again",
)

finds = Table(
    "finds",
    metadata,
    Column("search_id", String(32), ForeignKey("searches.search_id"), primary_key=True),
    Column("slice", String(64), primary_key=True),
    Column("source_id", Text, primary_key=True),
    comment="which slice of which search gave which candidate",
)

candidates = Table(
    "candidates",
    metadata,
    Column("source", String(64), primary_key=True, comment="folder, flickr, google, ..."),
    Column("source_id", Text, primary_key=True, comment="the source's own id; a file's full path for folder"),
    Column("query", Text, comment="what was asked of the source when this was first found"),
    Column("file_url", Text),
    Column(
        "state",
        String(16),
        nullable=False,
        comment="found, failed (to be tried again at retry_at), stored, duplicate (of stored bytes), "
        "rejected (no picture to show), gone (deleted at the source) or barred (tombstone or opt-out)",
    ),
    Column("rule", String(32), comment="which rule speaks in reason: not_an_image, animated, http_404, ..."),
    Column("reason", Text, comment="why it was rejected or failed, in one sentence"),
    Column("image_id", String(64), ForeignKey("images.image_id"), comment="the stored image, if any"),
    Column("seen_at", Float, nullable=False),
    Column("page_url", Text),
    Column("title", Text),
    Column("description", Text),
    Column("author", Text),
    Column("author_id", Text, comment="the source's id of the author"),
    Column("author_url", Text),
    Column("license_id", Text, comment="a name of datasets/licenses.py, else the source's own word"),
    Column("license_url", Text),
    Column("attribution", Text, comment="ready-made, where the source gives one"),
    Column("tags", Text, comment="a JSON list"),
    Column("taken_at", Float),
    Column("uploaded_at", Float),
    Column("width", Integer, comment="pixels of file_url, as the source says"),
    Column("height", Integer),
    Column("extra", Text, comment="a JSON object: whatever else the source or the list said"),
    Column("tries", Integer, comment="downloads begun; null: none"),
    Column("retry_at", Float, comment="when to try a failed one again"),
    Column("claimed_by", String(64), comment="the process that is downloading it"),
    Index("candidates_by_state", "state", "source", "source_id"),
    Index("candidates_by_image", "image_id"),
    comment="everything a source offered, with what became of it: the funnel",
)

processes = Table(
    "processes",
    metadata,
    Column("process_id", String(64), primary_key=True),
    Column(
        "alive_until", Float, nullable=False, comment="moved on while it lives; what it claimed is free after"
    ),
    comment="processes, of any machine, that work on slices or candidates now",
)

tombstones = Table(
    "tombstones",
    metadata,
    Column(
        "key",
        Text,
        primary_key=True,
        comment="sha256:ID, SOURCE:ID (one picture) or SOURCE:author:ID (all of a person)",
    ),
    Column("reason", Text, nullable=False),
    Column("made_at", Float, nullable=False),
    comment="what must never be taken in or released again; wins over every later crawl",
)

decisions = Table(
    "decisions",
    metadata,
    Column("image_id", String(64), ForeignKey("images.image_id"), primary_key=True),
    Column("decided_at", Float, primary_key=True),
    Column("status", String(16), nullable=False, comment="kept, rejected, or auto: as the checks say"),
    Column("reason", Text),
    Column("decided_by", Text),
    comment="what people decided at the curation page; append-only, the newest stands",
)

allowances = Table(
    "allowances",
    metadata,
    Column("name", Text, primary_key=True, comment="flickr, openverse, host:live.staticflickr.com, ..."),
    Column("next_at", Float, nullable=False, comment="the earliest moment of the next call"),
    Column("used", Integer, comment="calls of a quota that is counted anew at next_at; null: a pace"),
    comment="the pace of calls that all processes of the study keep together",
)

images = Table(
    "images",
    metadata,
    Column(
        "image_id",
        String(64),
        primary_key=True,
        comment="sha256 of the stored bytes, hexadecimal; DATASET:ID of one of a published dataset that is absent",
    ),
    Column("source", String(64), nullable=False),
    Column("source_id", Text, nullable=False, comment="for folder: the path below the folder"),
    Column("page_url", Text),
    Column("file_url", Text),
    Column("title", Text),
    Column("description", Text),
    Column("author", Text),
    Column("author_id", Text),
    Column("author_url", Text),
    Column("license_id", Text, comment="a name of datasets/licenses.py, else the source's own word"),
    Column("license_url", Text),
    Column("attribution", Text, comment="ready-made, where the source gives one"),
    Column("tags", Text, comment="a JSON list"),
    Column("taken_at", Float),
    Column("uploaded_at", Float),
    Column("retrieved_at", Float, nullable=False),
    Column(
        "width", Integer, comment="pixels, as shown: after the EXIF orientation; null: absent, nobody knows"
    ),
    Column("height", Integer, comment="pixels, as shown: after the EXIF orientation"),
    Column("format", String(16), comment="jpeg, png, webp, ..."),
    Column("bytes", Integer),
    Column("phash", String(16), comment="64-bit perceptual hash, hexadecimal"),
    Column(
        "status",
        String(16),
        nullable=False,
        default="kept",
        comment="kept, rejected, tombstoned, or absent: its labels came with a dataset, and no file of it",
    ),
    Column(
        "rule",
        String(32),
        comment="which check or decision speaks in reason: blur, near_duplicate, curation, ...",
    ),
    Column("reason", Text, comment="why it is not kept"),
)

observations = Table(
    "observations",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("seen_at", Float, primary_key=True),
    Column("views", Integer),
    Column("favs", Integer),
    Column("comments", Integer),
    comment="counters of a picture at its source; append-only",
)

standings = Table(
    "standings",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("checked_at", Float, primary_key=True),
    Column(
        "finding",
        String(16),
        nullable=False,
        comment="same, licence (another one now), gone (deleted or private), opt_out or unknown: nobody could tell",
    ),
    Column("license_id", Text, comment="the licence it has at its source now"),
    Column("note", Text, comment="what was found, in one sentence"),
    comment="how stored pictures stood at their sources whenever they were looked up again; append-only",
)

checks = Table(
    "checks",
    metadata,
    Column("image_id", String(64), ForeignKey("images.image_id"), primary_key=True),
    Column("check", String(32), primary_key=True),
    Column("value", Float),
    Column("verdict", String(16), nullable=False, comment="pass, fail, or unjudged: measured only"),
    Column("version", Integer, nullable=False, comment="of the check's code"),
    Column("reason", Text, comment="why it fails, in one sentence with figures"),
    Column("other_id", String(64), comment="near_duplicate: the image it was compared with, else null"),
    # Ten rows for each image: kept in the order of the key, SQLite needs half of the space.
    sqlite_with_rowid=False,
)

series = Table(
    "series",
    metadata,
    Column("series_id", String(64), primary_key=True),
    Column("image_id", String(64), ForeignKey("images.image_id"), primary_key=True),
    Column("position", Integer, nullable=False, comment="0 for the first in time"),
    Column(
        "made_by",
        String(16),
        comment="time or folders: by `collect series`, which may make it anew; null: brought in, and left alone",
    ),
)

units = Table(
    "units",
    metadata,
    Column("unit_id", String(32), primary_key=True),
    Column("batch", String(64), nullable=False, comment="one `annotate plan`"),
    Column(
        "task",
        String(32),
        nullable=False,
        comment="stars, attributes, five_level, forced_choice, series or custom",
    ),
    Column("control", String(16), comment="gold, repeat or training; null: a question like any other"),
    Column("first_id", String(64), ForeignKey("images.image_id"), nullable=False),
    Column("second_id", String(64), ForeignKey("images.image_id"), comment="null where one image is rated"),
    Column("part", String(16), comment="the split part that the unit lies in"),
    Column("gold", Float, comment="the right answer of a gold or training question, else null"),
    Column("explanation", Text, comment="why that is right; shown after a training question"),
    Column("repeat_of", String(32), ForeignKey("units.unit_id"), comment="the unit asked again, else null"),
    Column("draw", Integer, comment="order in which the sampler drew it; of gold, the line in its file"),
    Column("similarity", Float, comment="cosine of the pair's features, where they drew it"),
    comment="one question: an image or a pair",
)

hits = Table(
    "hits",
    metadata,
    Column("hit_key", String(32), primary_key=True, comment="ours, known before the marketplace's id"),
    Column("batch", String(64), nullable=False),
    Column("task", String(32), nullable=False),
    Column(
        "unit_ids", Text, nullable=False, comment="a JSON list, in planned order: what every rater is asked"
    ),
    Column("gold_ids", Text, comment="a JSON list: gold units, of which a rater meets as many as are due"),
    Column("training_ids", Text, comment="a JSON list: units with feedback, before a rater's first HIT"),
    Column("inputs", Text, comment="a JSON object: the CSV row of a custom HIT, which has no units"),
    Column("marketplace", Text, comment="the requester API that it was published to"),
    Column("hit_id", String(64), comment="the marketplace's id, null until it answered"),
    Column("request_token", String(64), nullable=False, comment="the UniqueRequestToken of its creation"),
    Column(
        "state",
        String(16),
        nullable=False,
        comment="planned, publishing (perhaps made: its call was begun), published, paused (nobody new can "
        "accept), closing (nor ever; answers may still come) or closed (every answer is in the store)",
    ),
    Column("reward", Integer, nullable=False, comment="cents for one assignment"),
    Column("max_assignments", Integer, nullable=False),
    Column("extend_to", Integer, comment="max_assignments that an extension under way will reach, else null"),
    Column("published_at", Float),
    Index("hits_by_hit_id", "hit_id"),
)

workers = Table(
    "workers",
    metadata,
    Column("rater_id", String(32), primary_key=True),
    Column("marketplace", Text, nullable=False),
    Column("worker_id", Text, nullable=False),
    comment="the only table with the marketplace's own worker ids; no export holds one, and no report reads it",
)

assignments = Table(
    "assignments",
    metadata,
    Column("assignment_id", String(64), primary_key=True),
    Column("rater_id", String(32), primary_key=True, comment="a salted hash of the worker id"),
    Column(
        "hit_key",
        String(32),
        ForeignKey("hits.hit_key"),
        comment="null: of a published dataset that does not tell its batches",
    ),
    Column("accepted_at", Float, comment="null: of a published dataset that does not tell it"),
    Column("submitted_at", Float, comment="likewise"),
    Column("active_seconds", Float, comment="time with the page in front, as the page measured it"),
    Column("status", String(16), nullable=False, comment="Submitted, Approved or Rejected"),
    Column("use", Boolean, nullable=False, default=True, comment="whether its answers enter the analysis"),
    Column("reason", Text, comment="why it is not used, or which of its answers could not be read"),
    Column("answers", Text, nullable=False, comment="the marketplace's XML, as it came"),
    _simulated(),
)

presentations = Table(
    "presentations",
    metadata,
    Column("assignment_id", String(64), primary_key=True),
    Column("unit_id", String(32), ForeignKey("units.unit_id"), primary_key=True),
    Column("rater_id", String(32), nullable=False),
    Column("position_in_hit", Integer, nullable=False, comment="0 for the first shown"),
    Column("visits", Integer, comment="how often the rater came to it: 1, or more after going back"),
    Column(
        "load_ms", Integer, comment="from asking for the picture, or the slower of two, to its being decoded"
    ),
    Column("visible_ms", Integer, comment="with the page in front, summed over all visits"),
    Column("natural_width", Integer, comment="pixels of the (left) picture's file"),
    Column("natural_height", Integer),
    Column("shown_width", Float, comment="CSS pixels of the (left) picture on the screen"),
    Column("shown_height", Float),
    Column("viewport_width", Integer, comment="CSS pixels of the page"),
    Column("viewport_height", Integer),
    Column("pixel_ratio", Float, comment="device pixels for a CSS pixel"),
    Column("input", String(16), comment="keyboard, mouse, touch or pen: what gave the answer"),
    Column("failed", Boolean, nullable=False, default=False, comment="the rater said that it did not load"),
    Column("reason", Text, comment="what the rater wrote, where the task asks for it"),
    _simulated(),
    comment="how each question was shown; one row for each question of an assignment",
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("rater_id", String(32), primary_key=True),
    Column("task", String(32), primary_key=True),
    Column(
        "rule",
        String(32),
        primary_key=True,
        comment="gold, fast, straight, side, contradiction, consensus, ...",
    ),
    Column("reason", Text, nullable=False, comment="one sentence with the figures"),
    Column("value", Float, comment="what the rule measured"),
    Column("threshold", Float, comment="what study.toml allows"),
    Column("decided_at", Float, nullable=False),
    comment="why a rater's answers to a task are paid but not used; one row for each rule that speaks",
)

exclusions = Table(
    "exclusions",
    metadata,
    Column("rater_id", String(32), primary_key=True),
    Column("until", Float, comment="null: for good"),
    Column("reason", Text, nullable=False),
    Column("made_at", Float, nullable=False),
    comment="raters who are offered no more HITs of this study; a soft ban ends by itself",
)

recruitments = Table(
    "recruitments",
    metadata,
    Column("recruitment_id", String(64), primary_key=True, comment="ours, known before the provider's id"),
    Column("provider", String(16), nullable=False, comment="prolific"),
    Column("batch", String(64), nullable=False),
    Column("provider_id", String(64), comment="the provider's id of the study, null until it answered"),
    Column("state", String(16), nullable=False, comment="creating, draft, published or closed"),
    Column("places", Integer, nullable=False),
    Column("made_at", Float, nullable=False),
    comment="where people were asked for, beside the marketplace",
)

submissions = Table(
    "submissions",
    metadata,
    Column("provider", String(16), primary_key=True),
    Column("submission_id", String(64), primary_key=True, comment="the provider's"),
    Column("recruitment_id", String(64), ForeignKey("recruitments.recruitment_id"), nullable=False),
    Column("rater_id", String(32), nullable=False),
    Column("status", String(24), nullable=False, comment="as the provider says it"),
    Column("code", String(64), comment="the completion code that was handed in"),
    Column("seen_at", Float, nullable=False),
    comment="a person's visit that a provider has sent and wants settled",
)

ratings = Table(
    "ratings",
    metadata,
    Column("assignment_id", String(64), primary_key=True),
    Column("unit_id", String(32), ForeignKey("units.unit_id"), primary_key=True),
    Column("attribute", String(32), primary_key=True, comment="overall, or the attribute's name"),
    Column(
        "task", String(32), comment="stars or attributes; null: stars, of a store before there were others"
    ),
    Column("image_id", String(64), ForeignKey("images.image_id"), nullable=False),
    Column("rater_id", String(32), nullable=False),
    Column("value", Float, nullable=False),
    Column("position_in_hit", Integer, comment="0 for the first shown; null: not told"),
    Column("milliseconds", Integer, comment="from the image being visible to the answer"),
    _simulated(),
)

histograms = Table(
    "histograms",
    metadata,
    Column("image_id", String(64), ForeignKey("images.image_id"), primary_key=True),
    Column("attribute", String(32), primary_key=True, comment="overall, or the attribute's name"),
    Column("value", Float, primary_key=True, comment="a level"),
    Column("count", Integer, nullable=False, comment="how many raters gave it"),
    comment="ratings of published datasets that tell each level's count only, and not who gave it",
)

comparisons = Table(
    "comparisons",
    metadata,
    Column("assignment_id", String(64), primary_key=True),
    Column("unit_id", String(32), ForeignKey("units.unit_id"), primary_key=True),
    Column("task", String(32), nullable=False, comment="five_level, forced_choice or series"),
    Column("first_id", String(64), ForeignKey("images.image_id"), nullable=False),
    Column("second_id", String(64), ForeignKey("images.image_id"), nullable=False),
    Column("rater_id", String(32), nullable=False),
    Column("value", Float, nullable=False, comment="-2..2 or -1, 1; positive means first is better, always"),
    Column("first_shown_left", Boolean, comment="null: not told"),
    Column("position_in_hit", Integer, comment="0 for the first shown; null: not told"),
    Column("milliseconds", Integer, comment="from both images being visible to the answer"),
    _simulated(),
)

payments = Table(
    "payments",
    metadata,
    Column(
        "payment_key",
        String(96),
        primary_key=True,
        comment="kind and what it is for: cannot be entered twice",
    ),
    Column("kind", String(16), nullable=False, comment="reward, bonus or fee"),
    Column("assignment_id", String(64), nullable=False),
    Column("rater_id", String(32), nullable=False),
    Column("amount", Integer, nullable=False, comment="cents"),
    Column("currency", String(3), nullable=False, default="USD"),
    Column("state", String(16), nullable=False, comment="due (written before the call) or paid"),
    Column("request_token", String(64), comment="the UniqueRequestToken of a bonus"),
    Column("reason", Text, comment="what the rater is told a bonus is for"),
    Column("made_at", Float, comment="when it became due"),
    _simulated(),
)

scores = Table(
    "scores",
    metadata,
    Column("image_id", String(64), ForeignKey("images.image_id"), primary_key=True),
    Column("method", String(64), primary_key=True, comment="mos, hybrid-siamese, ..."),
    Column("score", Float, nullable=False),
    Column("standard_error", Float),
    _simulated(),
)

splits = Table(
    "splits",
    metadata,
    Column("image_id", String(64), ForeignKey("images.image_id"), primary_key=True),
    Column("split", String(32), primary_key=True),
    Column("part", String(16), nullable=False, comment="train, validation or test"),
)
