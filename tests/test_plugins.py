"""Plugins: a bad one is named with its version and the reason, and the others go on (agpis_sdk/plugins.py)."""

from __future__ import annotations

import importlib
import os
import sys
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.components import ComponentConfig, ImageCheckerSpec, PairCheckerSpec, Profile, ReporterSpec
from agpis_sdk.config import Config, PluginsSection
from agpis_sdk.errors import ConfigError, PluginLoadError, UnknownNameError
from agpis_sdk.hookspecs import hookimpl
from agpis_sdk.pipeline.plan import make_audit_plan, make_plan
from agpis_sdk.plugins import PluginHost, PluginStatus
from agpis_sdk.rules import Rule

SHINY = Rule(code="SHY101", name="shiny-spot", summary="A highlight.", category="single-image")

Install = Callable[..., None]


def announcing(*specs: object) -> object:
    """Return a plugin that announces image checkers."""

    class Announcing:
        @hookimpl
        def agpis_image_checkers(self) -> Iterable[object]:
            return specs

    return Announcing()


def checker(name: str = "shiny", rules: tuple[Rule, ...] = (SHINY,), **fields: Any) -> ImageCheckerSpec:
    return ImageCheckerSpec(name=name, factory="nowhere.at_all:Checker", rules=rules, **fields)


def status_of(plugin: object, name: str = "odd") -> tuple[PluginHost, PluginStatus]:
    """Add a plugin to a host that has a good one before it and gets a good one after it."""
    host = PluginHost()
    host.add(announcing(checker("before", ())), name="before")
    status = host.add(plugin, name=name)
    after = host.add(announcing(checker("after", ())), name="after")
    assert after.state == "active", after.reason
    assert {"before", "after"} <= set(host.specs("agpis_image_checkers"))
    return host, status


class TestAGoodPlugin:
    def test_is_active_and_its_component_and_rule_are_there(self) -> None:
        host, status = status_of(announcing(checker()))

        assert (status.state, status.reason) == ("active", "")
        assert (status.hooks, status.components, status.codes) == (("agpis_image_checkers",), ("shiny",), ("SHY101",))
        assert host.rules["shiny-spot"] is SHINY
        assert host.rules.owner("SHY101") == "odd local (odd)"
        assert host.named("agpis_image_checkers", "shiny", setting="x").plugin is status

    def test_may_raise_a_rule_that_another_plugin_declares(self) -> None:
        host, status = status_of(announcing(checker(rules=(), also_raises=("AGP119",))))

        assert status.state == "active"
        assert host.specs("agpis_image_checkers")["shiny"].spec.raises("AGP119")
        assert not host.specs("agpis_image_checkers")["shiny"].spec.raises("AGP120")

    def test_may_own_a_prefix_that_begins_with_agp(self) -> None:
        own = Rule(code="AGPX101", name="own", summary="Own.", category="single-image")

        assert status_of(announcing(checker(rules=(own,))))[1].state == "active"

    def test_may_write_its_hook_under_another_name(self) -> None:
        class Renamed:
            @hookimpl(specname="agpis_image_checkers")
            def my_checkers(self) -> list[ImageCheckerSpec]:
                return [checker()]

        assert status_of(Renamed())[1].components == ("shiny",)

    def test_brings_profiles(self) -> None:
        class WithProfile:
            @hookimpl
            def agpis_profiles(self) -> list[Profile]:
                return [Profile(name="four", summary="Four.", settings={"sequence": {"length": 4}})]

        host, _ = status_of(WithProfile())

        assert host.profile("four").settings == {"sequence": {"length": 4}}
        with pytest.raises(UnknownNameError, match='did you mean "four"'):
            host.profile("for")


class Raises:
    @hookimpl
    def agpis_image_checkers(self) -> Iterable[ImageCheckerSpec]:
        raise RuntimeError("no license")


class RaisesHalfWay:
    @hookimpl
    def agpis_image_checkers(self) -> Iterable[ImageCheckerSpec]:
        yield checker()
        raise RuntimeError("half way")


class Endless:
    @hookimpl
    def agpis_image_checkers(self) -> Iterable[ImageCheckerSpec]:
        while True:
            yield checker()


class Misspelled:
    @hookimpl
    def agpis_image_chekers(self) -> Iterable[ImageCheckerSpec]:
        return []


class MisspelledAndWrong:
    @hookimpl
    def agpis_a_misspelled_hook(self) -> None:
        """Stands first by name, so that it is registered when the next one is found out."""

    @hookimpl
    def agpis_image_checkers(self, products: object) -> Iterable[ImageCheckerSpec]:
        return []


class Leaves:
    @hookimpl
    def agpis_image_checkers(self) -> Iterable[ImageCheckerSpec]:
        sys.exit(3)


class Nothing:
    @hookimpl
    def agpis_image_checkers(self) -> None:
        return None


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        (Raises(), "RuntimeError: no license"),
        (RaisesHalfWay(), "RuntimeError: half way"),
        (Endless(), "agpis_image_checkers yielded more than 1000 specs: an endless generator?"),
        (Misspelled(), "unknown hook 'agpis_image_chekers' (did you mean \"agpis_image_checkers\"?)"),
        (MisspelledAndWrong(), "hook 'agpis_image_checkers'"),
        (Leaves(), "SystemExit: 3"),
        (Nothing(), "agpis_image_checkers returned NoneType, not an iterable of ImageCheckerSpec"),
        (announcing("shiny"), "agpis_image_checkers yielded str, not ImageCheckerSpec"),
        (
            announcing(PairCheckerSpec(name="pair", factory="a.b:C")),
            "agpis_image_checkers yielded PairCheckerSpec, not ImageCheckerSpec",
        ),
        (
            announcing(checker("before")),
            'component "before" is announced by both before local (before) and odd local (odd)',
        ),
        (announcing(checker(), checker()), 'component "shiny" is announced by both odd'),
        (
            announcing(checker(rules=(Rule(code="AGP999", name="mine", summary="", category="engine"),))),
            "rule AGP999: the prefix AGP belongs to agpis-sdk; odd needs a prefix of its own",
        ),
        (
            announcing(checker(rules=(Rule(code="SHY101", name="missing-fact", summary="", category="single-image"),))),
            'rule "missing-fact" is declared by both agpis-sdk and odd local (odd)',
        ),
    ],
)
def test_a_bad_plugin_is_named_with_the_reason_and_leaves_nothing_behind(plugin: object, reason: str) -> None:
    host, status = status_of(plugin)

    assert status.state == "failed"
    assert reason in status.reason
    assert set(host.specs("agpis_image_checkers")) == {"before", "after"}
    assert "SHY101" not in host.rules


def test_two_third_parties_that_clash_over_a_rule_are_both_named() -> None:
    host = PluginHost()
    host.add(announcing(checker("one")), name="first")
    other = Rule(code="SHY101", name="another", summary="Another.", category="single-image")

    status = host.add(announcing(checker("two", (other,))), name="second")

    assert 'rule "SHY101" is declared by both first local (first) and second local (second)' in status.reason


def test_two_plugins_that_clash_over_a_profile_are_both_named() -> None:
    class WithProfile:
        @hookimpl
        def agpis_profiles(self) -> list[Profile]:
            return [Profile(name="house", summary="Ours.", settings={})]

    host = PluginHost()
    host.add(WithProfile(), name="first")

    status = host.add(WithProfile(), name="second")

    assert 'profile "house" is announced by both first local (first) and second local (second)' in status.reason


class Reports:
    """A plugin that announces reporters."""

    def __init__(self, *specs: ReporterSpec) -> None:
        self.specs = specs

    @hookimpl
    def agpis_reporters(self) -> Iterable[ReporterSpec]:
        return self.specs


def reporter(name: str, **fields: Any) -> ReporterSpec:
    return ReporterSpec(name=name, factory="a.b:C", **fields)


def test_two_plugins_that_clash_over_a_format_are_both_named() -> None:
    host = PluginHost()
    host.add(Reports(reporter("one-xml", format="xml", reports="audits")), name="first")

    status = host.add(Reports(reporter("other-xml", format="xml", reports="audits")), name="second")

    assert 'format "xml" for audits is announced by both first local (first) and second local' in status.reason
    assert set(host.specs("agpis_reporters")) == {"one-xml"}


def test_one_format_may_report_outcomes_and_audits() -> None:
    host = PluginHost()

    status = host.add(Reports(reporter("csv"), reporter("audit-csv", format="csv", reports="audits")), name="both")

    assert status.state == "active"
    assert host.reporter("outcomes", "csv", setting="--report").spec.name == "csv"
    assert host.reporter("audits", "csv", setting="--format").spec.name == "audit-csv"


def test_a_format_of_the_other_kind_is_not_found() -> None:
    host = PluginHost()
    host.add(Reports(reporter("html"), reporter("junit", reports="audits")), name="both")

    with pytest.raises(UnknownNameError, match=r'--format = "html": no plugin announces it \(known: junit\)'):
        host.reporter("audits", "html", setting="--format")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"reports": "audit"}, 'reports "audit" is not "outcomes" or "audits"'),
        ({"format": ".csv"}, 'format ".csv" is not a name such as "csv"'),
    ],
)
def test_a_reporter_with_an_impossible_spec_is_refused_where_it_is_written(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        reporter("shiny", **fields)


def test_a_plugin_name_that_is_taken_names_who_has_it() -> None:
    host = PluginHost()
    host.add(announcing(), name="shiny")

    assert host.add(announcing(), name="shiny").reason == 'plugin "shiny" is already registered by shiny local (shiny)'


class TestAnInstalledPlugin:
    """Distributions that stand in a folder on the path, as an installer leaves them."""

    @pytest.fixture
    def install(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
        monkeypatch.syspath_prepend(tmp_path)

        def write(distribution: str, source: str, *, version: str = "1.2.0") -> None:
            module = distribution.replace("-", "_")
            (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
            info = tmp_path / f"{module}-{version}.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
            (info / "entry_points.txt").write_text(f"[agpis]\n{distribution.removeprefix('agpis-')} = {module}\n")
            importlib.invalidate_caches()
            monkeypatch.delitem(sys.modules, module, raising=False)

        return write

    GOOD = """
        from agpis_sdk import ImageCheckerSpec, hookimpl

        @hookimpl
        def agpis_image_checkers():
            yield ImageCheckerSpec(name="dusty", factory="dusty:Checker")
    """

    def named(self, host: PluginHost, name: str) -> PluginStatus:
        (status,) = [status for status in host.statuses if status.name == name]
        return status

    def test_is_found_by_its_entry_point(self, install: Install) -> None:
        install("agpis-dusty", self.GOOD)

        status = self.named(PluginHost.load(), "dusty")

        assert (status.state, status.distribution, status.version) == ("active", "agpis-dusty", "1.2.0")
        assert status.owner == "agpis-dusty 1.2.0 (dusty)"

    def test_is_left_out_when_only_the_built_in_ones_are_wanted(self, install: Install) -> None:
        install("agpis-dusty", self.GOOD)

        assert {status.distribution for status in PluginHost.load(discover=False).statuses} == {"agpis-sdk"}

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            ("raise ImportError('no libdust')", "ImportError: no libdust"),
            ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
            ("def broken(:", "SyntaxError"),
            ("import sys; sys.exit(1)", "SystemExit: 1"),
        ],
    )
    def test_that_raises_at_import_is_named_and_the_others_go_on(
        self, install: Install, source: str, reason: str
    ) -> None:
        install("agpis-broken", source)
        install("agpis-dusty", self.GOOD)

        host = PluginHost.load()

        assert self.named(host, "broken").state == "failed"
        assert reason in self.named(host, "broken").reason
        assert self.named(host, "dusty").state == "active"

    def test_that_fails_ends_the_run_in_strict_mode(self, install: Install) -> None:
        install("agpis-broken", "raise ImportError('no libdust')")

        with pytest.raises(
            PluginLoadError,
            match=r'agpis-broken 1\.2\.0 \(broken\): ImportError: no libdust .*plugins\.block = \["broken"\]',
        ):
            PluginHost.load(PluginsSection(strict=True, block=("agpis-sdk",)))

    @pytest.mark.parametrize("blocked", ["dusty", "agpis-dusty"])
    def test_is_blocked_by_its_name_or_its_distribution_and_not_even_imported(
        self, install: Install, blocked: str
    ) -> None:
        install("agpis-dusty", "raise AssertionError('imported')")

        status = self.named(PluginHost.load(PluginsSection(block=(blocked,))), "dusty")

        assert (status.state, status.reason) == ("blocked", "named in plugins.block")

    def test_that_is_required_must_be_active_and_of_that_version(self, install: Install) -> None:
        install("agpis-dusty", self.GOOD)

        PluginHost.load(PluginsSection(require=("agpis-dusty>=1.0",)))
        PluginHost.load(PluginsSection(require=("Agpis_Dusty",)))
        with pytest.raises(
            PluginLoadError, match=r"agpis-dusty>=2: required, but version 1.2.0 is active .*pip install"
        ):
            PluginHost.load(PluginsSection(require=("agpis-dusty>=2",)))
        with pytest.raises(PluginLoadError, match="agpis-dusty: required, but it is not active"):
            PluginHost.load(PluginsSection(require=("agpis-dusty",), block=("dusty",)))

    def test_one_that_ends_the_process_when_it_is_imported_is_named(self, install: Install) -> None:
        install("agpis-leaves", "import os\nos._exit(0)\n")

        host = PluginHost.load()

        (status,) = [status for status in host.statuses if status.name == "leaves"]
        assert (status.state, status.reason) == ("failed", "SystemExit: os._exit(0) was called")
        assert os._exit.__module__ in ("posix", "nt")

    def test_may_be_a_plain_module_named_in_the_config(self, install: Install) -> None:
        install("agpis-unlisted", self.GOOD)

        host = PluginHost.load(PluginsSection(load=("agpis_unlisted",), block=("unlisted",)))

        assert self.named(host, "agpis_unlisted").state == "active"


def test_a_block_that_matches_nothing_is_an_error() -> None:
    with pytest.raises(
        UnknownNameError, match=r'plugins.block = \["image-qualty"\]: blocks nothing \(did you mean "image-quality"'
    ):
        PluginHost.load(PluginsSection(block=("image-qualty",)), discover=False)


def test_a_requirement_that_is_none_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"plugins\.require"):
        PluginHost.load(PluginsSection(require=("agpis dusty >>",)), discover=False)


def test_a_module_that_cannot_be_loaded_is_named() -> None:
    host = PluginHost.load(PluginsSection(load=("no_such_module_at_all",)), discover=False)

    assert host.statuses[-1].reason == "ModuleNotFoundError: No module named 'no_such_module_at_all'"


def test_no_run_is_planned_without_a_module_that_the_config_names() -> None:
    host = PluginHost.load(PluginsSection(load=("no_such_module_at_all",)), discover=False)

    for plan in (make_plan, make_audit_plan):
        with pytest.raises(PluginLoadError, match="No module named 'no_such_module_at_all'"):
            plan(host, Config())


def test_the_built_in_plugins_come_through_the_same_door() -> None:
    statuses = {status.name: status for status in PluginHost.load(discover=False).statuses}

    assert {"backbones", "builders", "duplicates", "image-quality", "muisc", "noncompliance", "primary"} <= set(
        statuses
    )
    assert statuses["image-quality"].components == ("exact-copies", "image-quality")


class TestAComponent:
    class Settings(ComponentConfig):
        """One number."""

        size: int = 3

    def test_is_created_with_its_validated_settings(self) -> None:
        spec = ImageCheckerSpec(name="sized", factory=f"{__name__}:Sized", config=self.Settings)
        host, _ = status_of(announcing(spec))
        owned = host.named("agpis_image_checkers", "sized", setting="x")

        assert host.create(owned, {"sized": {"size": 5}}).settings == self.Settings(size=5)
        with pytest.raises(ConfigError, match=r'components\.sized: sise: unknown key \(did you mean "size"'):
            host.create(owned, {"sized": {"sise": 5}})

    @pytest.mark.parametrize(
        ("factory", "cause"),
        [
            ("no_such_module_at_all:Checker", "ModuleNotFoundError: No module named"),
            (f"{__name__}:Gone", "AttributeError: module .* has no attribute 'Gone'"),
            (f"{__name__}:Broken", "RuntimeError: no license"),
        ],
    )
    def test_that_cannot_be_made_names_the_plugin_the_cause_and_the_remedy(self, factory: str, cause: str) -> None:
        host, _ = status_of(announcing(ImageCheckerSpec(name="gone", factory=factory)))

        with pytest.raises(
            PluginLoadError, match=rf'odd local \(odd\): component "gone" cannot be made: .*{cause}.*\(mend it, or'
        ):
            host.create(host.named("agpis_image_checkers", "gone", setting="x"), {})

    def test_that_nobody_announces_suggests_the_nearest(self) -> None:
        host, _ = status_of(announcing(checker()))

        with pytest.raises(UnknownNameError, match=r'here = "shyni": no plugin announces it \(did you mean "shiny"'):
            host.named("agpis_image_checkers", "shyni", setting="here")

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"name": "Shiny One"}, "use lower-case letters"),
            ({"factory": "agpis_shiny.checker.Shiny"}, 'is not "package.module:Class"'),
            ({"batch_size": 0}, "batch_size must be at least 1"),
        ],
    )
    def test_with_an_impossible_spec_is_refused_where_it_is_written(self, fields: dict[str, Any], reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            ImageCheckerSpec(**{"name": "shiny", "factory": "a.b:C", **fields})


class Broken:
    def __init__(self, settings: ComponentConfig) -> None:
        raise RuntimeError("no license")


class Sized:
    def __init__(self, settings: ComponentConfig) -> None:
        self.settings = settings
