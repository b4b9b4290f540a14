"""Pictures on S3, against moto's server on loopback: uploads, resuming, CORS, addresses, and what goes wrong."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
import sqlalchemy as sa
from click.testing import CliRunner, Result
from moto.core import set_initial_no_auth_action_count
from moto.server import ThreadedMotoServer

from photojury.annotate.batches import plan
from photojury.annotate.commands.hosting import host as host_command
from photojury.annotate.images import bucket as buckets
from photojury.annotate.images.hosting import address_of, addresses, host
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError, PhotojuryError, ServiceError, SettingsError
from photojury.settings import override
from tests.support import IMAGES, make_study

BUCKET = "pictures"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of moto's S3."""
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    address, port = moto.get_host_and_port()
    yield f"http://{address}:{port}"
    moto.stop()


@pytest.fixture
def s3(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty S3, and a client of our own to look into it."""
    requests.post(f"{server}/moto-api/reset", timeout=10).raise_for_status()
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("PHOTOJURY_HOSTING_BUCKET", BUCKET)
    client = boto3.client("s3", region_name="us-east-1")
    yield client
    client.close()


@pytest.fixture
def pictures(tmp_path: Path, s3: Any) -> Iterator[Study]:
    """A study whose pictures go to BUCKET."""
    study = make_study(tmp_path)
    yield study
    study.close()


def changed(study: Study, **environment: str) -> Study:
    """The study with other settings, as PHOTOJURY_<SECTION>_<KEY> would give them."""
    return dataclasses.replace(study, settings=override(study.settings, environment))


def let_anybody_read(s3: Any, name: str = BUCKET) -> None:
    """The policy that a study's leader would set by hand."""
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def keys(s3: Any) -> dict[str, str]:
    """Every key of the bucket with the time of its last change."""
    items = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {item["Key"]: str(item["LastModified"]) for item in items}


def test_every_picture_is_there_once(pictures: Study, s3: Any) -> None:
    """Each picture is stored under its hash, to the bit, with its media type, to be kept for ever."""
    done = host(pictures, create=True)
    assert (done.uploaded, done.skipped, done.created, done.problems) == (IMAGES, 0, True, [])
    images = pictures.read("images")
    assert sorted(keys(s3)) == sorted(f"photojury/{image}.png" for image in images["image_id"])
    image = images["image_id"][0]
    stored = s3.get_object(Bucket=BUCKET, Key=f"photojury/{image}.png")
    assert stored["Body"].read() == pictures.image_path(image).read_bytes()
    assert stored["ContentType"] == "image/png"
    assert stored["CacheControl"] == "public, max-age=31536000, immutable"
    assert done.bytes == images["bytes"].sum()
    again = host(pictures)
    assert (again.uploaded, again.skipped, again.bytes, again.created) == (0, IMAGES, 0, False)


def test_more_than_one_page_of_keys_is_listed(
    pictures: Study, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket with more keys than an answer holds is listed whole before anything is sent."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "5")
    host(pictures, create=True)
    assert len(s3.list_objects_v2(Bucket=BUCKET)["Contents"]) == 5
    assert host(pictures).skipped == IMAGES


def test_it_goes_on_after_a_failure(pictures: Study, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the service fails in the middle, what was sent stays and only the rest is sent next time."""
    real = buckets.Bucket.put
    sent: list[str] = []

    def put(self: buckets.Bucket, key: str, data: bytes, media_type: str) -> None:
        if len(sent) >= 9:
            raise ServiceError("the line is cut")
        sent.append(key)
        real(self, key, data, media_type)

    s3.create_bucket(Bucket=BUCKET)
    monkeypatch.setattr(buckets.Bucket, "put", put)
    with pytest.raises(ServiceError, match="the line is cut"):
        host(pictures)
    before = keys(s3)
    assert sorted(before) == sorted(sent)
    assert 9 <= len(before) < IMAGES
    monkeypatch.setattr(buckets.Bucket, "put", real)
    done = host(pictures)
    assert (done.uploaded, done.skipped) == (IMAGES - len(before), len(before))
    assert {key: keys(s3)[key] for key in before} == before


def test_a_half_key_is_sent_again(pictures: Study, s3: Any) -> None:
    """A key of the wrong size is no picture of ours, and is written anew."""
    host(pictures, create=True)
    image = pictures.read("images")["image_id"][3]
    s3.put_object(Bucket=BUCKET, Key=f"photojury/{image}.png", Body=b"half")
    assert host(pictures).uploaded == 1
    stored = s3.get_object(Bucket=BUCKET, Key=f"photojury/{image}.png")["Body"].read()
    assert stored == pictures.image_path(image).read_bytes()


def test_a_damaged_file_stays_at_home(pictures: Study, s3: Any) -> None:
    """A file whose content is not its name, or that is gone, is named; all others are sent."""
    images = pictures.read("images")["image_id"]
    pictures.image_path(images[0]).write_bytes(b"damaged")
    pictures.image_path(images[1]).unlink()
    done = host(pictures, create=True)
    assert done.uploaded == IMAGES - 2
    assert [image for image, _ in done.problems] == sorted(images[:2])
    sentences = " ".join(sentence for _, sentence in done.problems)
    assert "is damaged" in sentences
    assert "No such file" in sentences


def test_rejected_pictures_go_only_if_they_are_asked_about(pictures: Study, s3: Any) -> None:
    """Kept pictures are sent, rejected ones of planned questions too, removed ones never; or planned ones only."""
    ids = list(pictures.read("images")["image_id"])
    with pytest.raises(InputError, match="no pictures to host; first: photojury annotate plan"):
        host(pictures, planned_only=True, create=True)
    with pictures.writing() as connection:
        unit = {"unit_id": "u", "batch": "b", "task": "five_level", "first_id": ids[0], "second_id": ids[1]}
        connection.execute(sa.insert(tables.units).values(unit))
        for image, status in ((ids[1], "rejected"), (ids[2], "rejected"), (ids[3], "tombstoned")):
            this = tables.images.c.image_id == image
            connection.execute(sa.update(tables.images).where(this).values(status=status))
    assert host(pictures, planned_only=True, create=True).uploaded == 2
    assert sorted(keys(s3)) == sorted(f"photojury/{image}.png" for image in ids[:2])
    host(pictures)
    assert sorted(keys(s3)) == sorted(f"photojury/{i}.png" for i in ids if i not in ids[2:4])


def test_cors_rules_are_merged(pictures: Study, s3: Any) -> None:
    """Our rule is added once beside the rules that are there; one that allows everything is enough."""
    s3.create_bucket(Bucket=BUCKET)
    theirs = {"AllowedMethods": ["PUT"], "AllowedOrigins": ["https://example.org"]}
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [theirs]})
    assert host(pictures).rule is True
    assert host(pictures).rule is False
    rules = s3.get_bucket_cors(Bucket=BUCKET)["CORSRules"]
    assert [rule["AllowedOrigins"] for rule in rules] == [["https://example.org"], ["*"]]
    assert rules[0]["AllowedMethods"] == ["PUT"]
    assert {"GET", "HEAD"} == set(rules[1]["AllowedMethods"])
    everything = {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"]}
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [everything]})
    assert host(pictures).rule is False
    assert len(s3.get_bucket_cors(Bucket=BUCKET)["CORSRules"]) == 1


def test_public_addresses_need_a_policy_that_is_never_set_silently(pictures: Study, s3: Any) -> None:
    """Without a policy a browser is refused and no access rule was touched; with it, it reads the picture."""
    s3.create_bucket(Bucket=BUCKET)
    acl = s3.get_bucket_acl(Bucket=BUCKET)["Grants"]
    assert host(pictures).readable is False
    assert s3.get_bucket_acl(Bucket=BUCKET)["Grants"] == acl
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=BUCKET)
    let_anybody_read(s3)
    assert host(pictures).readable is True
    image = pictures.read("images")["image_id"][5]
    address = address_of(pictures)(image)
    assert address.rsplit("/", 1)[-1] == f"{image}.png"
    assert requests.get(address, timeout=10).content == pictures.image_path(image).read_bytes()


def test_the_policy_that_is_printed_works(pictures: Study, s3: Any) -> None:
    """The JSON in the command's advice is the policy that lets browsers read."""
    result = run(pictures, "--create", "--json")
    assert result.exit_code == 3
    facts = json.loads(result.stdout)
    assert (facts["uploaded"], facts["readable"], facts["created"]) == (IMAGES, False, True)
    assert json.dumps(facts["policy"], indent=2) in result.stderr
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(facts["policy"]))
    result = run(pictures)
    assert result.exit_code == 0
    assert result.stdout == f"uploaded 0 pictures (0.0 MB) to {BUCKET}, {IMAGES} were there\n"


def run(study: Study, *arguments: str) -> Result:
    """The command, as the command line runs it."""
    return CliRunner().invoke(host_command, [*arguments, "--study", str(study.folder)])


def test_a_presigned_address_shows_its_picture(pictures: Study, s3: Any) -> None:
    """Signed addresses work for a browser without credentials, for no longer than they say."""
    signed = changed(pictures, PHOTOJURY_HOSTING_URLS="presigned", PHOTOJURY_MARKET_LIFETIME_HOURS="100")
    assert host(signed, create=True).readable is True
    plan(signed, "stars")
    image = signed.read("images")["image_id"][7]
    address = addresses(signed)(image)
    path, _, query = address.partition("?")
    assert path.rsplit("/", 1)[-1] == f"{image}.png"
    assert "X-Amz-Expires=604800" in query  # 168 hours, S3's limit
    assert requests.get(address, timeout=10).content == signed.image_path(image).read_bytes()
    unsigned = requests.get(path, timeout=10)
    assert unsigned.status_code == 403


def test_presigned_addresses_must_outlive_the_hits(pictures: Study) -> None:
    """HITs that are offered for as long as the addresses work are refused, with what to change."""
    signed = changed(pictures, PHOTOJURY_HOSTING_URLS="presigned", PHOTOJURY_HOSTING_HOURS="24")
    with pytest.raises(SettingsError, match=r"set market.lifetime_hours to 23 or less, or hosting.urls"):
        addresses(signed)


def test_temporary_credentials_are_named(pictures: Study, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a session token, presigned addresses end early: the command says so."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "t")
    monkeypatch.setenv("PHOTOJURY_HOSTING_URLS", "presigned")
    result = run(pictures, "--create")
    assert result.exit_code == 0
    assert "temporary: presigned addresses end with them" in result.stderr


def test_publishing_asks_for_what_is_not_hosted(pictures: Study, s3: Any) -> None:
    """Addresses are given only once every planned picture is in the bucket and browsers can read it."""
    plan(pictures, "stars")
    with pytest.raises(InputError, match=f"{IMAGES} of {IMAGES} pictures .* first: photojury annotate host"):
        addresses(pictures)
    host(pictures, create=True)
    with pytest.raises(ServiceError, match=f"arn:aws:s3:::{BUCKET}/photojury/\\*"):
        addresses(pictures)
    let_anybody_read(s3)
    image = pictures.read("images")["image_id"][0]
    assert requests.get(addresses(pictures)(image), timeout=10).status_code == 200


def test_without_a_bucket_the_address_is_the_markets(pictures: Study) -> None:
    """market.image_url serves where hosting.bucket is empty; nothing is asked of S3."""
    local = changed(pictures, PHOTOJURY_HOSTING_BUCKET="", PHOTOJURY_MARKET_IMAGE_URL="https://x.org/p/")
    image = local.read("images")["image_id"][0]
    assert addresses(local)(image) == f"https://x.org/p/{image}.png"
    with pytest.raises(SettingsError, match="no bucket is named"):
        host(local)


@pytest.mark.parametrize("prefix", ["", "a/b", "/a/b/"])
def test_any_prefix_leaves_the_file_name_alone(pictures: Study, s3: Any, prefix: str) -> None:
    """Whatever hosting.prefix is, the address's last part begins with the image id and a dot."""
    study = changed(pictures, PHOTOJURY_HOSTING_PREFIX=prefix)
    image = study.read("images")["image_id"][0]
    expected = f"{BUCKET}/{image}.png" if not prefix else f"{BUCKET}/a/b/{image}.png"
    assert address_of(study)(image).endswith(f"/{expected}")


@pytest.mark.parametrize(
    ("region", "name", "begins"),
    [
        ("us-east-1", "pictures", "https://pictures.s3.amazonaws.com/photojury/"),
        ("eu-west-1", "pictures", "https://pictures.s3.eu-west-1.amazonaws.com/photojury/"),
        ("eu-west-1", "my.pictures", "https://s3.eu-west-1.amazonaws.com/my.pictures/photojury/"),
    ],
)
@pytest.mark.parametrize("urls", ["public", "presigned"])
def test_amazons_own_addresses(
    pictures: Study, monkeypatch: pytest.MonkeyPatch, region: str, name: str, begins: str, urls: str
) -> None:
    """At Amazon, an address names the bucket's own region: a redirect would break a signature."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    study = changed(
        pictures,
        PHOTOJURY_HOSTING_REGION=region,
        PHOTOJURY_HOSTING_BUCKET=name,
        PHOTOJURY_HOSTING_URLS=urls,
    )
    image = study.read("images")["image_id"][0]
    address = address_of(study)(image)
    assert address.partition("?")[0] == f"{begins}{image}.png"
    # 65,535 bytes of a question must hold some dozens of them.
    assert len(address) < 600


def failure(study: Study, *, create: bool = False) -> PhotojuryError:
    """The error that hosting ends with."""
    with pytest.raises(PhotojuryError) as caught:
        host(study, create=create)
    assert "\n" not in str(caught.value)
    return caught.value


def test_what_to_do_is_said(pictures: Study, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No bucket, an impossible name, another region, no answer, no credentials: a sentence each."""
    error = failure(pictures)
    assert (error.exit_code, "annotate host --create" in str(error)) == (2, True)
    bad_name = changed(pictures, PHOTOJURY_HOSTING_BUCKET="a bucket")
    assert failure(bad_name, create=True).exit_code == 2
    elsewhere = changed(pictures, PHOTOJURY_HOSTING_REGION="eu-west-1")
    host(elsewhere, create=True)
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == "eu-west-1"
    assert 'write region = "eu-west-1"' in str(failure(pictures))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    error = failure(pictures)
    assert (error.exit_code, "set AWS_ACCESS_KEY_ID" in str(error)) == (5, True)


def test_nobody_there(pictures: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that does not answer is named with its address."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    error = failure(pictures)
    assert (error.exit_code, "http://127.0.0.1:9 does not answer" in str(error)) == (5, True)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "no url")
    assert "no S3 client can be made" in str(failure(pictures))


def test_wrong_credentials(pictures: Study, s3: Any) -> None:
    """Keys that the service does not know, and keys that may not, are told apart."""
    s3.create_bucket(Bucket=BUCKET)

    @set_initial_no_auth_action_count(0)
    def refused() -> PhotojuryError:
        return failure(pictures)

    error = refused()
    assert (error.exit_code, "InvalidAccessKeyId" in str(error)) == (5, True)
    s3.put_bucket_policy(
        Bucket=BUCKET,
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:PutObject",
                        "Resource": f"arn:aws:s3:::{BUCKET}/*",
                    }
                ],
            }
        ),
    )
    assert "PutObject" in str(failure(pictures))


def test_a_dry_run_changes_nothing(pictures: Study, s3: Any) -> None:
    """--dry-run counts what would be sent, with or without a bucket, and makes nothing."""
    result = run(pictures, "--dry-run", "--create")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"would upload {IMAGES} pictures (0.4 MB) to {BUCKET}")
    assert s3.list_buckets()["Buckets"] == []
    host(pictures, create=True)
    before = keys(s3)
    image = pictures.read("images")["image_id"][0]
    s3.delete_object(Bucket=BUCKET, Key=f"photojury/{image}.png")
    facts = json.loads(run(pictures, "--dry-run", "--json").stdout)
    assert (facts["uploaded"], facts["skipped"], facts["dry_run"]) == (1, IMAGES - 1, True)
    assert len(keys(s3)) == len(before) - 1
    assert not list((pictures.folder / "runs").glob("*-annotate-host"))
