"""`agpis train`: reviews or photos in, weights out."""

from __future__ import annotations

import typer

app = typer.Typer(help="Train the models of the pipeline.", no_args_is_help=True)
