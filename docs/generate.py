"""Writes the reference from the code itself: rules, hooks, settings, commands, errors and record schemas.

`python docs/generate.py` writes; `--check` only compares, prints what is stale and exits with 1.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from typer.main import get_command

from agpis_sdk import errors, hookspecs
from agpis_sdk.cli.app import app
from agpis_sdk.cli.exit_codes import EXIT_CODES
from agpis_sdk.config import Config, config_schema
from agpis_sdk.facts import FACTS
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import GalleryAudit, Outcome, Product, Review
from agpis_sdk.rules import Rule

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py; change the code, then run: make docs-write -->\n\n"


def pages() -> Iterator[tuple[str, str]]:
    """Yield every generated file: its path below docs/reference and its text."""
    host = PluginHost.load(discover=False)
    yield "rules/index.md", rule_index(host)
    yield "rules/gallery.md", rule_gallery(host)
    for rule in host.rules:
        yield f"rules/{rule.code}.md", rule_page(rule, host)
    yield "hooks.md", hook_page()
    yield "config.md", config_page(host)
    yield "cli.md", cli_page()
    yield "errors.md", error_page()
    yield "facts.md", fact_page(host)
    for record in (Product, Outcome, Review, GalleryAudit):
        yield f"schemas/{record.__name__.lower()}.schema.json", as_json(record.model_json_schema())
    models = {owned.spec.table: owned.spec.config for _, owned in host.all_specs()}
    yield "schemas/config.schema.json", as_json(config_schema(models))


def as_json(schema: dict[str, object]) -> str:
    """Return a schema as indented JSON."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def rule_index(host: PluginHost) -> str:
    """Return the table of all built-in rules by category."""
    lines = [
        NOTE + "# Rules\n",
        "A code or a name serves everywhere: `agpis rules AGP121` and `agpis rules watermark`. All of them [in pictures](gallery.md).\n",
    ]
    for category in ("single-image", "image-pair", "multi-image", "engine"):
        rules = [rule for rule in host.rules if rule.category == category]
        lines.append(f"## {category} ({len(rules)})\n")
        lines.append("| code | name | what it says | severity | found by |\n|---|---|---|---|---|")
        lines += [
            f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.summary} | {rule.severity} | {finders(rule, host)} |"
            for rule in rules
        ]
        lines.append("")
    return "\n".join(lines)


def rule_gallery(host: PluginHost) -> str:
    """Return the page that shows every built-in rule by its picture."""
    lines = [
        NOTE + "# Rules in pictures\n",
        "Each picture has what breaks the rule on the left and what keeps it on the right; it leads to the rule's page.\n",
    ]
    for category in ("single-image", "image-pair", "multi-image", "engine"):
        lines.append(f"## {category}\n")
        lines += [
            f"### {rule.code} {rule.name}\n\n{rule.summary} **What to do:** {rule.remedy}\n\n[{picture(rule)}]({rule.code}.md)\n"
            for rule in host.rules
            if rule.category == category
        ]
    return "\n".join(lines)


def picture(rule: Rule) -> str:
    """Return the picture of what breaks a rule and what keeps it."""
    return f"![Breaks {rule.name}: left. Keeps it: right.](../../assets/rules/{rule.code}.webp)"


def rule_page(rule: Rule, host: PluginHost) -> str:
    """Return one rule's page: its facts, then its explanation."""
    title, _, body = rule.page().partition("\n")
    effect = "removes the image, or one of the pair" if rule.severity == "error" else "reported only"
    also = f" · also called: {', '.join(rule.aliases)}" if rule.aliases else ""
    facts = (
        f"{rule.summary}\n\n*{rule.category} · severity {rule.severity} ({effect}) · "
        f"found by {finders(rule, host)}{also}*\n\n**What to do:** {rule.remedy}\n\n{picture(rule)}\n"
    )
    return f"{NOTE}{title}\n\n{facts}{body.rstrip()}\n"


def finders(rule: Rule, host: PluginHost) -> str:
    """Return the components that may raise a rule; the sequence model, which may raise each, only where it is alone."""
    names = host.finders(rule.code)
    return ", ".join(name for name in names if name != "muisc") or ", ".join(names) or "the engine"


def hook_page() -> str:
    """Return the hook reference: every hook's exact signature and docstring."""
    parts = [
        NOTE + "# Hooks\n",
        inspect.cleandoc(hookspecs.__doc__ or "") + "\n",
    ]
    for name, hook in inspect.getmembers(hookspecs, inspect.isfunction):
        if name.startswith("agpis_"):
            doc = inspect.getdoc(hook) or ""
            summary, _, example = doc.partition("Example:\n")
            code = inspect.cleandoc(example).strip()
            # Annotations are strings until someone asks for them: their quotes are no part of the signature.
            signature = str(inspect.signature(hook)).replace("'", "")
            parts.append(f"## `{name}{signature}`\n\n{summary.strip()}\n\n{code}\n")
    return "\n".join(parts)


def config_page(host: PluginHost) -> str:
    """Return every setting with its type, default and meaning."""
    parts = [
        NOTE + "# Settings\n",
        (
            "Settings stand in `agpis.toml`, or in `pyproject.toml` under `[tool.agpis]`. `--set key=value` wins over "
            "the file, the file over `--profile`, the profile over the defaults. "
            "`agpis config show` prints what is in force and where it comes from.\n"
        ),
    ]
    for name, field in Config.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            parts.append(_settings_table(f"[{name}]", section))
    parts.append("## Components\n\nEach component has a table of its own, `[components.NAME]`.\n")
    for table, settings in {owned.spec.table: owned.spec.config for _, owned in host.all_specs()}.items():
        if settings.model_fields:
            parts.append(_settings_table(f"[components.{table}]", settings, level=3))
    return "\n".join(parts)


def _settings_table(title: str, model: type[BaseModel], level: int = 2) -> str:
    rows = [f"{'#' * level} `{title}`\n", f"{inspect.getdoc(model)}\n", "| key | default | meaning |", "|---|---|---|"]
    for key, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = json.dumps(default, default=str) if not isinstance(default, tuple) else json.dumps(list(default))
        rows.append(f"| `{key}` | `{shown}` | {field.description or ''} |")
    return "\n".join(rows) + "\n"


def cli_page() -> str:
    """Return the help text of every command."""
    parts = [
        NOTE + "# Command line\n",
        "Data goes to stdout or `-o`; everything for people goes to stderr.\n",
        "| exit code | meaning |\n|---|---|\n"
        + "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items()),
    ]
    root = get_command(app)

    def walk(command: object, name: str) -> None:
        from click import Context

        with Context(command, info_name=name, max_content_width=100) as context:  # type: ignore[arg-type]
            parts.append(f"## `{name}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n")  # type: ignore[attr-defined]
        for key, below in sorted(getattr(command, "commands", {}).items()):
            walk(below, f"{name} {key}")

    walk(root, "agpis")
    return "\n".join(parts)


def error_page() -> str:
    """Return every error code with its meaning."""
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.AgpisError) and kind is not errors.AgpisError
    ]
    rows = [f"| {kind.code} | {inspect.getdoc(kind)} |" for kind in sorted(kinds, key=lambda kind: kind.code)]
    head = (
        NOTE
        + "# Errors\n\nEvery message names a code, the item it is about, and what to do.\n\n| code | meaning |\n|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def fact_page(host: PluginHost) -> str:
    """Return every fact with its type, its meaning, and the built-in components that provide and require it."""
    specs = [owned.spec for _, owned in host.all_specs()]
    rows = [
        f"| `{fact.name}` | {fact.type} | {fact.meaning} "
        f"| {', '.join(spec.name for spec in specs if fact.name in spec.provides)} "
        f"| {', '.join(spec.name for spec in specs if fact.name in spec.requires)} |"
        for fact in FACTS.values()
    ]
    head = (
        NOTE + "# Facts\n\n"
        "What components tell each other about an image, computed once per image. A checker lists what it reads under "
        '`requires` and reads it by `context.fact(image, "foreground")`; any plugin may provide a fact in place of a '
        "built-in component, in the same type. The dataclasses are in `agpis_sdk.facts`.\n\n"
        "| fact | type | meaning | provided by | required by |\n|---|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def main() -> None:
    """Write or check all generated files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name, text in pages():
        path = REFERENCE / name
        if check and (not path.is_file() or path.read_text(encoding="utf-8") != text):
            stale.append(name)
        elif not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.exit(f"stale: {', '.join(stale)} (run: make docs-write)")


if __name__ == "__main__":
    main()
