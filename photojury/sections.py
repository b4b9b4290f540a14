"""The sections of study.toml: every key with its default, its meaning and its bounds.

Takes in nothing; gives out `Settings`, which photojury.settings reads from a study's folder.

    >>> Settings().stars.levels
    3
"""

from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


def _key(
    default: T,
    comment: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> T:
    """A setting with its comment in study.toml and its bounds (both inclusive)."""
    value: T = field(
        default=default, metadata={"comment": comment, "low": low, "high": high, "choices": choices}
    )
    return value


@dataclass(frozen=True)
class StudySection:
    """Who asks, and what holds for the whole study."""

    name: str = _key("my-study", "shown to raters and in reports")
    seed: int = _key(1, "every random choice derives from it", low=0)
    store: str = _key("", "a PostgreSQL URL; empty means study.db in this folder")
    contact: str = _key("", "an e-mail address for raters' questions")


@dataclass(frozen=True)
class CollectSection:
    """Which pictures are taken in."""

    max_megapixels: float = _key(50.0, "larger pictures are rejected", low=0.01)
    max_megabytes: float = _key(64.0, "larger files are rejected", low=0.001)
    min_side: int = _key(64, "pixels; pictures with a shorter side are rejected", low=1)


@dataclass(frozen=True)
class FlickrSection:
    """How Flickr is asked."""

    calls_per_hour: int = _key(
        3600,
        "of one key, on all machines together; 3600 is what Flickr's guide allows, more is for stand-ins only",
        low=1,
        high=1_000_000,
    )


@dataclass(frozen=True)
class GoogleSection:
    """Keywords for Google's image search: every subject with every action, and every name by itself (paper 1)."""

    subjects: tuple[str, ...] = _key((), "who or what: dancer, gymnast")
    actions: tuple[str, ...] = _key((), "doing what: jumping, spinning")
    names: tuple[str, ...] = _key((), "asked as they are")
    calls_per_day: int = _key(100, "100 are free; at most 10,000", low=1, high=10000)


@dataclass(frozen=True)
class OpenverseSection:
    """How Openverse is asked without a client of your own; with one, its limits hold (100 a minute, 10,000 a day)."""

    calls_per_hour: int = _key(5, "Openverse's limit, as its code has it", low=1, high=1_000_000)
    calls_per_day: int = _key(100, "likewise", low=1, high=1_000_000)


@dataclass(frozen=True)
class CommonsSection:
    """How Wikimedia Commons is asked."""

    calls_per_hour: int = _key(
        300,
        'of 50 pictures each; Wikimedia allows "hundreds per hour" without an account',
        low=1,
        high=1_000_000,
    )


@dataclass(frozen=True)
class DownloadSection:
    """How files are fetched from the web."""

    threads: int = _key(16, "downloads at once", low=1, high=128)
    per_host_per_second: float = _key(4.0, "files a second from one host; 0: no limit", low=0, high=10000)
    per_host_at_once: int = _key(4, "connections to one host", low=1, high=128)
    total_seconds: float = _key(120.0, "for one file, whatever its host does", low=1, high=86400)
    least_bytes_per_second: int = _key(1000, "a slower host is left alone; counted after ten seconds", low=0)
    tries: int = _key(5, "for one file; then it is given up", low=1, high=100)
    retry_seconds: float = _key(
        60.0,
        "before a failed file's second try, half of it random; twice as long each time",
        low=0.1,
        high=86400,
    )
    patience_seconds: float = _key(
        60.0,
        "that a run waits for hosts and retries; beyond, it ends and says when to go on",
        low=0,
        high=86400,
    )
    same_file_at_most: int = _key(
        5, "ids that bring the same bytes; with more it is a host's placeholder for deleted pictures", low=1
    )
    placeholder_addresses: tuple[str, ...] = _key(
        ("/photo_unavailable", "//i.imgur.com/removed."), "parts of the addresses of such placeholders"
    )
    placeholder_hashes: tuple[str, ...] = _key((), "sha256 of other placeholders")


@dataclass(frozen=True)
class ChecksSection:
    """When a picture is rejected; 0 (or false) switches a check off. docs/checks.md explains each threshold."""

    resolution: int = _key(256, "pixels; the least shorter side", low=0)
    aspect: float = _key(3.0, "the longer side over the shorter, at most", low=0)
    category: bool = _key(True, "whether the source's word counts that it is no photograph")
    graphic: float = _key(0.45, "likeness to a drawing, 0 to 1, at most", low=0, high=1)
    alpha: float = _key(0.01, "share of the picture that can be seen through, at most", low=0, high=1)
    borders: float = _key(0.02, "share of the picture that frames take, at most", low=0, high=1)
    dark: int = _key(80, "luminance (0 to 255) that 1 % of the picture must reach", low=0, high=255)
    bright: int = _key(180, "luminance that 5 % of the picture must stay under", low=0, high=255)
    clipped: float = _key(0.9, "share of the picture that is black or white, at most", low=0, high=1)
    contrast: int = _key(
        50, "the least range of luminance, from its 1st to its 99th percentile", low=0, high=255
    )
    noise: float = _key(7.0, "standard deviation of noise, in levels of 255, at most", low=0)
    blur: float = _key(0.2, "the least sharpness, about 0.06 (nothing sharp in it) to 1.5", low=0)
    cmyk: bool = _key(False, "whether CMYK pictures are rejected")
    profile: float = _key(
        0.0, "gamut of the colour profile, in areas of sRGB's, at most; 1.3 bars Display P3", low=0
    )
    trailing: int = _key(0, "bytes after the end of the picture, at most", low=0)
    near_duplicate_distance: int = _key(
        4, "bits of 64 in which the hashes of two copies differ, at most (docs/duplicates.md)", low=0, high=16
    )
    near_duplicate_correlation: float = _key(
        0.95, "the least correlation of the thumbnails of two copies", low=0, high=1
    )
    near_duplicate_aspect: float = _key(
        0.02, "share by which the shapes (width over height) of two copies differ, at most", low=0, high=1
    )


@dataclass(frozen=True)
class BurstsSection:
    """Which pictures are a series of one moment, for the series task (photojury collect series)."""

    seconds: float = _key(
        60.0,
        "the longest pause between two pictures of a series, as their cameras' clocks tell",
        low=0,
        high=86400,
    )
    distance: int = _key(
        20, "bits of 64 in which the hashes of neighbours in a series differ, at most", low=0, high=64
    )
    longest: int = _key(
        8, "pictures in a series; longer ones are cut at their longest pauses", low=2, high=100
    )


@dataclass(frozen=True)
class RightsSection:
    """What a release may contain; a picture that it may not is named with its address, and not copied."""

    redistribute: tuple[str, ...] = _key(
        ("public-domain", "by", "by-sa"),
        "licences whose pictures are copied into a release: public-domain, by, by-sa, by-nc, by-nc-sa, "
        "or single ones like cc-by-4.0",
    )
    folder_license: str = _key(
        "own",
        "of pictures from your own folders: own (yours, released on your word), a licence like cc-by-4.0 under "
        "which you release them, or empty: not known, so not copied",
    )
    max_pruned: float = _key(
        0.1,
        "a refresh that finds a larger share gone, of a source, asks before it prunes: the service may be ill",
        low=0,
        high=1,
    )


@dataclass(frozen=True)
class ReleaseSection:
    """What a release says of itself, and how it guards raters (photojury datasets release)."""

    description: str = _key("", "what the dataset is and is for, in a sentence or two")
    creators: tuple[str, ...] = _key((), "people or institutions, as they are to be cited")
    license: str = _key(
        "",
        "of answers, scores and splits, not of the pictures: cc-by-4.0, cc0-1.0, ...; empty: none is granted",
    )
    url: str = _key("", "the address at which it will be published")
    limits: tuple[str, ...] = _key((), "known biases and limits, a sentence each")
    smallest_cell: int = _key(
        3,
        "raters who must have worked on the same batches, so that none of them can be told apart; 1: not checked",
        low=1,
    )


@dataclass(frozen=True)
class StarsSection:
    """1 to `levels` stars, or points, on one picture (paper 1's global rating)."""

    question: str = _key("How attractive is this photo?", "one line above the picture")
    levels: int = _key(3, "the best rating, at most 10; the worst is 1", low=2, high=10)
    style: str = _key("stars", "stars, or points: plain numbers", choices=("stars", "points"))
    low_label: str = _key("not attractive", "what 1 means")
    high_label: str = _key("very attractive", "what the best means")
    images_per_hit: int = _key(10, "pictures in one HIT", low=1, high=100)
    raters_per_image: int = _key(10, "different people for each picture", low=1, high=1000)
    reward_cents: int = _key(20, "for one HIT, in US cents", low=0, high=100_00)
    assignment_minutes: int = _key(30, "time allowed for one HIT", low=1, high=525_600)
    examples: tuple[str, ...] = _key((), 'shown with the instructions: "picture.jpg = what to see in it"')


@dataclass(frozen=True)
class AttributesSection:
    """AADB's batch (paper 4): ten pictures, each with an overall rating and eleven attributes: negative, null, positive."""

    question: str = _key("How beautiful is this photo, and why?", "one line above the picture")
    levels: int = _key(5, "the best overall rating; the worst is 1", low=2, high=10)
    low_label: str = _key("ugly", "what 1 means")
    high_label: str = _key("beautiful", "what the best means")
    names: tuple[str, ...] = _key(
        (
            "interesting content",
            "object emphasis",
            "good lighting",
            "color harmony",
            "vivid color",
            "shallow depth of field",
            "motion blur",
            "rule of thirds",
            "balancing elements",
            "repetition",
            "symmetry",
        ),
        "each is answered with negative, null or positive",
    )
    images_per_hit: int = _key(10, "pictures in one HIT; the same raters see all of them", low=1, high=100)
    raters_per_image: int = _key(5, "different people for each HIT", low=1, high=1000)
    reward_cents: int = _key(100, "for one HIT, in US cents", low=0, high=100_00)
    assignment_minutes: int = _key(60, "time allowed for one HIT", low=1, high=525_600)
    examples: tuple[str, ...] = _key((), 'shown with the instructions: "picture.jpg = what to see in it"')


@dataclass(frozen=True)
class FiveLevelSection:
    """Two pictures on five levels, -2 to 2 (paper 1's pairwise rating)."""

    question: str = _key("Which photo is more attractive?", "one line above the pair")
    pairing: str = _key(
        "similarity",
        "similarity, uniform, score-distance, connected or active: how pairs are chosen",
        choices=("similarity", "uniform", "score-distance", "connected", "active"),
    )
    partners: int = _key(5, "partners drawn for each picture", low=1, high=1000)
    features: str = _key("classical", "whose similarity draws the pairs (photojury embed --model)")
    temperature: float = _key(1.0, "p ~ exp(similarity / temperature); 1 is the paper's", low=0.001)
    score_method: str = _key("mos", "whose scores score-distance goes by, as the scores table names it")
    distances: tuple[str, ...] = _key(
        ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6"), "score-distance: where its bins begin; the last is open"
    )
    pairs_per_hit: int = _key(10, "pairs in one HIT", low=1, high=100)
    raters_per_pair: int = _key(5, "different people for each pair", low=1, high=1000)
    reward_cents: int = _key(25, "for one HIT, in US cents", low=0, high=100_00)
    assignment_minutes: int = _key(30, "time allowed for one HIT", low=1, high=525_600)
    examples: tuple[str, ...] = _key((), 'shown with the instructions: "picture.jpg = what to see in it"')


@dataclass(frozen=True)
class ForcedChoiceSection:
    """Two pictures, one must be chosen (paper 2's user study)."""

    question: str = _key("Which photo is aesthetically more pleasing?", "one line above the pair")
    pairing: str = _key(
        "uniform",
        "similarity, uniform, score-distance, connected or active: how pairs are chosen",
        choices=("similarity", "uniform", "score-distance", "connected", "active"),
    )
    pairs: int = _key(600, "pairs drawn over the whole study", low=1)
    features: str = _key("classical", "whose similarity draws the pairs (photojury embed --model)")
    temperature: float = _key(1.0, "p ~ exp(similarity / temperature); 1 is the paper's", low=0.001)
    score_method: str = _key("mos", "whose scores score-distance goes by, as the scores table names it")
    distances: tuple[str, ...] = _key(
        ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6"), "score-distance: where its bins begin; the last is open"
    )
    pairs_per_hit: int = _key(10, "pairs in one HIT", low=1, high=100)
    raters_per_pair: int = _key(5, "different people for each pair", low=1, high=1000)
    reward_cents: int = _key(20, "for one HIT, in US cents", low=0, high=100_00)
    assignment_minutes: int = _key(30, "time allowed for one HIT", low=1, high=525_600)
    examples: tuple[str, ...] = _key((), 'shown with the instructions: "picture.jpg = what to see in it"')


@dataclass(frozen=True)
class SeriesSection:
    """All pairs inside each series: which photo would you keep? (paper 3's question)."""

    question: str = _key(
        "Both photos show the same scene. Which one would you keep?", "one line above the pair"
    )
    reason: bool = _key(True, "whether raters may write why, in a few words")
    pairs_per_hit: int = _key(10, "pairs in one HIT", low=1, high=100)
    raters_per_pair: int = _key(5, "different people for each pair", low=1, high=1000)
    reward_cents: int = _key(30, "for one HIT, in US cents", low=0, high=100_00)
    assignment_minutes: int = _key(30, "time allowed for one HIT", low=1, high=525_600)
    examples: tuple[str, ...] = _key((), 'shown with the instructions: "picture.jpg = what to see in it"')


@dataclass(frozen=True)
class CustomSection:
    """Your own HTML page, as written for MTurk: ${name} is filled from a CSV with one row for each HIT."""

    page: str = _key("", "the HTML file, below the study's folder")
    rows: str = _key("", "the CSV file with a column for each ${name}")
    title: str = _key("Look at photos", "what the list of tasks shows")
    description: str = _key("Answer a few questions about photos.", "what the list of tasks shows")
    keywords: str = _key("photo, image, picture", "separated by commas")
    raters_per_row: int = _key(5, "different people for each row", low=1, high=1000)
    reward_cents: int = _key(20, "for one HIT, in US cents", low=0, high=100_00)
    assignment_minutes: int = _key(30, "time allowed for one HIT", low=1, high=525_600)


@dataclass(frozen=True)
class QualitySection:
    """Control questions inside the HITs: gold, repeats, training."""

    repeats: float = _key(
        0.1, "share of a HIT's questions that come again, pairs with sides swapped", low=0, high=0.5
    )
    min_golds: int = _key(
        2, "gold questions that every rater meets first, where there are any", low=0, high=20
    )
    training: int = _key(
        3, "training questions with feedback before a rater's first HIT, where there are any", low=0, high=20
    )


@dataclass(frozen=True)
class ConsentSection:
    """What raters agree to before their first task."""

    title: str = _key("Before you start", "above the text")
    text: tuple[str, ...] = _key((), "paragraphs; without any, no consent is asked for")
    agree: str = _key("I have read this and take part", "what the button says")


@dataclass(frozen=True)
class BudgetSection:
    """What may be spent, and what work is worth; 0 means no limit."""

    soft_cents: int = _key(0, "beyond this, publishing warns", low=0)
    hard_cents: int = _key(0, "beyond this, nothing is published or paid on top", low=0)
    hourly_wage_cents: int = _key(1200, "the wage that raters are promised, in US cents an hour", low=0)
    max_rejected: float = _key(0.05, "share of a batch that may be rejected, ever", low=0, high=1)


@dataclass(frozen=True)
class ScreeningSection:
    """When a rater's answers to a task are paid but not used; 0 switches a rule off."""

    least_answers: int = _key(
        20, "a rater with fewer ordinary answers to a task is judged by gold and repeats only", low=1
    )
    fast_ms: int = _key(400, "faster answers are too fast to have looked", low=0)
    fast_share: float = _key(0.1, "this share of them is too many", low=0, high=1)
    straight: float = _key(
        0.8, "this share of answers by one and the same button is too large", low=0, high=1
    )
    side_p: float = _key(0.001, "two-sided binomial p of preferring one side", low=0, high=1)
    gold_share: float = _key(0.8, "least share of gold questions answered rightly", low=0, high=1)
    gold_tolerance: float = _key(
        0.25, "how far from right still is right, as a share of the scale: one level of five", low=0, high=1
    )
    contradiction: float = _key(
        0.35,
        "largest share of repeats with another answer: the other side, or more than a level away",
        low=0,
        high=1,
    )
    consensus: float = _key(0.4, "least correlation with the mean of the other raters", low=0, high=0.99)
    chance: float = _key(
        0.05,
        "gold, contradiction and consensus speak where chance explains less than this",
        low=0.0001,
        high=0.5,
    )


@dataclass(frozen=True)
class HostingSection:
    """Pictures on S3, for marketplaces and raters that cannot reach this machine (photojury annotate host)."""

    bucket: str = _key("", "the bucket's name")
    prefix: str = _key("photojury/", "before every key")
    region: str = _key("us-east-1", "of the bucket")
    urls: str = _key("public", "public, or presigned: addresses that end", choices=("public", "presigned"))
    hours: int = _key(168, "how long presigned addresses work; 168 is S3's limit", low=1, high=168)


@dataclass(frozen=True)
class ProlificSection:
    """Raters from Prolific (photojury annotate prolific)."""

    site: str = _key("", "the worker site's public address, https://...; Prolific sends people there")
    minutes: int = _key(10, "estimated time for one HIT", low=1, high=600)
    device: str = _key("any", "any, desktop or mobile", choices=("any", "desktop", "mobile"))
    workspace: str = _key("", "the workspace's id at Prolific; needed to exclude raters and for webhooks")
    project: str = _key("", "the project's id at Prolific; empty: the account's first one")


@dataclass(frozen=True)
class MarketSection:
    """Where HITs go, and how long they stay there."""

    target: str = _key(
        "local", "local, mturk, mturk-sandbox, or the URL of any MTurk-compatible requester API"
    )
    port: int = _key(8700, "of the local marketplace", low=1, high=65535)
    image_url: str = _key("/images", "where raters' browsers find the pictures; /images is the local one")
    lifetime_hours: int = _key(168, "how long a HIT is offered", low=1, high=8760)
    auto_approval_hours: int = _key(72, "unreviewed work is paid after this time", low=0, high=720)
    fee_percent: float = _key(20.0, "of each reward, at least one cent", low=0, high=100)
    public_url: str = _key("", "the address behind a reverse proxy, https://...; empty: this machine only")
    webhook_hosts: tuple[str, ...] = _key((), "hosts that requesters may have notifications sent to")
    joining: str = _key(
        "open", "open: anyone who has the address; invitation: only by link", choices=("open", "invitation")
    )


@dataclass(frozen=True)
class SplitSection:
    """How pictures are parted for training."""

    by: str = _key(
        "image", "image, series or author: what stays together", choices=("image", "series", "author")
    )
    validation: float = _key(0.15, "share of the pictures", low=0, high=0.9)
    test: float = _key(0.25, "share of the pictures", low=0, high=0.9)


@dataclass(frozen=True)
class AnalysisSection:
    """Thresholds of the analyses, the papers' where a paper has one."""

    c_g: str = _key("0.3", "global ratings at most this far apart count as equal (paper 1, Table 1)")
    c_p: str = _key("0.2", "mean pairwise ratings at most this far from 0 count as equal (paper 1, Table 1)")
    alpha: float = _key(0.05, "false discovery rate of Benjamini-Hochberg", low=0.0001, high=0.5)
    scale: str = _key(
        "",
        'worst and best level of imported ratings that are no stars, like "0 10"; empty: 1 to stars.levels',
    )


@dataclass(frozen=True)
class Settings:
    """All of study.toml; every section and every key may be left out."""

    study: StudySection = field(default_factory=StudySection)
    collect: CollectSection = field(default_factory=CollectSection)
    flickr: FlickrSection = field(default_factory=FlickrSection)
    google: GoogleSection = field(default_factory=GoogleSection)
    openverse: OpenverseSection = field(default_factory=OpenverseSection)
    commons: CommonsSection = field(default_factory=CommonsSection)
    download: DownloadSection = field(default_factory=DownloadSection)
    checks: ChecksSection = field(default_factory=ChecksSection)
    bursts: BurstsSection = field(default_factory=BurstsSection)
    rights: RightsSection = field(default_factory=RightsSection)
    release: ReleaseSection = field(default_factory=ReleaseSection)
    stars: StarsSection = field(default_factory=StarsSection)
    attributes: AttributesSection = field(default_factory=AttributesSection)
    five_level: FiveLevelSection = field(default_factory=FiveLevelSection)
    forced_choice: ForcedChoiceSection = field(default_factory=ForcedChoiceSection)
    series: SeriesSection = field(default_factory=SeriesSection)
    custom: CustomSection = field(default_factory=CustomSection)
    quality: QualitySection = field(default_factory=QualitySection)
    consent: ConsentSection = field(default_factory=ConsentSection)
    market: MarketSection = field(default_factory=MarketSection)
    budget: BudgetSection = field(default_factory=BudgetSection)
    screening: ScreeningSection = field(default_factory=ScreeningSection)
    hosting: HostingSection = field(default_factory=HostingSection)
    prolific: ProlificSection = field(default_factory=ProlificSection)
    splits: SplitSection = field(default_factory=SplitSection)
    analysis: AnalysisSection = field(default_factory=AnalysisSection)
