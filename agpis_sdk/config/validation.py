"""Settings checked against their models, and what is said of a wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from agpis_sdk.config.sections import Config
from agpis_sdk.errors import ConfigError, first_problem, nearest
from agpis_sdk.wording import shortened


def validate(
    model: type[BaseModel], data: Mapping[str, Any], *, item: str, origins: Mapping[str, str] | None = None
) -> Any:
    """Validate settings; an unknown key is answered with the nearest known one.

    `origins` says by dotted key where a value was written: the error names it in place of `item`.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problem = first_problem(error)
        item = origin_of(problem.place, origins or {}) or item
        if problem.unknown_field:
            parent = _model_at(model, problem.path[:-1])
            remedy = nearest(str(problem.path[-1]), parent.model_fields)
            raise ConfigError("unknown key", item=f"{item}: {problem.place}", remedy=remedy) from None
        raise ConfigError(
            f"{problem.what}, got {shortened(repr(problem.given))}",
            item=f"{item}: {problem.place}",
            remedy=_range_at(model, problem.path) or "see: agpis config schema",
        ) from None


def config_schema(components: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """Return the JSON schema of the whole config, the settings of all known components included."""
    schema = Config.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    properties: dict[str, Any] = {}
    for name, model in sorted(components.items()):
        own = model.model_json_schema(ref_template="#/$defs/{model}")
        definitions.update(own.pop("$defs", {}))
        # Named by the component: two plugins may both call their settings "Settings".
        definitions[f"components.{name}"] = own
        properties[name] = {"$ref": f"#/$defs/components.{name}"}
    schema["properties"]["components"] = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema


def origin_of(place: str, origins: Mapping[str, str]) -> str:
    """Return where a setting, or the first one of a table, was written; "" where nobody has."""
    return next((origin for key, origin in origins.items() if f"{key}.".startswith(f"{place}.")), "")


def _range_at(model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    """Return the range of numbers that a setting takes, "" where it has none."""
    schema = model.model_json_schema()
    definitions, node = schema.get("$defs", {}), schema
    for part in location:
        node = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
        reference = (node if "$ref" in node else (node.get("allOf") or [{}])[0]).get("$ref", "")
        node = definitions.get(reference.rpartition("/")[2], node)
    low = [f"at least {node['minimum']:g}"] if "minimum" in node else []
    low += [f"above {node['exclusiveMinimum']:g}"] if "exclusiveMinimum" in node else []
    high = [f"at most {node['maximum']:g}"] if "maximum" in node else []
    return f"a number, {' and '.join(low + high)}" if low or high else ""


def _model_at(model: type[BaseModel], location: tuple[str | int, ...]) -> type[BaseModel]:
    """Return the innermost model on the way to a place; a table of models by name is on the way, too."""
    below: Any = model
    for part in location:
        if get_origin(below) is dict:
            below = get_args(below)[1]
        else:
            field = model.model_fields.get(str(part))
            below = field.annotation if field else None
        if isinstance(below, type) and issubclass(below, BaseModel):
            model = below
        elif get_origin(below) is not dict:
            return model
    return model
