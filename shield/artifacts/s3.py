"""`ArtifactStore` on any S3: AWS, SeaweedFS, Ceph, MinIO...

Immutability is the server's: `If-None-Match: *` on every first write, so that two writers never
both win. Credentials come from boto3's own chain (environment, profile, web identity of the pod),
to which the files of `SHIELD_SECRETS` are added.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from shield.artifacts.credentials import session
from shield.artifacts.files import BLOCK_BYTES, saving, sha256
from shield.artifacts.keys import check_key, check_prefix
from shield.artifacts.settings import ArtifactSettings
from shield.errors import AlreadyExists, Misconfigured, NotFound, TooLarge, Unavailable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import PutObjectRequestTypeDef

LARGEST_OBJECT_BYTES = 5 << 30
"""What one PUT takes. Larger objects need parts, which not every S3 writes conditionally."""

_MISSING = {"NoSuchKey", "NotFound", "404"}
_TAKEN = {"PreconditionFailed", "412"}
_RACING = {"ConditionalRequestConflict", "OperationAborted"}
_REFUSED = {
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthorizationHeaderMalformed",
    "403",
}
_DIGEST = "sha256"


def connect(settings: ArtifactSettings) -> "S3Client":
    """Return a client of the S3 that the settings name; nothing is asked yet."""
    # A session of its own: the default one is shared by all threads and keeps old credentials.
    client: S3Client = session().client(
        "s3",
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        config=Config(
            connect_timeout=settings.connect_timeout_seconds,
            read_timeout=settings.read_timeout_seconds,
            retries={"total_max_attempts": settings.attempts, "mode": "standard"},
            # Most servers that are not AWS have no DNS name per bucket.
            s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
        ),
    )
    return client


class S3Store:
    """Objects below `prefix` in a bucket, which must exist."""

    def __init__(self, bucket: str, prefix: str, settings: ArtifactSettings) -> None:
        self.bucket = bucket
        self.prefix = f"{check_key(prefix)}/" if prefix else ""
        self._client = connect(settings)

    def put(self, key: str, source: Path | bytes, *, overwrite: bool = False) -> None:
        """Store an object. See `ArtifactStore.put`.

        Raises:
            TooLarge: More than 5 GiB, S3's limit for one atomic write.
        """
        name = self._name(key)
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size > LARGEST_OBJECT_BYTES:
            raise TooLarge(f"{key!r} has {size} bytes; S3 writes 5 GiB at once. Split it.")
        digest = sha256(source)
        with self._explained("store", key):
            try:
                self._write(name, source, digest, overwrite=overwrite)
            except ClientError as error:
                if _code(error) not in _TAKEN or overwrite:
                    raise
                if self._digest(name) != digest:
                    raise AlreadyExists(
                        f"{key!r} exists in {self} with other content, and objects are immutable. "
                        "Store the new content under a name of its own."
                    ) from None

    def get(self, key: str) -> bytes:
        """Return an object's bytes. See `ArtifactStore.get`."""
        name = self._name(key)
        with self._explained("read", key):
            return self._client.get_object(Bucket=self.bucket, Key=name)["Body"].read()

    def fetch(self, key: str, destination: Path) -> Path:
        """Copy an object to a file. See `ArtifactStore.fetch`."""
        name = self._name(key)
        with self._explained("read", key):
            body = self._client.get_object(Bucket=self.bucket, Key=name)["Body"]
            with saving(destination) as copy:
                for block in body.iter_chunks(BLOCK_BYTES):
                    copy.write(block)
        return destination

    def exists(self, key: str) -> bool:
        """Tell whether there is an object under `key`."""
        name = self._name(key)
        # Not HEAD: its 404 has no body, so a missing bucket would read as a missing object.
        with self._explained("look for", key):
            answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=name, MaxKeys=1)
        return any(item["Key"] == name for item in answer.get("Contents", []))

    def list(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys that start with `prefix`, sorted by their UTF-8 bytes."""
        name = self.prefix + check_prefix(prefix)
        paginator = self._client.get_paginator("list_objects_v2")
        with self._explained("list", prefix):
            pages = paginator.paginate(Bucket=self.bucket, Prefix=name)
            keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        # Not every server sorts as AWS does: SeaweedFS goes folder by folder.
        yield from sorted((key.removeprefix(self.prefix) for key in keys), key=str.encode)

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        name = self._name(key)
        with self._explained("remove", key):
            self._client.delete_object(Bucket=self.bucket, Key=name)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def _name(self, key: str) -> str:
        return self.prefix + check_key(key)

    def _write(self, name: str, source: Path | bytes, digest: str, *, overwrite: bool) -> None:
        request: PutObjectRequestTypeDef = {
            "Bucket": self.bucket,
            "Key": name,
            "Metadata": {_DIGEST: digest},
        }
        if not overwrite:
            request["IfNoneMatch"] = "*"
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as body:
            request["Body"] = body
            for last in (False, False, True):
                body.seek(0)
                try:
                    self._client.put_object(**request)
                    return
                except ClientError as error:
                    # Another writer of the same key is under way: S3 asks to repeat the request.
                    if last or _code(error) not in _RACING:
                        raise

    def _digest(self, name: str) -> str:
        answer = self._client.get_object(Bucket=self.bucket, Key=name)
        with answer["Body"] as body:
            # Objects that another tool copied here have no digest of ours: read them.
            return answer["Metadata"].get(_DIGEST) or sha256(body.read())

    @contextmanager
    def _explained(self, doing: str, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._ours(error, doing, key) from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise Misconfigured(
                f"No credentials to {doing} {key!r} in {self}. Set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or put files of these names into the directory that "
                "SHIELD_SECRETS names, or give the pod a role."
            ) from error
        except BotoCoreError as error:
            raise Unavailable(
                f"Could not {doing} {key!r} in {self}: {error}. "
                "Check that the object store runs and SHIELD_ARTIFACTS_ENDPOINT_URL is right."
            ) from error

    def _ours(self, error: ClientError, doing: str, key: str) -> Exception:
        code = _code(error)
        if code in _MISSING:
            return NotFound(
                f"There is no object {key!r} in the artifact store {self}. "
                "Check the key, and that SHIELD_ARTIFACTS_ROOT names the right store."
            )
        if code == "NoSuchBucket":
            return Misconfigured(
                f"There is no bucket {self.bucket!r}. Create it, or correct SHIELD_ARTIFACTS_ROOT."
            )
        if code in _REFUSED:
            return Misconfigured(
                f"{self} refuses to {doing} {key!r} ({code}). Check the access key and its rights: "
                "it needs to get, put, list and delete."
            )
        return Unavailable(
            f"Could not {doing} {key!r} in {self}: the object store answers {code}. "
            "Look at its logs and its free space, and try again."
        )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
