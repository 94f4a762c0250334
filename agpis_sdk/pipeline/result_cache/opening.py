"""Opens the result cache of a run, where its config asks for one."""

from __future__ import annotations

from agpis_sdk.config import Config
from agpis_sdk.pipeline.plan import Plan
from agpis_sdk.pipeline.result_cache.identity import Identities, product_readers
from agpis_sdk.pipeline.result_cache.results import ResultCache
from agpis_sdk.pipeline.result_cache.store import EntryStore, folder_of
from agpis_sdk.plugins import PluginHost
from agpis_sdk.rules import RuleSet
from agpis_sdk.specs import is_costly


def open_cache(plan: Plan, host: PluginHost, config: Config, rules: RuleSet) -> ResultCache | None:
    """Return the cache of a plan's components; None where `run.cache` is empty. Raises `ConfigError`."""
    if not config.run.cache:
        return None
    by_product = product_readers(plan.components())
    always = [
        *([plan.backbone] if plan.backbone else []),
        *(one for one in plan.image_checkers if not is_costly(one.spec) and one.spec.name not in by_product),
    ]
    store = EntryStore(folder_of(config.run.cache), config.run.cache_bytes)
    return ResultCache(store, Identities.of(plan, host, config, rules), [owned.spec.name for owned in always])
