"""`agpis rules`: the rules at hand, or one of them explained."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from agpis_sdk.cli.options import ConfigOption, JsonOption, NoPluginsOption, SetOption, settings
from agpis_sdk.plugins import PluginHost
from agpis_sdk.rules import Rule


def rules(
    code: Annotated[str | None, typer.Argument(help="A rule's code or name.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
    no_plugins: NoPluginsOption = False,
) -> None:
    """List all rules, or explain one: `agpis rules AGP119`."""
    loaded, host = settings(config, overrides, no_plugins=no_plugins)
    rule_set = host.rules
    wanted = [rule_set[code]] if code else list(rule_set)
    limits = {rule_set[key].code: value for key, value in loaded.config.rules.thresholds.items()}
    if as_json:
        facts = [_facts(rule, host, limits) for rule in wanted]
        if code:
            facts[0]["page"] = wanted[0].page()
        typer.echo(json.dumps(facts[0] if code else facts, indent=2, ensure_ascii=False))
    elif code:
        _explain(wanted[0], host, limits)
    else:
        _list(wanted, host)


def _facts(rule: Rule, host: PluginHost, limits: dict[str, float]) -> dict[str, Any]:
    return {
        "code": rule.code,
        "name": rule.name,
        "summary": rule.summary,
        "category": rule.category,
        "severity": rule.severity,
        "threshold": limits.get(rule.code, rule.threshold),
        "remedy": rule.remedy,
        "found_by": host.finders(rule.code),
        "aliases": list(rule.aliases),
        "owner": host.rules.owner(rule.code),
    }


def _explain(rule: Rule, host: PluginHost, limits: dict[str, float]) -> None:
    effect = "removes the image, or one of the pair" if rule.severity == "error" else "is reported only"
    _print_markdown(rule.page().strip() or f"# {rule.code} {rule.name}\n\n{rule.summary}")
    if rule.remedy:
        typer.echo(f"\nWhat to do: {rule.remedy}")
    typer.echo(
        f"\nCategory: {rule.category} · severity: {rule.severity} ({effect}) · reported from score "
        f"{limits.get(rule.code, rule.threshold):g} · found by: {', '.join(host.finders(rule.code)) or 'the engine'}"
    )


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _print_markdown(text: str) -> None:
    """Print Markdown: laid out on a terminal, as it is where a program reads it."""
    if not _is_terminal():
        typer.echo(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))


def _list(rules_: list[Rule], host: PluginHost) -> None:
    width = max(len(rule.name) for rule in rules_)
    for rule in rules_:
        finder = next(iter(host.finders(rule.code)), "engine")
        typer.echo(f"{rule.code}  {rule.name:<{width}}  {rule.severity:<7}  {finder:<13}  {rule.summary}")
