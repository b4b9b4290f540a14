"""Hosting: the study's pictures go to S3, and every rater's browser learns where to find them.

Takes in a study; gives out uploaded pictures, each under its content's hash, and the function from an image id
to its address. Uploading is safe to break off: what is there with the right size is left alone, and one listing
for a thousand pictures says what that is.

    >>> host(study)                                     # doctest: +SKIP
    Hosted(uploaded=72, skipped=0, bytes=18432000, ...)
    >>> addresses(study)("ab…")                         # doctest: +SKIP
    'https://my-pictures.s3.amazonaws.com/photojury/ab….jpg'
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from photojury.annotate.images.bucket import THREADS, Bucket, missing, open_bucket
from photojury.datasets import tables
from photojury.datasets.images import EXTENSIONS, MEDIA_TYPES, image_id
from photojury.datasets.store import Study
from photojury.errors import InputError, ServiceError, SettingsError

log = logging.getLogger(__name__)

Row = Mapping[str, Any]

_IMAGES, _UNITS = tables.images, tables.units


@dataclass(frozen=True)
class Hosted:
    """What a run did, or would do.

    Attributes:
        uploaded: pictures sent now.
        skipped: pictures that were there.
        bytes: sent now.
        created: whether the bucket was made now.
        rule: whether the CORS rule was added now; None where the service did not let us look or add.
        readable: whether a browser without credentials can read a picture; None where none was tried.
        problems: (image id, sentence) of what was not sent.
    """

    uploaded: int
    skipped: int
    bytes: int
    created: bool
    rule: bool | None
    readable: bool | None
    problems: list[tuple[str, str]] = field(default_factory=list)


def host(
    study: Study,
    progress: Callable[[int], None] = lambda done: None,
    *,
    planned_only: bool = False,
    create: bool = False,
    keep: bool = True,
) -> Hosted:
    """Upload what the bucket lacks, and see whether raters can read it.

    Args:
        study: the open study.
        progress: called with the number of pictures sent so far.
        planned_only: only the pictures that planned questions show.
        create: make the bucket where it is not there.
        keep: really do it; False only tells what it would be.

    Raises:
        InputError: there are no pictures.
        SettingsError: hosting.bucket is empty, not there, or in another region.
        ServiceError: credentials, or a service that does not answer; what was sent until then stays.
    """
    bucket = open_bucket(study.settings)
    pictures = _pictures(study, planned_only=planned_only)
    if not pictures:
        first = "photojury annotate plan stars" if planned_only else "photojury collect folder DIR"
        raise InputError(f"there are no pictures to host; first: {first}")
    have = bucket.sizes()
    if have is None and not create:
        raise missing(bucket)
    lacking = _lacking(bucket, have, pictures)
    if not keep:
        size = sum(picture["bytes"] for picture in lacking)
        rule = have is None or bucket.needs_rule()
        return Hosted(len(lacking), len(pictures) - len(lacking), size, have is None, rule, None)
    if have is None:
        bucket.create()
    problems = _upload(study, bucket, lacking, progress)
    failed = {image for image, _ in problems}
    sent = [picture for picture in lacking if picture["image_id"] not in failed]
    shown = next((picture for picture in pictures if picture["image_id"] not in failed), None)
    return Hosted(
        uploaded=len(sent),
        skipped=len(pictures) - len(lacking),
        bytes=sum(picture["bytes"] for picture in sent),
        created=have is None,
        rule=_allow_pages(bucket),
        readable=bucket.status_of(_key(bucket, shown)) == 200 if shown else None,
        problems=problems,
    )


def addresses(study: Study) -> Callable[[str], str]:
    """The function from an image id to the address where raters' browsers find the picture.

    The address's last part begins with the image id and a dot: rating pages rely on it. With hosting.bucket
    set, it is checked that every picture of a planned question is there and that a browser can read it.

    Raises:
        SettingsError: presigned addresses would end before the HITs do.
        InputError: pictures of planned questions are not in the bucket yet.
        ServiceError: the bucket does not answer, or not to browsers.
    """
    names = _names(study)
    if not study.settings.hosting.bucket:
        base = study.settings.market.image_url.rstrip("/")
        return lambda image: f"{base}/{names[image]}"
    bucket = open_bucket(study.settings)
    _check_lifetime(study, bucket)
    _check_hosted(study, bucket)
    return address_of(study)


def address_of(study: Study) -> Callable[[str], str]:
    """The function from an image id to its address in the study's bucket; nothing is asked of the service.

    Raises:
        SettingsError: hosting.bucket is empty.
    """
    names, bucket = _names(study), open_bucket(study.settings)
    return lambda image: bucket.address(bucket.prefix + names[image])


def advice(bucket: Bucket) -> str:
    """What to do where browsers are refused."""
    if bucket.hosting.urls == "presigned":
        return (
            "a browser is refused a presigned address: these credentials may not read what they wrote; "
            "allow them s3:GetObject"
        )
    return (
        f"a browser without credentials is refused the pictures in {bucket.name}. Either write "
        'urls = "presigned" under [hosting] in study.toml, or let anybody read them: switch off the bucket\'s '
        f"block of public policies and give it this policy (photojury does not do it by itself):\n{bucket.policy()}"
    )


def _check_lifetime(study: Study, bucket: Bucket) -> None:
    hosting, hours = study.settings.hosting, study.settings.market.lifetime_hours
    if hosting.urls != "presigned":
        return
    if hosting.hours <= hours:
        raise SettingsError(
            f"presigned addresses work for {hosting.hours} hours (hosting.hours), and HITs are offered for {hours} "
            f"(market.lifetime_hours): raters would see no pictures at the end; set market.lifetime_hours to "
            f'{hosting.hours - 1} or less, or hosting.urls to "public"'
        )
    if bucket.temporary:
        log.warning(
            "these AWS credentials are temporary (they have a session token): presigned addresses end with them, "
            "hours before hosting.hours; sign with the key of an IAM user, or host with public addresses"
        )


def _check_hosted(study: Study, bucket: Bucket) -> None:
    pictures = _pictures(study, planned_only=True)
    lacking = _lacking(bucket, bucket.sizes(), pictures)
    if lacking:
        raise InputError(
            f"{len(lacking)} of {len(pictures)} pictures that raters will be shown are not in the bucket "
            f"{bucket.name} yet; first: photojury annotate host"
        )
    if pictures and bucket.status_of(_key(bucket, pictures[0])) != 200:
        raise ServiceError(advice(bucket))


def _pictures(study: Study, *, planned_only: bool) -> list[Row]:
    """The pictures that raters may meet: kept ones, and those that questions were planned about before."""
    asked = sa.union(
        sa.select(_UNITS.c.first_id), sa.select(_UNITS.c.second_id).where(_UNITS.c.second_id.is_not(None))
    )
    planned = _IMAGES.c.image_id.in_(asked)
    wanted = planned if planned_only else sa.or_(planned, _IMAGES.c.status == "kept")
    query = sa.select(_IMAGES.c.image_id, _IMAGES.c.format, _IMAGES.c.bytes)
    rows = study.rows(
        query.where(wanted, _IMAGES.c.status.not_in(("tombstoned", "absent"))).order_by(_IMAGES.c.image_id)
    )
    return list(rows)


def _lacking(bucket: Bucket, have: Mapping[str, int] | None, pictures: Sequence[Row]) -> list[Row]:
    """The pictures that a bucket has not, or not whole."""
    sizes = have or {}
    return [picture for picture in pictures if sizes.get(_key(bucket, picture)) != picture["bytes"]]


def _allow_pages(bucket: Bucket) -> bool | None:
    """Add the CORS rule; None where these credentials may not, since the bucket's owner may have done it."""
    try:
        return bucket.allow_pages()
    except ServiceError as error:
        log.warning("%s", error)
        return None


def _upload(
    study: Study, bucket: Bucket, pictures: Sequence[Row], progress: Callable[[int], None]
) -> list[tuple[str, str]]:
    """Send pictures, some at a time; returns what could not be read from the study's own files."""
    problems: list[tuple[str, str]] = []
    with ThreadPoolExecutor(THREADS) as pool:
        jobs = {pool.submit(_send, study, bucket, picture): picture["image_id"] for picture in pictures}
        try:
            for done, job in enumerate(as_completed(jobs), 1):
                problem = job.result()
                if problem:
                    problems.append((jobs[job], problem))
                progress(done)
        except BaseException:
            # The service failed, or Ctrl-C: those under way end, the others never start.
            pool.shutdown(cancel_futures=True)
            raise
    return sorted(problems)


def _send(study: Study, bucket: Bucket, picture: Row) -> str | None:
    """Send one picture; a sentence where its file is not what its name says."""
    path = study.image_path(picture["image_id"], picture["format"])
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    if image_id(data) != picture["image_id"]:
        return f"{path} is damaged: its content is not the one that its name says"
    bucket.put(_key(bucket, picture), data, MEDIA_TYPES[EXTENSIONS[picture["format"]]])
    return None


def _key(bucket: Bucket, picture: Row) -> str:
    return f"{bucket.prefix}{picture['image_id']}.{EXTENSIONS[picture['format']]}"


def _names(study: Study) -> dict[str, str]:
    """The file name of each picture, by its id: it begins with the id and a dot."""
    rows = study.rows(sa.select(_IMAGES.c.image_id, _IMAGES.c.format).where(_IMAGES.c.format.is_not(None)))
    return {row["image_id"]: f"{row['image_id']}.{EXTENSIONS[row['format']]}" for row in rows}
