"""`agpis review`: the people in the loop, from outcomes to the reviews that the next model learns from."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from agpis_sdk.cli import fiftyone, label_studio
from agpis_sdk.cli.options import ConfigOption, ProfileOption, SetOption, ShopOption, opened, settings
from agpis_sdk.errors import ConfigError

if TYPE_CHECKING:
    from agpis_sdk.review.store.database import Store

LOOPBACK = ("127.0.0.1", "localhost", "::1")
DATABASE = "reviews.db"

app = typer.Typer(help="Review outcomes in the browser, and learn from it.", no_args_is_help=True)
users_app = typer.Typer(help="Who may log in.", no_args_is_help=True)
app.add_typer(users_app, name="users")
app.add_typer(label_studio.app, name="label-studio")
app.add_typer(fiftyone.app, name="fiftyone")

DbOption = Annotated[
    str,
    typer.Option("--db", envvar="AGPIS_REVIEW_DB", help="A file for SQLite, or postgresql://USER:PASSWORD@HOST/NAME."),
]
ProductsOption = Annotated[
    Path | None, typer.Option("--products", help="The products of the run: titles, categories and whole addresses.")
]


@app.command("serve")
def serve(
    outcomes: Annotated[Path, typer.Argument(help="Output of agpis run.")],
    products: ProductsOption = None,
    db: DbOption = DATABASE,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes any that is free.")] = 8765,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; others than this machine's need https.")
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="A name by which browsers reach the server; repeatable.")
    ] = None,
    model_version: Annotated[str, typer.Option("--model-version", help="Name of the models in every decision.")] = "",
    config: ConfigOption = None,
    profile: ProfileOption = None,
    shop: ShopOption = None,
    overrides: SetOption = None,
) -> None:
    """Serve the review page for the outcomes of a run, until interrupted.

    Settings are those of the run, and the table [review]. Decisions are in the database as soon as the page goes on.
    """
    loaded, plugins = settings(config, overrides, profile, shop=shop)
    from agpis_sdk.pipeline.plan import reportable_rules
    from agpis_sdk.review.outcomes import read_run
    from agpis_sdk.review.registry import Registry
    from agpis_sdk.review.store.accounts import has_users
    from agpis_sdk.review.store.queues import add_queue
    from agpis_sdk.review.versions import versions_of
    from agpis_sdk.review.web.pictures import Pictures
    from agpis_sdk.review.web.pictures_ahead import maker
    from agpis_sdk.review.web.server import bound, run_server
    from agpis_sdk.review.web.site import Site, utc_now

    run = read_run(outcomes, products)
    store = _store(db)
    versions = versions_of(loaded.config, plugins, model_version)
    queue_id = add_queue(store, run, loaded.config.review, versions, utc_now())
    with bound(host, port) as listening, maker() as pictures_maker:
        hosts = ("127.0.0.1", "localhost", "[::1]", *([host] if host not in LOOPBACK else []), *(allow_host or ()))
        offered = tuple(rule for rule in reportable_rules(plugins, loaded.config) if rule.category != "engine")
        pictures = Pictures(loaded.config.media, maker=pictures_maker)
        reference = Registry(shop).reference() if shop is not None else {}
        site = Site(store, queue_id, loaded.config.review, plugins.rules, offered, pictures, hosts, reference)
        address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        if has_users(store):
            typer.echo(f"Review: {address}  (Ctrl-C ends the server)", err=True)
        else:
            typer.echo(f"Create the first account: {address}/setup?token={site.setup_token}", err=True)
            typer.echo(f"Then review: {address}  (Ctrl-C ends the server)", err=True)
        run_server(site, listening)
    store.close()


@users_app.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="Name to log in with.")],
    db: DbOption = DATABASE,
    admin: Annotated[bool, typer.Option("--admin", help="Sees the metrics of all, and manages users.")] = False,
) -> None:
    """Add a user; the password is asked for, or read from standard input where that is no terminal."""
    from agpis_sdk.review.store import accounts
    from agpis_sdk.review.web.site import utc_now

    store = _store(db)
    accounts.add_user(store, name, _password(), "admin" if admin else "reviewer", utc_now())
    typer.echo(f"{name} may log in", err=True)


@users_app.command("list")
def list_users(db: DbOption = DATABASE) -> None:
    """List all users."""
    from agpis_sdk.review.store import accounts

    for user in accounts.users(_store(db)):
        typer.echo(f"{user.name}  {user.role}{'' if user.active else '  (inactive)'}")


@users_app.command("password")
def change_password(
    name: Annotated[str, typer.Argument(help="Whose password.")],
    db: DbOption = DATABASE,
) -> None:
    """Set a new password, and end all sessions of the user."""
    from agpis_sdk.review.store import accounts

    accounts.set_password(_store(db), name, _password())
    typer.echo(f"{name} has a new password", err=True)


@app.command("export")
def export(
    out: Annotated[str, typer.Option("-o", "--out", help="One JSON object a line; - is stdout.")] = "-",
    db: DbOption = DATABASE,
    everything: Annotated[
        bool,
        typer.Option(
            "--everything", help="All rows of all tables but sessions and passwords, withdrawn decisions too."
        ),
    ] = False,
) -> None:
    """Write the decisions that count as reviews, which `agpis train` reads."""
    store = _store(db)
    if everything:
        from agpis_sdk.review.store import retention

        with opened(out) as stream:
            stream.writelines(f"{json.dumps(row)}\n" for row in retention.everything(store))
        return
    reviews, left_out = _write_reviews(store, out)
    typer.echo(f"{reviews} reviews written; {left_out} products without a usable sequence left out", err=True)


@app.command("purge")
def purge(
    older_than: Annotated[int, typer.Option("--older-than", min=1, metavar="DAYS", help="Days without a decision.")],
    out: Annotated[
        str | None, typer.Option("-o", "--out", help="First write the reviews of these queues here; needed to delete.")
    ] = None,
    db: DbOption = DATABASE,
) -> None:
    """Delete queues in which nothing was decided for so long, with their products and decisions; list them without -o.

    The server of a queue that goes must not be running. Users stay.
    """
    from datetime import timedelta

    from agpis_sdk.review.store import retention
    from agpis_sdk.review.web.site import utc_now

    store = _store(db)
    before = utc_now() - timedelta(days=older_than)
    found = retention.old_queues(store, before)
    for queue in found:
        counts = f"{queue.items} products, {queue.decisions} decisions, last touched {queue.touched_at:%Y-%m-%d}"
        typer.echo(f"{queue.id}  {queue.name}: {counts}")
    if out is None:
        typer.echo(f"{len(found)} queues would go; to delete them, name a file for their reviews with -o", err=True)
        return
    _write_reviews(store, out, [queue.id for queue in found])
    retention.purge(store, [queue.id for queue in found], before)
    typer.echo(f"{len(found)} queues deleted; their reviews are in {out}", err=True)


@app.command("simulate")
def simulate(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the store, the models and rounds.json.")],
    labels: Annotated[
        Path | None, typer.Option("--labels", help="Folder with products.jsonl and labels of its images, made by eye.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="Reviews whose truth is known, such as those of agpis bench build.")
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Rounds of review, training and promotion.")] = 5,
    per_round: Annotated[int, typer.Option("--per-round", min=1, help="Products reviewed in a round.")] = 100,
    error_rate: Annotated[
        float, typer.Option("--error-rate", min=0, max=1, help="Share of decisions that are wrong.")
    ] = 0.05,
    submitted_share: Annotated[
        float | None,
        typer.Option(
            "--submitted-share",
            min=0.05,
            max=1,
            help="Set the threshold of p^t each round so that this share of the proposals is submitted.",
        ),
    ] = None,
    learn: Annotated[
        list[str] | None, typer.Option("--learn", help="Let this component alone learn; repeatable. All by default.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Take the first N products only.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the parts, the errors and the training.")] = 0,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    overrides: SetOption = None,
) -> None:
    """Play rounds of the loop with simulated reviewers who know the truth, and print the reject rate on unseen products."""
    if (labels is None) == (truth is None):
        raise ConfigError("name either --labels or --truth", item="agpis review simulate")
    _, host = settings(config, overrides, profile)
    from agpis_sdk.cli.simulated import beginning, machinery, print_rounds
    from agpis_sdk.datasets.galleries import products_of, read_reviews
    from agpis_sdk.review.oracle import LabelOracle, Oracle, ReviewOracle
    from agpis_sdk.review.rounds import Simulation
    from agpis_sdk.review.rounds import simulate as play_rounds

    if labels is not None:
        products, oracle = list(products_of(labels)), cast("Oracle", LabelOracle(labels))
    else:
        reviews = list(read_reviews(truth or Path()))
        products, oracle = [one.product for one in reviews], ReviewOracle(reviews)
    out.mkdir(parents=True, exist_ok=True)
    simulation = Simulation(out, per_round, error_rate, seed, submitted_share, tuple(learn or ()))
    known = machinery(
        host, lambda shop: settings(config, beginning(overrides or (), shop), profile, shop=shop)[0], seed
    )
    played = play_rounds(products[:limit], oracle, simulation, known, rounds)
    print_rounds(played)


def _write_reviews(store: Store, out: str, queue_ids: Sequence[int | None] = (None,)) -> tuple[int, int]:
    """Write the reviews of some queues, or of all; return how many there are, and how many decisions hold no sequence."""
    from agpis_sdk.review.export import reviews_of

    reviews = left_out = 0
    with opened(out) as stream:
        for review in (review for queue_id in queue_ids for review in reviews_of(store, queue_id)):
            if review is None:
                left_out += 1
                continue
            stream.write(review.model_dump_json() + "\n")
            reviews += 1
    return reviews, left_out


def _store(db: str) -> Store:
    try:
        from agpis_sdk.review.store.database import Store
    except ImportError as error:
        raise ConfigError(
            f"needs {error.name}", item="agpis review", remedy="pip install 'agpis-sdk[review]'"
        ) from None
    return Store.open(db)


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
