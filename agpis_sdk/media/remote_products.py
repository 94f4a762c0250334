"""Product records in a store that fsspec reads (s3, gs, az …): JSON lines and Parquet, one file or all that a pattern names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agpis_sdk.errors import InputFileError, in_words
from agpis_sdk.media.file_formats import PARQUET
from agpis_sdk.media.json_lines import read_json_lines
from agpis_sdk.media.parquet import read_parquet
from agpis_sdk.media.record_check import RecordCheck, RejectedRecord
from agpis_sdk.media.sources import masked
from agpis_sdk.records import Product

PATTERN = "*?["


def is_remote(path: object) -> bool:
    """Tell whether a path names a store by its scheme.

    >>> is_remote("s3://bucket/products/*.jsonl"), is_remote("products.jsonl")
    (True, False)
    """
    return isinstance(path, str) and "://" in path


def folder_of(uri: str) -> str:
    """Return the folder of a file or pattern: what relative uris of its records are relative to.

    >>> folder_of("s3://bucket/shop/products-*.jsonl")
    's3://bucket/shop'
    """
    return uri.rpartition("/")[0]


def read_remote(uri: str, check: RecordCheck) -> Iterator[Product | RejectedRecord]:
    """Yield a product or a rejection for every record of the files in the order of their names.

    Raises `InputFileError` where there is none, or one cannot be read.
    """
    store, paths = _files(uri)
    for path in paths:
        name = path.rpartition("/")[2]
        within = f"{name}, " if len(paths) > 1 else ""
        item = masked(f"{folder_of(uri)}/{name}")
        try:
            with store.open(path, "rb") as stream:
                packed = stream.read(len(PARQUET)) == PARQUET
                stream.seek(0)
                if packed:
                    yield from read_parquet(stream, check, item=item, within=within)
                else:
                    yield from read_json_lines(stream, check, item, within)
        except InputFileError:
            raise
        except Exception as error:  # every store has errors of its own
            raise InputFileError(f"cannot be read: {masked(in_words(error))}", item=item, remedy="try again") from None


def remote_versions(uri: str) -> dict[str, str]:
    """Return for each file what its store knows it by: another one where its content is another."""
    store, paths = _files(uri)
    try:
        return {path: str(store.checksum(path)) for path in paths}
    except Exception as error:
        raise InputFileError(
            f"cannot be read: {masked(in_words(error))}", item=masked(uri), remedy="try again"
        ) from None


def _files(uri: str) -> tuple[Any, list[str]]:
    import fsspec

    item = masked(uri)
    try:
        store, path = fsspec.url_to_fs(uri)
        paths = sorted(store.glob(path)) if any(sign in uri for sign in PATTERN) else [path]
        found = [one for one in paths if store.isfile(one)]
    except ImportError as error:
        raise InputFileError(f"cannot be read here: {error}", item=item, remedy="install that") from None
    except Exception as error:
        raise InputFileError(
            f"cannot be read: {masked(in_words(error))}", item=item, remedy="check address and access"
        ) from None
    if not found:
        raise InputFileError("no such file", item=item, remedy="check the address; a folder is named with /*.jsonl")
    return store, found
