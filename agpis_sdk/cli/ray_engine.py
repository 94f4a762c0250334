"""`agpis run --engine ray`: the same run on the nodes of a cluster; outcomes as shards in a folder."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agpis_sdk.cli.exit_codes import DONE, DROPPED, INCOMPLETE
from agpis_sdk.cli.observing import write_figures
from agpis_sdk.cli.options import ENGINE, ProductsGiven, print_dropped, print_notice
from agpis_sdk.cli.outputs import STDIO
from agpis_sdk.cli.run_summary import print_summary
from agpis_sdk.config import LoadedConfig
from agpis_sdk.errors import ConfigError, UnknownNameError, nearest
from agpis_sdk.wording import counted

if TYPE_CHECKING:
    from agpis_sdk.config import Config
    from agpis_sdk.pipeline.interruption import Interruption
    from agpis_sdk.pipeline.summary import RunSummary
    from agpis_sdk.plugins import PluginHost

LOCAL, RAY = "local", "ray"
AUTO = "auto"

EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        help="Where the run runs: local, this machine; ray, the nodes of a Ray cluster (extra ray).",
        rich_help_panel=ENGINE,
    ),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="auto|HOST",
        help="The Ray cluster: auto, the one that this machine is part of, or HOST:PORT.",
        rich_help_panel=ENGINE,
    ),
]


def check_engine(
    engine: str, address: str | None, output: str, report: Path | None, export: str | None, trace: Path | None
) -> bool:
    """Tell whether a run goes to a cluster; refuse the options that do not go together, with the reason."""
    if engine not in (LOCAL, RAY):
        raise UnknownNameError("no such engine", item=f"--engine {engine}", remedy=nearest(engine, (LOCAL, RAY)))
    if engine == LOCAL:
        if address is not None:
            raise ConfigError("is of a cluster", item=f"--address {address}", remedy="add --engine ray")
        return False
    if output == STDIO:
        raise ConfigError("writes shards into a folder", item="--engine ray", remedy="name one with -o FOLDER")
    if trace is not None:
        raise ConfigError(
            "is of one process", item="--trace with --engine ray", remedy="trace a run of --engine local with --limit"
        )
    if report is not None:
        raise ConfigError(
            "needs the decoded images, which stay on the nodes",
            item="--report with --engine ray",
            remedy="leave it out; a run of --engine local with --limit shows some products",
        )
    if export is not None:
        raise ConfigError(
            "is written from finished outcomes",
            item="--export with --engine ray",
            remedy=f"run `agpis apply {shlex.quote(output)} --to {shlex.quote(export)}` afterwards",
        )
    return True


def run_on_ray(
    given: ProductsGiven,
    output: str,
    address: str,
    loaded: LoadedConfig,
    host: PluginHost,
    *,
    resume: bool,
    discover: bool,
    quiet: bool,
    log_json: Path | None,
    metrics: Path | None,
) -> int:
    """Take all products through a cluster, and return the exit code."""
    from agpis_sdk.engines.ray_cluster import RayCluster
    from agpis_sdk.engines.shard_folder import ShardFolder
    from agpis_sdk.engines.shard_run import ShardRun
    from agpis_sdk.engines.shard_worker import WorkOrder, import_path, installed_here
    from agpis_sdk.pipeline.checkpoint import identity_of
    from agpis_sdk.pipeline.interruption import Interruption
    from agpis_sdk.pipeline.plan import make_plan

    config = loaded.config
    _check_device(config)
    records = given.read(loaded, host)
    identity = identity_of(given.path, given.limit, config, host, make_plan(host, config))
    identity["shards"] = {"size": config.ray.shard_size}
    with contextlib.closing(ShardFolder(output, identity, resume=resume)) as folder:
        if folder.complete:
            typer.echo(f"agpis: {folder.name} is finished; nothing is left to do", err=True)
            return DONE
        if folder.finished:
            typer.echo(
                f"agpis: {counted(len(folder.finished), 'shard')} of an earlier run are taken as they are", err=True
            )
        order = WorkOrder(config, discover, import_path(), installed_here(host, config))
        with (
            contextlib.closing(RayCluster(address, config.ray, order, print_notice)) as cluster,
            Interruption().listening() as interruption,
        ):
            if not quiet:
                typer.echo(
                    f"agpis: {counted(cluster.workers, 'worker')}, {config.ray.shard_size} records a shard", err=True
                )
            run = ShardRun(records, cluster, folder, size=config.ray.shard_size, most_failures=config.run.max_failures)
            for summary in _with_progress(run.run(interruption), shown=not quiet and sys.stderr.isatty()):
                last = summary
    write_figures(last, log_json=log_json, metrics=metrics)
    return _conclude(last, host, interruption, folder.name, quiet=quiet)


def _conclude(summary: RunSummary, host: PluginHost, interruption: Interruption, name: str, *, quiet: bool) -> int:
    if not quiet:
        print_summary(summary, host)
    print_dropped(summary.dropped)
    if interruption.signal is not None:
        command = ["agpis", *sys.argv[1:], *([] if "--resume" in sys.argv else ["--resume"])]
        typer.echo(f"agpis: {interruption.signal.name}; the finished shards are in {name}", err=True)
        typer.echo(f"agpis: to continue: {shlex.join(command)}", err=True)
        return interruption.exit_code
    if summary.dropped:
        return DROPPED
    return INCOMPLETE if summary.failed else DONE


def _check_device(config: Config) -> None:
    """Refuse workers that would not have the device that models run on, or would hold one without using it."""
    on_gpu = config.run.device.startswith("cuda")
    if on_gpu and not config.ray.gpus:
        raise ConfigError("no worker has a GPU", item=f"run.device = {config.run.device}", remedy="set ray.gpus=1")
    if config.ray.gpus and not on_gpu:
        raise ConfigError(
            "would take GPUs that no model uses", item=f"ray.gpus = {config.ray.gpus:g}", remedy="set run.device=cuda"
        )


def _with_progress(steps: Iterator[RunSummary], *, shown: bool) -> Iterator[RunSummary]:
    """Pass summaries on, and show on stderr how far the run is."""
    if not shown:
        yield from steps
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("starting workers") as status:
        for summary in steps:
            yield summary
            rate = summary.products / max(summary.seconds, 1e-9)
            status.update(f"{summary.products:,} products in order, {rate:.1f}/s")
