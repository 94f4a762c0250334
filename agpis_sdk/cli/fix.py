"""`agpis fix`: fixed copies of images, where an operation on the picture mends what a rule objects to."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agpis_sdk.cli.exit_codes import INCOMPLETE
from agpis_sdk.cli.options import (
    PRODUCTS,
    ConfigOption,
    FromOption,
    JsonOption,
    MapOption,
    NoPluginsOption,
    ProductsArgument,
    ProductsGiven,
    ProfileOption,
    SetOption,
    settings,
)
from agpis_sdk.cli.streams import data_on_stdout
from agpis_sdk.errors import AgpisError, ConfigError, OutputError
from agpis_sdk.wording import counted, printable

if TYPE_CHECKING:
    from agpis_sdk.config import Config
    from agpis_sdk.plugins import PluginHost
    from agpis_sdk.records import CandidateImage, GalleryAudit
    from agpis_sdk.remedies.fixing import NamedFixer

FORMATS = ("jpeg", "png", "webp")


@dataclass(frozen=True)
class Written:
    """A fixed copy that was written."""

    product_id: str
    image: str
    path: str
    changes: tuple[str, ...]

    @property
    def line(self) -> str:
        """Return what was done to which image, and where the copy is, for people."""
        return printable(f"{self.product_id} {self.image}: {', '.join(self.changes)} → {self.path}")


def fix(
    products: ProductsArgument,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="A folder for the copies; without it they are put beside the originals."),
    ] = None,
    copy_format: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="Save every image as jpeg, png or webp.")
    ] = None,
    longest_side: Annotated[
        int | None,
        typer.Option("--longest-side", min=1, help="Scale images down to this many pixels; none is enlarged."),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    overrides: SetOption = None,
    file_format: FromOption = None,
    mapping: MapOption = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Look at the first N products only.", rich_help_panel=PRODUCTS)
    ] = None,
    no_plugins: NoPluginsOption = False,
) -> None:
    """Write fixed copies of images, never over an original: border cropped, padded, upright, sRGB, another format."""
    with data_on_stdout() as stdout:
        if copy_format is not None and copy_format not in FORMATS:
            raise ConfigError(
                "is no format of a copy", item=f"--format {copy_format}", remedy=f"use {', '.join(FORMATS)}"
            )
        _check_folder(output)
        loaded, host = settings(config, overrides, profile, no_plugins=no_plugins)
        records = ProductsGiven(products, file_format, mapping, limit).read(loaded, host)
        fixing = Fixing(host, loaded.config, output, copy_format, longest_side)
        chosen = _only_fixable(loaded.config, fixing.fixers)
        # Everything above answers at once; from here on models may be loaded.
        from agpis_sdk.pipeline.audit import Audit

        for gallery in Audit(chosen, host=host).run(records):
            if gallery.error is not None:
                fixing.counts["failed"] += 1
                typer.echo(f"agpis: {printable(gallery.product_id)}: {gallery.error}", err=True)
            for written in fixing.write(gallery):
                typer.echo(json.dumps(asdict(written), ensure_ascii=False) if as_json else written.line, file=stdout)
    typer.echo(fixing.summary, err=True)
    if fixing.counts["failed"]:
        raise typer.Exit(INCOMPLETE)


def _check_folder(folder: Path | None) -> None:
    """Raise `OutputError` where copies cannot go into a folder, which may not be there yet: before any work, not after it."""
    if folder is None:
        return
    nearest = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise OutputError("is no folder", item=str(nearest), remedy="name a folder for the copies with -o")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(
            "cannot be written: Permission denied", item=str(nearest), remedy="name another folder with -o"
        )


class Fixing:
    """Writes fixed copies of the images of galleries, and counts them."""

    def __init__(
        self,
        host: PluginHost,
        config: Config,
        folder: Path | None = None,
        copy_format: str | None = None,
        longest_side: int | None = None,
    ) -> None:
        """Copies go to a folder, or without one beside the originals."""
        from agpis_sdk.remedies.fixing import FixOptions

        self.fixers = list(_fixers(host, config))
        self.counts = Counter[str]()
        self._limits = config.media
        self._folder = folder
        self._options = FixOptions(copy_format.upper() if copy_format else None, longest_side)

    @property
    def summary(self) -> str:
        """Return how many images were fixed."""
        failed = f", {self.counts['failed']:,} failed" if self.counts["failed"] else ""
        return f"agpis: {self.counts['fixed']:,} of {counted(self.counts['images'], 'image')} fixed{failed}"

    def write(self, gallery: GalleryAudit) -> Iterator[Written]:
        """Write and yield the copies of a gallery's images where there is something to mend; what fails is named, and the others go on."""
        for image in gallery.images:
            written = self._written(gallery, image)
            if written is not None:
                yield written

    def _written(self, gallery: GalleryAudit, image: CandidateImage) -> Written | None:
        from agpis_sdk.media.sources.read import read_image_bytes
        from agpis_sdk.remedies.fixing import fixed_copy
        from agpis_sdk.remedies.places import copy_place, write_new

        self.counts["images"] += 1
        findings = [one for one in gallery.findings if one.images == (image.id,) and one.suppressed is None]
        try:
            data = read_image_bytes(image.uri, self._limits)
            copy = fixed_copy(data, image.uri, findings, self.fixers, self._limits, self._options)
            if copy is None:
                return None
            path = copy_place(gallery.product_id, image.id, image.uri, copy.suffix, self._folder)
            write_new(path, copy.data)
        except AgpisError as error:
            self.counts["failed"] += 1
            typer.echo(f"agpis: {printable(gallery.product_id)} {printable(image.id)}: {error}", err=True)
            return None
        self.counts["fixed"] += 1
        return Written(gallery.product_id, image.id, str(path), copy.changes)


def _fixers(host: PluginHost, config: Config) -> Iterator[NamedFixer]:
    from agpis_sdk.components import FixerSpec
    from agpis_sdk.remedies.fixing import NamedFixer

    for name, owned in host.specs("agpis_fixers").items():
        if isinstance(owned.spec, FixerSpec):
            codes = tuple(host.rules[code].code for code in owned.spec.fixes if code in host.rules)
            yield NamedFixer(name, codes, host.create(owned, config.components))


def _only_fixable(config: Config, fixers: list[NamedFixer]) -> Config:
    """Return a config in which nothing is checked that no fixer mends; what the config ignores stays ignored."""
    codes = sorted({code for fixer in fixers for code in fixer.codes})
    return config.model_copy(update={"rules": config.rules.model_copy(update={"select": tuple(codes)})})
