"""Plugins are loaded, registered and validated. The only file that touches pluggy's manager.

A plugin that cannot be loaded is named with its version, the cause and the remedy, and the others go on.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import inspect
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pluggy

from agpis_sdk import hookspecs
from agpis_sdk.components import ComponentConfig, ComponentSpec, FormatSpec, Profile, Reports
from agpis_sdk.config import PluginsSection, validate
from agpis_sdk.errors import (
    AgpisError,
    ConfigError,
    PluginContractError,
    PluginLoadError,
    UnknownNameError,
    in_words,
    nearest,
)
from agpis_sdk.plugins.announcements import SPEC_OF_HOOK, OwnedSpec, taken_from, unique_names
from agpis_sdk.plugins.discovery import (
    LOCAL,
    OURS,
    FoundPlugin,
    PluginState,
    PluginStatus,
    check_blocks,
    check_requirements,
    find_plugins,
)
from agpis_sdk.plugins.factories import cannot_be_made, imported, make_component, refusing_to_exit
from agpis_sdk.rules import Rule, RuleSet, matches


class PluginHost:
    """All plugins of a run: their statuses, their components by hook and name, and the rules they declare."""

    def __init__(self) -> None:
        self.rules = RuleSet()
        self.statuses: list[PluginStatus] = []
        self.profiles: dict[str, Profile] = {}
        self._profile_owners: dict[str, str] = {}
        self._components: dict[str, dict[str, OwnedSpec]] = {hook: {} for hook in SPEC_OF_HOOK}
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)

    @classmethod
    def load(
        cls,
        settings: PluginsSection | None = None,
        *,
        discover: bool = True,
        components: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> PluginHost:
        """Find and load all plugins; with `discover=False` only the built-in ones.

        `components` are the config's tables of settings: a component may take rules from its own. Raises
        `PluginLoadError` when a required plugin is missing or, in strict mode, when any fails.
        """
        settings = settings or PluginsSection()
        host = cls()
        installed = find_plugins()
        # Asked of all that is installed: a config that blocks a plugin also serves a run with the built-in ones alone.
        check_blocks(installed, settings.block)
        for plugin in [plugin for plugin in installed if discover or plugin.distribution == OURS]:
            if plugin.name in settings.block or plugin.distribution in settings.block:
                host._note(plugin, "blocked", reason="named in plugins.block")
            else:
                host.register(plugin, strict=settings.strict)
        for module in settings.load:
            host.register(FoundPlugin(module, module, LOCAL, module), strict=settings.strict)
        host.add_rules_from(components or {})
        check_requirements(host.statuses, settings.require)
        return host

    def add_rules_from(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        """Add the rules that components take from their settings.

        Raises `ConfigError` for settings that are not valid, `PluginLoadError` naming the plugin whose function fails, and
        `PluginContractError` for what is no rule, or a rule that clashes with others.
        """
        for hook, owned in [found for found in self.all_specs() if found[1].spec.rules_from]:
            make_rules = imported(owned, owned.spec.rules_from)
            settings = self.settings_of(owned, tables)
            try:
                with refusing_to_exit(owned.plugin.distribution != OURS):
                    rules = tuple(taken_from(make_rules(settings), owned.spec.rules_from, Rule))
            except PluginContractError as error:
                raise PluginContractError(error.what, item=owned.plugin.owner, remedy=owned.plugin.remedy) from error
            except (AgpisError, MemoryError):
                raise
            except (Exception, SystemExit) as error:
                raise PluginLoadError(
                    f'component "{owned.spec.name}": {owned.spec.rules_from} raised {type(error).__name__}: {error}',
                    item=owned.plugin.owner,
                    remedy=owned.plugin.remedy,
                ) from error
            self._declare(rules, owned.plugin, module=make_rules.__module__)
            self._components[hook][owned.spec.name] = replace(
                owned, spec=replace(owned.spec, rules=(*owned.spec.rules, *rules))
            )

    def add(self, module: object, *, name: str) -> PluginStatus:
        """Register an imported module or object as a plugin: for notebooks and tests."""
        return self.register(FoundPlugin(name, name, LOCAL, module), strict=False)

    def register(self, found: FoundPlugin, *, strict: bool) -> PluginStatus:
        """Import and register one plugin; what fails is noted, or raised in strict mode."""
        # Standard output is for data.
        with contextlib.redirect_stdout(sys.stderr), refusing_to_exit(found.distribution != OURS):
            return self._register(found, strict=strict)

    def _register(self, found: FoundPlugin, *, strict: bool) -> PluginStatus:
        started = time.perf_counter()
        try:
            module = importlib.import_module(found.module) if isinstance(found.module, str) else found.module
            seconds = time.perf_counter() - started
            self._refuse_taken_plugin(found, module)
            try:
                self._manager.register(module, name=found.name)
                self._refuse_unknown_hooks(module)
                self._manager.check_pending()
                return self._announce(found, seconds)
            except BaseException:
                # A hook of a wrong signature is found half-way through: what was registered until then must go too.
                self._manager.unregister(module, name=found.name)
                raise
        except (Exception, SystemExit) as error:
            cause = error.what if isinstance(error, AgpisError) else in_words(error)
            status = self._note(found, "failed", reason=cause, seconds=time.perf_counter() - started)
            if strict:
                raise PluginLoadError(cause, item=status.owner, remedy=status.remedy) from error
            return status

    def specs(self, hook: str) -> Mapping[str, OwnedSpec]:
        """Return the components that one hook announced, by name, sorted."""
        return dict(sorted(self._components[hook].items()))

    def all_specs(self) -> Iterator[tuple[str, OwnedSpec]]:
        """Yield every hook name with every component announced through it."""
        for hook in SPEC_OF_HOOK:
            for owned in self.specs(hook).values():
                yield hook, owned

    def by_name(self) -> dict[str, OwnedSpec]:
        """Return every component under its name and its aliases."""
        return {name: owned for _, owned in self.all_specs() for name in (owned.spec.name, *owned.spec.aliases)}

    def component(self, name: str) -> OwnedSpec:
        """Return the component of a name or alias; raises `UnknownNameError` with the nearest name."""
        known = self.by_name()
        if name not in known:
            raise UnknownNameError("no plugin announces it", item=name, remedy=nearest(name, known))
        return known[name]

    def finders(self, code: str) -> list[str]:
        """Return the names of the components that may raise the rule of a code, the one that declares it first."""
        if self.rules[code].category == "engine":
            return []
        found = [owned.spec for _, owned in self.all_specs() if owned.spec.raises(code)]
        return [spec.name for spec in sorted(found, key=lambda spec: code not in {rule.code for rule in spec.rules})]

    def named(self, hook: str, name: str, *, setting: str) -> OwnedSpec:
        """Return the component that a setting names; raises `UnknownNameError` with the nearest name."""
        components = self._components[hook]
        for owned in components.values():
            if name in (owned.spec.name, *owned.spec.aliases):
                return owned
        raise UnknownNameError("no plugin announces it", item=f'{setting} = "{name}"', remedy=nearest(name, components))

    def reporter(self, reports: Reports, format_name: str, *, setting: str) -> OwnedSpec:
        """Return the reporter of a format; raises `UnknownNameError` with the nearest format."""
        return self.of_format(reports, format_name, setting=setting)

    def formats(self, role: str) -> dict[str, OwnedSpec]:
        """Return by format the components of a role: "outcomes", "audits", "readers" or "writers"."""
        return {
            owned.spec.format: owned
            for _, owned in self.all_specs()
            if isinstance(owned.spec, FormatSpec) and owned.spec.role == role
        }

    def of_format(self, role: str, format_name: str, *, setting: str) -> OwnedSpec:
        """Return the component of a role and a format; raises `UnknownNameError` with the nearest format."""
        formats = self.formats(role)
        if format_name not in formats:
            remedy = nearest(format_name, formats)
            raise UnknownNameError("no plugin announces it", item=f'{setting} = "{format_name}"', remedy=remedy)
        return formats[format_name]

    def profile(self, name: str) -> Profile:
        """Return a profile; raises `UnknownNameError` with the nearest name."""
        if name not in self.profiles:
            raise UnknownNameError("no such profile", item=name, remedy=nearest(name, self.profiles))
        return self.profiles[name]

    def is_of_a_profile(self, rule: Rule) -> bool:
        """Tell whether a profile of the plugin that declares a rule selects it: without a profile, it is of no use."""
        owner = self.rules.owner(rule.code)
        own = [profile for name, profile in self.profiles.items() if self._profile_owners[name] == owner]
        rules = [profile.settings.get("rules", {}) for profile in own]
        return any(matches(rule, table.get("select", ())) for table in rules)

    def settings_of(self, owned: OwnedSpec, tables: Mapping[str, Mapping[str, Any]]) -> ComponentConfig:
        """Validate a component's table of settings without importing the component.

        Raises `ConfigError` where they are wrong, and `PluginLoadError` naming the plugin where its own validation fails.
        """
        spec = owned.spec
        written = [name for name in (spec.table, *spec.aliases) if name in tables]
        if len(written) > 1:
            raise ConfigError(
                "is one component under two names",
                item=f"components.{written[1]}",
                remedy=f"keep components.{spec.table}",
            )
        name = written[0] if written else spec.table
        try:
            config: ComponentConfig = validate(spec.config, tables.get(name, {}), item=f"components.{name}")
        except AgpisError:
            raise
        except Exception as error:
            reason = f"cannot be validated: {in_words(error)}"
            raise PluginLoadError(
                f'settings of component "{spec.name}" {reason}', item=owned.plugin.owner, remedy=owned.plugin.remedy
            ) from error
        return config

    def check_loaded(self) -> None:
        """Raise `PluginLoadError` where a module that `plugins.load` names has failed.

        Who names it wants what it checks: a run without it would pass what it refuses.
        """
        for status in self.statuses:
            if status.state == "failed" and status.version == LOCAL:
                raise PluginLoadError(status.reason, item=status.owner, remedy=status.remedy)

    def check_component_tables(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        """Validate every `[components.*]` table; one that no component answers to is an error."""
        known: dict[str, list[OwnedSpec]] = {}
        for _, owned in self.all_specs():
            for name in (owned.spec.table, *owned.spec.aliases):
                known.setdefault(name, []).append(owned)
        for name in tables:
            if name not in known:
                sharing = self.by_name().get(name)
                remedy = f"its table is components.{sharing.spec.table}" if sharing else nearest(name, known)
                what = "shares its settings with others" if sharing else "no such component"
                raise ConfigError(what, item=f"components.{name}", remedy=remedy)
            for owned in known[name]:
                self.settings_of(owned, tables)

    def create(self, owned: OwnedSpec, tables: Mapping[str, Mapping[str, Any]], *, device: str = "cpu") -> Any:
        """Import a component's factory and call it with its validated settings, and with `device` where it takes one.

        Raises `PluginLoadError` naming the plugin where that fails. A run that lacks a checker would pass what the
        checker refuses, so no run begins.
        """
        settings = self.settings_of(owned, tables)
        try:
            return make_component(owned.spec.factory, settings, device)
        except (AgpisError, MemoryError):
            raise
        except (Exception, SystemExit) as error:
            raise cannot_be_made(owned, f"raised {in_words(error)}") from error

    def notify(self, hook: str, **arguments: Any) -> dict[str, str]:
        """Call an event hook of every plugin, one at a time; return what failed in words, by the plugin's owner."""
        failures = {}
        for status in [status for status in self.statuses if status.state == "active" and hook in status.hooks]:
            implementation = self._implementation(self._manager.get_plugin(status.name), hook)
            try:
                # As everywhere in pluggy, a hook may take fewer arguments than its specification lists.
                with contextlib.redirect_stdout(sys.stderr):
                    returned = implementation.function(*(arguments[name] for name in implementation.argnames))
                if inspect.isgenerator(returned):
                    raise PluginContractError("holds a yield, so nothing of it was run")
            except (Exception, SystemExit) as error:
                failures[status.owner] = f"{status.owner}: {hook} raised {in_words(error)}"
        return failures

    def _implementation(self, plugin: object, hook: str) -> pluggy.HookImpl:
        """Return a plugin's function for a hook, whatever its name in the plugin."""
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return next(found for found in caller.get_hookimpls() if found.plugin is plugin)

    def _refuse_taken_plugin(self, found: FoundPlugin, module: object) -> None:
        for status in self.statuses:
            if status.state != "active":
                continue
            if status.name == found.name or self._manager.get_plugin(status.name) is module:
                raise PluginContractError(f'plugin "{found.name}" is already registered by {status.owner}')

    def _refuse_unknown_hooks(self, module: object) -> None:
        """Raise where a hook is misspelled: pluggy itself would not say which one is meant."""
        known = [name for name in vars(hookspecs) if name.startswith("agpis_")]
        for caller in self._manager.get_hookcallers(module) or ():
            if not caller.has_spec():
                raise PluginContractError(f"unknown hook '{caller.name}' ({nearest(caller.name, known)})")

    def _announce(self, found: FoundPlugin, seconds: float) -> PluginStatus:
        """Collect what one plugin announces; nothing of it is kept when anything is wrong."""
        plugin = self._manager.get_plugin(found.name)
        hooks = tuple(sorted(caller.name for caller in self._manager.get_hookcallers(plugin) or ()))
        collected: list[tuple[str, ComponentSpec]] = []
        for hook in (hook for hook in SPEC_OF_HOOK if hook in hooks):
            collected.extend((hook, spec) for spec in self._drain(plugin, hook, SPEC_OF_HOOK[hook]))
        profiles = self._drain(plugin, "agpis_profiles", Profile) if "agpis_profiles" in hooks else []
        self._refuse_taken_names(found, collected, profiles)
        rules = [rule for _, spec in collected for rule in spec.rules]
        self._declare(rules, found, module=getattr(plugin, "__name__", ""))
        status = self._note(
            found,
            "active",
            seconds=seconds,
            hooks=hooks,
            components=tuple(sorted(spec.name for _, spec in collected)),
            codes=tuple(sorted({rule.code for rule in rules})),
        )
        for hook, spec in collected:
            self._components[hook][spec.name] = OwnedSpec(spec, status)
        self.profiles.update({profile.name: profile for profile in profiles})
        self._profile_owners.update({profile.name: found.owner for profile in profiles})
        return status

    def _declare(self, rules: Iterable[Rule], plugin: FoundPlugin | PluginStatus, *, module: str) -> None:
        """Add a plugin's rules, all or none; raises `PluginContractError` for one that it may not declare.

        `module` is where they were written: the prefix AGP is for those of this package.
        """
        declared, trial = list(rules), self.rules.copy()
        for rule in declared:
            if rule.code[:-3] == "AGP" and not module.startswith("agpis_sdk.") and rule not in list(self.rules):
                raise PluginContractError(
                    f"rule {rule.code}: the prefix AGP belongs to agpis-sdk; {plugin.distribution} needs a prefix of "
                    "its own"
                )
            trial.add(rule, owner=plugin.owner)
        for rule in declared:
            self.rules.add(rule, owner=plugin.owner)

    def _drain(self, plugin: object, hook: str, kind: type[Any]) -> list[Any]:
        return taken_from(self._implementation(plugin, hook).function(), hook, kind)

    def _refuse_taken_names(
        self, found: FoundPlugin, collected: Sequence[tuple[str, ComponentSpec]], profiles: Sequence[Profile]
    ) -> None:
        taken = {name: owned.plugin.owner for _, owned in self.all_specs() for name in unique_names(owned.spec)}
        for _, spec in collected:
            for name in unique_names(spec):
                if name in taken:
                    raise PluginContractError(f"{name} is announced by both {taken[name]} and {found.owner}")
                taken[name] = found.owner
        for profile in profiles:
            if profile.name in self._profile_owners:
                raise PluginContractError(
                    f'profile "{profile.name}" is announced by both {self._profile_owners[profile.name]} and '
                    f"{found.owner}"
                )

    def _note(self, found: FoundPlugin, state: PluginState, **fields: Any) -> PluginStatus:
        status = PluginStatus(
            name=found.name,
            distribution=found.distribution,
            version=found.version,
            module=found.module if isinstance(found.module, str) else "",
            state=state,
            **fields,
        )
        self.statuses.append(status)
        return status


@cache
def shipped_rules() -> RuleSet:
    """Return the rules of the engine and of the built-in plugins."""
    return PluginHost.load(discover=False).rules
