"""Every hook that a plugin may implement.

A hook registers light specs: frozen descriptions whose `factory` string is imported only when a run needs it. Write
`@hookimpl` functions in a module, and name that module under the entry point group `agpis`:

    [project.entry-points.agpis]
    shiny = "agpis_shiny.plugin"
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pluggy

from agpis_sdk.components import (
    BackboneSpec,
    Context,
    ImageCheckerSpec,
    PairCheckerSpec,
    PrimarySelectorSpec,
    Profile,
    ReaderSpec,
    ReporterSpec,
    SequenceBuilderSpec,
    SequenceCheckerSpec,
    WriterSpec,
)

PROJECT = "agpis"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce checkers of single images; called once, when plugins are loaded.

    Example:
        ```python
        from agpis_sdk import ImageCheckerSpec, Rule, hookimpl

        SHINY = Rule(
            code="SHY101", name="shiny-spot", summary="A highlight hides the product.", category="single-image"
        )


        @hookimpl
        def agpis_image_checkers():
            yield ImageCheckerSpec(name="shiny", factory="agpis_shiny.checker:ShinyChecker", rules=(SHINY,))
        ```
    """
    return ()


@hookspec
def agpis_pair_checkers() -> Iterable[PairCheckerSpec]:
    """Announce checkers of image pairs within a product.

    Example:
        ```python
        from agpis_sdk import PairCheckerSpec, Rule, hookimpl

        RATIO = Rule(code="SHY201", name="ratio-differs", summary="Two shapes in one gallery.", category="image-pair")


        @hookimpl
        def agpis_pair_checkers():
            yield PairCheckerSpec(name="ratio", factory="agpis_shiny.checker:RatioChecker", rules=(RATIO,))
        ```
    """
    return ()


@hookspec
def agpis_sequence_checkers() -> Iterable[SequenceCheckerSpec]:
    """Announce checkers of whole sequences; `sequence.scorer` names the one whose p_qualified is p^t.

    Example:
        ```python
        from agpis_sdk import SequenceCheckerSpec, hookimpl


        @hookimpl
        def agpis_sequence_checkers():
            yield SequenceCheckerSpec(
                name="our-scorer", factory="agpis_shiny.scorer:OurScorer", gives_probability=True, batch_size=16
            )
        ```
    """
    return ()


@hookspec
def agpis_primary_selectors() -> Iterable[PrimarySelectorSpec]:
    """Announce selectors of the primary image; `primary.selector` names the one that a run uses.

    Example:
        ```python
        from agpis_sdk import PrimarySelectorSpec, hookimpl


        @hookimpl
        def agpis_primary_selectors():
            yield PrimarySelectorSpec(name="first", factory="agpis_shiny.primary:FirstListed")
        ```
    """
    return ()


@hookspec
def agpis_sequence_builders() -> Iterable[SequenceBuilderSpec]:
    """Announce builders of target sequences; `sequence.builder` names the one that a run uses.

    Example:
        ```python
        from agpis_sdk import SequenceBuilderSpec, hookimpl


        @hookimpl
        def agpis_sequence_builders():
            yield SequenceBuilderSpec(name="by-name", factory="agpis_shiny.builder:ByName")
        ```
    """
    return ()


@hookspec
def agpis_backbones() -> Iterable[BackboneSpec]:
    """Announce backbones; `backbone.name` names the one that a run uses.

    Example:
        ```python
        from agpis_sdk import BackboneSpec, hookimpl


        @hookimpl
        def agpis_backbones():
            yield BackboneSpec(name="our-vit", factory="agpis_shiny.backbone:OurViT", provides=frozenset({"embedding"}))
        ```
    """
    return ()


@hookspec
def agpis_profiles() -> Iterable[Profile]:
    """Announce named sets of settings, chosen with `--profile`.

    Example:
        ```python
        from agpis_sdk import Profile, hookimpl


        @hookimpl
        def agpis_profiles():
            yield Profile(name="four", summary="Four images a product.", settings={"sequence": {"length": 4}})
        ```
    """
    return ()


@hookspec
def agpis_reporters() -> Iterable[ReporterSpec]:
    """Announce reporters of outcomes and of audits; what users write, the `format`, finds them.

    A reporter of outcomes is chosen by the ending of `agpis run --report FILE`, one of audits by
    `agpis audit --format NAME`.

    Example:
        ```python
        from agpis_sdk import ReporterSpec, hookimpl


        @hookimpl
        def agpis_reporters():
            yield ReporterSpec(name="shiny-csv", format="csv", factory="agpis_shiny.report:CsvReporter")
            yield ReporterSpec(name="junit", reports="audits", factory="agpis_shiny.report:JunitReporter")
        ```
    """
    return ()


@hookspec
def agpis_readers() -> Iterable[ReaderSpec]:
    """Announce readers of products; a file is read by the first that recognizes it, or by the one that `--from` names.

    Example:
        ```python
        from agpis_sdk import ReaderSpec, hookimpl


        @hookimpl
        def agpis_readers():
            yield ReaderSpec(
                name="shiny-xlsx",
                format="xlsx",
                title="Spreadsheet of the Shiny shop",
                suffixes=(".xlsx",),
                factory="agpis_shiny.formats:SpreadsheetReader",
            )
        ```
    """
    return ()


@hookspec
def agpis_writers() -> Iterable[WriterSpec]:
    """Announce writers of outcomes; `agpis run --export` and `agpis apply --to` name the one that is used.

    Example:
        ```python
        from agpis_sdk import WriterSpec, hookimpl


        @hookimpl
        def agpis_writers():
            yield WriterSpec(
                name="shiny-api",
                format="shiny",
                title="Upload list of the Shiny shop",
                suffix=".json",
                factory="agpis_shiny.formats:UploadWriter",
            )
        ```
    """
    return ()


@hookspec
def agpis_run_started(context: Context) -> None:
    """Do something before the first product of a run.

    Example:
        ```python
        from agpis_sdk import hookimpl


        @hookimpl
        def agpis_run_started(context):
            print("sequences of", context.sequence_length)
        ```
    """


@hookspec
def agpis_run_finished(context: Context, summary: Mapping[str, Any]) -> None:
    """Do something after the last outcome; `summary` holds counts, seconds and what failed.

    Example:
        ```python
        from agpis_sdk import hookimpl


        @hookimpl
        def agpis_run_finished(context, summary):
            print(summary["products"], "products")
        ```
    """
