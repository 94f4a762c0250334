"""Which reader a file or folder is read by: the one that the user names, else the first that recognizes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from agpis_sdk.components import ProductReader, ProductSource, ReaderSpec, ReadRecord
from agpis_sdk.errors import AgpisError, ConfigError, InputFileError, in_words, nearest
from agpis_sdk.plugins import OwnedSpec, PluginHost

OWN = "agpis-sdk"
COLUMNS_FORMAT = "csv"
ROLE = "readers"

Tables = Mapping[str, Mapping[str, object]]


def named_reader(source: ProductSource, host: PluginHost, file_format: str) -> OwnedSpec:
    """Return the reader of a format, that of tables where columns are named instead.

    Raises `UnknownNameError` with the nearest format, and `ConfigError` where columns are named for another format.
    """
    if source.columns and file_format not in ("", COLUMNS_FORMAT):
        raise ConfigError(
            "names columns, which this format has of its own",
            item=f"--map with --from {file_format}",
            remedy=f"--from {COLUMNS_FORMAT}, or leave --map out",
        )
    return host.of_format(ROLE, file_format or COLUMNS_FORMAT, setting="--from")


def recognizing_reader(source: ProductSource, host: PluginHost, tables: Tables) -> OwnedSpec | None:
    """Return the first reader that recognizes a file: plugins before built-in ones, then whose ending it has."""
    return next((owned for owned in _in_order(source, host) if _recognizes(owned, source, host, tables)), None)


def records_of(owned: OwnedSpec, source: ProductSource, host: PluginHost, tables: Tables) -> Iterator[ReadRecord]:
    """Yield what a reader reads; whatever it raises is an `InputFileError` that names it."""
    try:
        yield from host.create(owned, tables).read(source)
    except AgpisError:
        raise
    except Exception as error:
        raise _blamed(owned, source, error) from error


def parse_columns(options: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the columns by field that `--map FIELD=COLUMN[,FIELD=COLUMN]` names; a field may have several.

    >>> parse_columns(["id=Handle,images=Image Src", "images=Image 2"])
    {'id': ('Handle',), 'images': ('Image Src', 'Image 2')}
    """
    columns: dict[str, tuple[str, ...]] = {}
    for option in options:
        for pair in option.split(","):
            field, equals, column = (part.strip() for part in pair.partition("="))
            if not (field and equals and column):
                raise ConfigError(
                    "is not FIELD=COLUMN", item=f"--map {pair}", remedy='for example --map id=Handle,images="Image Src"'
                )
            columns[field] = (*columns.get(field, ()), column)
    for field in ("id", "images"):
        if columns and field not in columns:
            raise ConfigError(
                f'names no column for "{field}"',
                item="--map",
                remedy=f"add --map {field}=COLUMN; {nearest(field, columns)}",
            )
    return columns


def _in_order(source: ProductSource, host: PluginHost) -> Sequence[OwnedSpec]:
    name = source.path.name.lower().removesuffix(".gz")

    def rank(owned: OwnedSpec) -> tuple[bool, bool, str]:
        suffixes = owned.spec.suffixes if isinstance(owned.spec, ReaderSpec) else ()
        return owned.plugin.distribution == OWN, not name.endswith(suffixes or ("",)), owned.spec.name

    return sorted(host.formats(ROLE).values(), key=rank)


def _recognizes(owned: OwnedSpec, source: ProductSource, host: PluginHost, tables: Tables) -> bool:
    try:
        reader: ProductReader = host.create(owned, tables)
        return bool(reader.recognizes(source))
    except AgpisError:
        raise
    except Exception as error:
        raise _blamed(owned, source, error) from error


def _blamed(owned: OwnedSpec, source: ProductSource, error: Exception) -> InputFileError:
    return InputFileError(
        f'cannot be read: reader "{owned.spec.name}" of {owned.plugin.owner} raised {in_words(error)}',
        item=str(source.path),
        remedy=owned.plugin.remedy,
    )
