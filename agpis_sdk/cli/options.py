"""Options that several commands share, and how they become a config and a host."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from agpis_sdk.config import Config, LoadedConfig, load_config, origin_of
from agpis_sdk.errors import AgpisError, ConfigError, PluginLoadError, UnknownNameError
from agpis_sdk.plugins import PluginHost

if TYPE_CHECKING:
    from agpis_sdk.components import Backbone, Profile
    from agpis_sdk.media.products import CheckedProducts

# Under which headings `--help` lists options.
PRODUCTS, OUTPUT, SETTINGS, ENGINE = "Products", "Output", "Settings", "Engine"

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings: agpis.toml or pyproject.toml.", rich_help_panel=SETTINGS)
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set one setting; repeatable.", rich_help_panel=SETTINGS),
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", help="A named set of settings from a plugin.", rich_help_panel=SETTINGS)
]
ShopOption = Annotated[
    Path | None,
    typer.Option("--shop", help="A folder that `agpis adapt` wrote for this shop.", rich_help_panel=SETTINGS),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
NoPluginsOption = Annotated[
    bool, typer.Option("--no-plugins", help="Load the built-in plugins alone.", rich_help_panel=SETTINGS)
]


ProductsArgument = Annotated[
    str,
    typer.Argument(metavar="PRODUCTS", help="Products: a file of any known format, or a folder of images; - is stdin."),
]
FromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FORMAT",
        help="What the products are, where their content does not say: csv, shopify, woocommerce, magento, google, "
        "google-xml, amazon, folder, or a format of a plugin.",
        rich_help_panel=PRODUCTS,
    ),
]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help='Columns of a table: --map id=Handle,images="Image Src".',
        rich_help_panel=PRODUCTS,
    ),
]

HeldOption = Annotated[
    bool,
    typer.Option(
        "--held", help="Export products that are held for review too, not only submitted ones.", rich_help_panel=OUTPUT
    ),
]


def examples(*commands: str) -> str:
    """Return commands as the examples below the help of a command."""
    return "\n\n".join(["Examples:", *commands])


@dataclass(frozen=True)
class ProductsGiven:
    """The products that a command was given, and how to read them; they may be read several times."""

    path: str
    file_format: str | None
    mapping: list[str] | None
    limit: int | None

    def read(self, loaded: LoadedConfig, host: PluginHost) -> CheckedProducts:
        """Begin to read them; raises `InputFileError` where they are of no known format."""
        from agpis_sdk.media.products import read_products
        from agpis_sdk.media.readers import parse_columns

        return read_products(
            self.path,
            limit=self.limit,
            file_format=self.file_format or "",
            columns=parse_columns(self.mapping or ()),
            host=host,
            tables=loaded.config.components,
        )


def settings(
    config: Path | None,
    overrides: list[str] | None,
    profile: str | None = None,
    *,
    shop: Path | None = None,
    no_plugins: bool = False,
) -> tuple[LoadedConfig, PluginHost]:
    """Load the config and the plugins it names; a plugin that failed is named on stderr.

    A profile comes from a plugin, so the config is read once for the plugins and once more with the profile.
    """
    loaded = load_config(config, overrides=overrides or (), shop=shop)
    if loaded.config.plugins.load:
        # Last, so that a file here, or beside the config that is named, shadows no installed package.
        folders = [Path.cwd(), *([config.resolve().parent] if config else [])]
        sys.path += [str(folder) for folder in folders if str(folder) not in sys.path]
    host = PluginHost.load(loaded.config.plugins, discover=not no_plugins, components=loaded.config.components)
    if profile is not None:
        chosen = _profile(host, profile)
        loaded = load_config(config, overrides=overrides or (), profile=(chosen.name, chosen.settings), shop=shop)
    for status in host.statuses:
        if status.state == "failed":
            typer.echo(f"agpis: plugin {status.owner} was not loaded: {status.reason} ({status.remedy})", err=True)
    _check_tables(loaded, host)
    return loaded, host


def _check_tables(loaded: LoadedConfig, host: PluginHost) -> None:
    """Validate the tables of known components before anything begins; the error names the file that holds the setting."""
    tables = loaded.config.components
    for _, owned in host.all_specs():
        if not tables.keys() & {owned.spec.table, *owned.spec.aliases}:
            continue
        try:
            host.settings_of(owned, tables)
        except ConfigError as error:
            origin = origin_of(error.item.replace(": ", "."), loaded.origins)
            item = f"{origin}: {error.item}" if origin else error.item
            raise ConfigError(error.what, item=item, remedy=error.remedy) from None
        except PluginLoadError:
            continue  # said where the component is made, if it takes part at all


def training_config(config: Config) -> Config:
    """Return the settings with which training data is read: reviews name images wherever they are, and are the user's own."""
    media = config.media.model_copy(update={"allow_outside": True})
    return config.model_copy(update={"media": media})


def _profile(host: PluginHost, name: str) -> Profile:
    """Return a profile; raises `UnknownNameError`, which says where those of marketplaces come from."""
    from agpis_sdk.cli.profiles import marketplaces_hint

    try:
        return host.profile(name)
    except UnknownNameError as error:
        hint = marketplaces_hint()
        remedy = f"{error.remedy}; {hint}" if hint else error.remedy
        raise UnknownNameError(error.what, item=error.item, remedy=remedy) from None


def lazy_backbone(loaded: LoadedConfig, host: PluginHost) -> Callable[[], Backbone]:
    """Return a function that makes the backbone that a config names; an unknown name is refused at once."""
    owned = host.named("agpis_backbones", loaded.config.backbone.name, setting="backbone.name")

    def make() -> Backbone:
        created: Backbone = host.create(owned, loaded.config.components, device=loaded.config.run.device)
        return created

    return make


def backbone(config: Path | None, overrides: list[str] | None) -> Backbone:
    """Return the backbone that a config names."""
    return lazy_backbone(*settings(config, overrides))()


@contextlib.contextmanager
def opened(output: str) -> Iterator[TextIO]:
    """Open a file for data, `-` being standard output."""
    if output == "-":
        yield sys.stdout
        return
    with Path(output).open("w", encoding="utf-8") as stream:
        yield stream


def print_notice(text: str) -> None:
    """Print on stderr what a person should know of a run."""
    typer.echo(f"agpis: {text}", err=True)


def print_dropped(labels: Iterable[str]) -> None:
    """Name on stderr the components that were dropped from a run or an audit."""
    for label in labels:
        typer.echo(
            f"agpis: DROPPED: {label} failed too often (run.max_failures); what it checks was not checked from then on",
            err=True,
        )


def fail(error: AgpisError) -> typer.Exit:
    """Print an error for people and return the exit that ends the command with code 2."""
    typer.echo(f"agpis: {error}", err=True)
    return typer.Exit(2)
