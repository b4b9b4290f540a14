"""The S3 bucket that pictures are shown from: boto3's client, and its errors as photojury's.

Takes in the [hosting] settings; gives out a `Bucket` that lists, takes in pictures, lets browsers read them
from any page, and knows each key's address. AWS_ENDPOINT_URL_S3 points it at any S3-compatible service.

    >>> bucket = open_bucket(study.settings)            # doctest: +SKIP
    >>> bucket.address("photojury/ab….jpg")             # doctest: +SKIP
    'https://my-pictures.s3.amazonaws.com/photojury/ab….jpg'
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import boto3
import botocore
import botocore.config
import botocore.exceptions
import requests

from photojury.errors import ServiceError, SettingsError
from photojury.sections import HostingSection
from photojury.settings import Settings

THREADS = 8
"""Uploads at a time; each holds one picture in memory."""

RULE: Mapping[str, object] = {
    "ID": "photojury",
    "AllowedMethods": ["GET", "HEAD"],
    "AllowedOrigins": ["*"],
    "AllowedHeaders": ["*"],
    "MaxAgeSeconds": 86_400,
}
"""The CORS rule by which pages of any marketplace may read the pictures."""

# A key is its content, so a browser never needs to ask again.
_FOREVER = "public, max-age=31536000, immutable"

# S3's codes for keys that are unknown or do not fit, beside those for keys that may not do this.
_BAD_KEYS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "AuthFailure")


@dataclass(frozen=True)
class Bucket:
    """A bucket and a place in it.

    Attributes:
        client: boto3's s3 client, signed.
        anonymous: the same without a signature, for public addresses.
        name: the bucket's.
        prefix: before every key; empty, or ending in a slash.
        endpoint: the service's address.
        hosting: the settings.
        temporary: whether the credentials end by themselves, and presigned addresses with them.
    """

    client: Any
    anonymous: Any
    name: str
    prefix: str
    endpoint: str
    hosting: HostingSection
    temporary: bool

    def create(self) -> None:
        """Make the bucket, private as S3 makes them."""
        where = {"LocationConstraint": self.hosting.region}
        with s3_errors(self):
            # us-east-1 is the one region that must not be named.
            more = {} if self.hosting.region == "us-east-1" else {"CreateBucketConfiguration": where}
            self.client.create_bucket(Bucket=self.name, **more)

    def sizes(self) -> dict[str, int] | None:
        """The bytes of every key below the prefix, one request for each thousand; None: there is no such bucket.

        Raises:
            SettingsError: the bucket lies in another region than hosting.region.
            ServiceError: the service refuses or does not answer.
        """
        found: dict[str, int] = {}
        with s3_errors(self):
            try:
                # Listing tells wrong credentials from a missing bucket; HeadBucket's answer has no words.
                pages = self.client.get_paginator("list_objects_v2")
                for page in pages.paginate(Bucket=self.name, Prefix=self.prefix):
                    found |= {item["Key"]: item["Size"] for item in page.get("Contents", [])}
            except botocore.exceptions.ClientError as error:
                if error.response.get("Error", {}).get("Code") != "NoSuchBucket":
                    raise
                return None
            self._check_region()
        return found

    def put(self, key: str, data: bytes, media_type: str) -> None:
        """Store one picture, for browsers to keep for ever."""
        with s3_errors(self):
            self.client.put_object(
                Bucket=self.name, Key=key, Body=data, ContentType=media_type, CacheControl=_FOREVER
            )

    def allow_pages(self) -> bool:
        """Let pages from anywhere read the pictures (CORS); rules that are there stay.

        Returns:
            Whether a rule was added; False where one of those there allows it already.
        """
        with s3_errors(self):
            rules = self._rules()
            if any(_allows(rule) for rule in rules):
                return False
            others = [rule for rule in rules if rule.get("ID") != RULE["ID"]]
            self.client.put_bucket_cors(Bucket=self.name, CORSConfiguration={"CORSRules": [*others, RULE]})
            return True

    def needs_rule(self) -> bool:
        """Whether `allow_pages` would add a rule."""
        with s3_errors(self):
            return not any(_allows(rule) for rule in self._rules())

    def address(self, key: str) -> str:
        """Where a browser finds a key: a public address, or one that is signed now and ends."""
        given = {"Bucket": self.name, "Key": key}
        with s3_errors(self):
            if self.hosting.urls == "public":
                found: str = self.anonymous.generate_presigned_url("get_object", Params=given)
            else:
                found = self.client.generate_presigned_url(
                    "get_object", Params=given, ExpiresIn=self.hosting.hours * 3600
                )
        return found

    def status_of(self, key: str) -> int:
        """The HTTP status that a browser without credentials gets for a key's address.

        Raises:
            ServiceError: nothing answers at that address.
        """
        address = self.address(key)
        try:
            with requests.get(address, stream=True, timeout=30) as answer:
                return answer.status_code
        except requests.RequestException as error:
            bare = address.partition("?")[0]
            raise ServiceError(f"no browser reaches {bare} ({type(error).__name__})") from error

    def policy(self) -> str:
        """The bucket policy, as JSON, under which anybody may read the pictures below the prefix."""
        statement = {
            "Sid": "PhotojuryPictures",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{self.name}/{self.prefix}*",
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)

    def _check_region(self) -> None:
        headers = self.client.head_bucket(Bucket=self.name)["ResponseMetadata"]["HTTPHeaders"]
        region = headers.get("x-amz-bucket-region", self.hosting.region)
        if region != self.hosting.region:
            # boto3 finds the bucket all the same; the addresses that browsers get would not.
            raise SettingsError(
                f'the bucket {self.name} lies in {region}; write region = "{region}" under [hosting] in study.toml'
            )

    def _rules(self) -> list[dict[str, Any]]:
        try:
            rules: list[dict[str, Any]] = self.client.get_bucket_cors(Bucket=self.name)["CORSRules"]
        except botocore.exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") != "NoSuchCORSConfiguration":
                raise
            return []
        return rules


def open_bucket(settings: Settings) -> Bucket:
    """The study's bucket; nothing is asked of the service yet.

    Raises:
        SettingsError: hosting.bucket is empty.
        ServiceError: there are no credentials, or the endpoint is no URL.
    """
    hosting = settings.hosting
    if not hosting.bucket:
        raise SettingsError('no bucket is named; write bucket = "NAME" under [hosting] in study.toml')
    try:
        session = boto3.session.Session(region_name=hosting.region)
        found = session.get_credentials()
        client = _client(session, hosting, "s3v4")
        anonymous = _client(session, hosting, botocore.UNSIGNED)
    except (ValueError, botocore.exceptions.BotoCoreError) as error:
        raise ServiceError(f"no S3 client can be made: {error}") from error
    prefix = hosting.prefix.strip("/")
    return Bucket(
        client=client,
        anonymous=anonymous,
        name=hosting.bucket,
        # A key's last part must begin with the image's id: rating pages read it from the address.
        prefix=f"{prefix}/" if prefix else "",
        endpoint=client.meta.endpoint_url,
        hosting=hosting,
        temporary=found is not None and bool(found.get_frozen_credentials().token),
    )


@contextmanager
def s3_errors(bucket: Bucket) -> Iterator[None]:
    """Turn boto3's errors into one sentence that says what to do."""
    place = f"the bucket {bucket.name} at {bucket.endpoint}"
    try:
        yield
    except botocore.exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        message = error.response.get("Error", {}).get("Message") or code
        if code == "NoSuchBucket":
            raise missing(bucket) from error
        if code in _BAD_KEYS:
            raise ServiceError(
                f"{place} does not take these credentials ({code}); check AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            ) from error
        if code == "AccessDenied":
            raise ServiceError(
                f"{place} does not let these credentials do {error.operation_name}; it may be another account's, "
                "or its policy must allow s3:ListBucket, s3:PutObject, s3:GetBucketCORS and s3:PutBucketCORS"
            ) from error
        raise ServiceError(f"{place} refused {error.operation_name}: {message}") from error
    except (botocore.exceptions.NoCredentialsError, botocore.exceptions.PartialCredentialsError):
        raise ServiceError(
            f"{place} asks for AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        ) from None
    except botocore.exceptions.ParamValidationError as error:
        raise SettingsError(f"hosting: {' '.join(str(error).split())}") from error
    except botocore.exceptions.BotoCoreError as error:
        raise ServiceError(f"{place} does not answer: {error}") from error


def missing(bucket: Bucket) -> SettingsError:
    """The error for a bucket that is not there."""
    return SettingsError(
        f"there is no bucket {bucket.name} at {bucket.endpoint}; correct hosting.bucket in study.toml, or make it "
        "with: photojury annotate host --create"
    )


def _client(session: boto3.session.Session, hosting: HostingSection, signature: Any) -> Any:
    def made(style: Literal["auto", "virtual"]) -> Any:
        config = botocore.config.Config(
            signature_version=signature,
            s3={"addressing_style": style},
            retries={"mode": "standard", "max_attempts": 5},
            max_pool_connections=THREADS,
            connect_timeout=10,
            read_timeout=60,
        )
        return session.client("s3", config=config)

    client = made("auto")
    # Amazon's "auto" signs addresses for the global host, which sends browsers of other regions elsewhere and
    # so breaks the signature; a bucket with a dot has no certificate as a host name.
    if ".amazonaws.com" in client.meta.endpoint_url and "." not in hosting.bucket:
        client = made("virtual")
    return client


def _allows(rule: Mapping[str, Any]) -> bool:
    """Whether a CORS rule lets pages from anywhere read."""
    return "GET" in rule.get("AllowedMethods", []) and "*" in rule.get("AllowedOrigins", [])
