"""Settings: where they come from, which one wins, and what is said of a wrong one (agpis_sdk/config/)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import Field

from agpis_sdk.components import ComponentConfig
from agpis_sdk.config import Config, config_schema, flatten, load_config, validate
from agpis_sdk.errors import ConfigError

PROFILE = ("four", {"sequence": {"length": 4, "threshold": 0.6}})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which no config file stands above a test's own."""
    (tmp_path / "agpis.toml").write_text("")
    return tmp_path


def write(folder: Path, text: str, name: str = "agpis.toml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def refused(folder: Path, text: str, **options: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(write(folder, text), **options)
    return str(caught.value)


class TestPrecedence:
    def test_without_anything_the_defaults_hold(self, folder: Path) -> None:
        loaded = load_config(directory=folder)

        assert loaded.config == Config()
        assert loaded.origins == {}
        assert (loaded.config.sequence.length, loaded.config.sequence.threshold, loaded.config.primary.threshold) == (
            3,
            0.3,
            0.05,
        )

    def test_a_profile_beats_the_default(self, folder: Path) -> None:
        loaded = load_config(directory=folder, profile=PROFILE)

        assert loaded.config.sequence.length == 4
        assert loaded.origins["sequence.length"] == "profile four"

    def test_the_file_beats_the_profile(self, folder: Path) -> None:
        path = write(folder, "[sequence]\nlength = 5\n")

        loaded = load_config(directory=folder, profile=PROFILE)

        assert (loaded.config.sequence.length, loaded.config.sequence.threshold) == (5, 0.6)
        assert loaded.origins == {"sequence.length": str(path), "sequence.threshold": "profile four"}

    def test_set_beats_the_file(self, folder: Path) -> None:
        write(folder, "[sequence]\nlength = 5\n")

        loaded = load_config(directory=folder, profile=PROFILE, overrides=["sequence.length=2"])

        assert loaded.config.sequence.length == 2
        assert loaded.origins["sequence.length"] == "--set"

    def test_of_two_sets_the_last_one_holds(self, folder: Path) -> None:
        assert load_config(directory=folder, overrides=["run.seed=1", "run.seed=2"]).config.run.seed == 2


class TestSet:
    @pytest.mark.parametrize(
        ("override", "value"),
        [
            ("sequence.builder=listed", "listed"),
            ('sequence.builder="listed"', "listed"),
            ("sequence.builder = listed ", "listed"),
            ("sequence.length=4", 4),
            ("sequence.threshold=0.5", 0.5),
            ('rules.select=["AGP1", "banner"]', ["AGP1", "banner"]),
            ("plugins.strict=true", True),
            ("rules.thresholds.AGP119=0.9", 0.9),
            ("components.image-quality.min_side=300", 300),
        ],
    )
    def test_takes_toml_values_and_plain_words(self, folder: Path, override: str, value: object) -> None:
        loaded = load_config(directory=folder, overrides=[override])

        assert flatten(loaded.config)[override.partition("=")[0].strip()] == value

    @pytest.mark.parametrize("override", ["sequence.length", "=4", ""])
    def test_without_key_and_value_is_refused_with_an_example(self, folder: Path, override: str) -> None:
        with pytest.raises(ConfigError, match=r"is not key=value .*for example --set sequence.length=4"):
            load_config(directory=folder, overrides=[override])


class TestTheFile:
    def test_is_looked_for_upwards(self, folder: Path) -> None:
        write(folder, "[run]\nseed = 7\n")
        below = folder / "shop" / "photos"
        below.mkdir(parents=True)

        assert load_config(directory=below).config.run.seed == 7

    def test_of_a_folder_above_loads_no_code_unless_it_is_named(self, folder: Path) -> None:
        path = write(folder, '[plugins]\nload = ["some_module"]\n')
        below = folder / "shop"
        below.mkdir()

        with pytest.raises(ConfigError, match=r"plugins\.load: would load local plugins.*to allow it: --config "):
            load_config(directory=below)
        assert load_config(directory=folder).config.plugins.load == ("some_module",)
        assert load_config(path, directory=below).config.plugins.load == ("some_module",)

    def test_may_be_a_section_of_pyproject(self, tmp_path: Path) -> None:
        path = write(tmp_path, '[project]\nname = "shop"\n\n[tool.agpis.run]\nseed = 7\n', "pyproject.toml")

        loaded = load_config(directory=tmp_path)

        assert loaded.config.run.seed == 7
        assert loaded.origins == {"run.seed": str(path)}

    def test_of_its_own_comes_before_pyproject(self, folder: Path) -> None:
        write(folder, "[tool.agpis.run]\nseed = 7\n", "pyproject.toml")

        assert load_config(directory=folder).config.run.seed == 0

    @pytest.mark.parametrize("text", ['[project]\nname = "shop"\n', "[tool.agpis-other]\nseed = 1\n"])
    def test_a_pyproject_without_the_section_is_passed_over(self, folder: Path, text: str) -> None:
        write(folder, "[run]\nseed = 7\n")
        (folder / "shop").mkdir()
        write(folder / "shop", text, "pyproject.toml")

        assert load_config(directory=folder / "shop").config.run.seed == 7

    def test_that_is_missing_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read: No such file.*check --config"):
            load_config(tmp_path / "gone.toml")

    def test_that_is_no_toml_is_named_with_the_line(self, folder: Path) -> None:
        assert "agpis.toml: is not TOML: " in refused(folder, "[run\n")


class TestAnUnknownKey:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[sequnce]\nlength = 4\n", 'sequnce: unknown key (did you mean "sequence"?)'),
            ("[sequence]\nlenght = 4\n", 'sequence.lenght: unknown key (did you mean "length"?)'),
            ("[media]\nmax_pixel = 4\n", 'media.max_pixel: unknown key (did you mean "max_pixels"?)'),
            (
                "[run]\nzzz = 4\n",
                "run.zzz: unknown key (known: batch_size, cache, cache_bytes, device, hold_unjudged, max_failures, seed, threads, workers)",
            ),
        ],
    )
    def test_is_answered_with_the_nearest_one(self, folder: Path, text: str, message: str) -> None:
        assert message in refused(folder, text)

    def test_in_set_is_answered_too(self, folder: Path) -> None:
        assert 'did you mean "length"?' in refused(folder, "", overrides=["sequence.lenght=4"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[sequence]\nlength = 0\n", "sequence.length: Input should be greater than or equal to 1, got 0"),
        ("[sequence]\nthreshold = 1.5\n", "sequence.threshold: Input should be less than or equal to 1, got 1.5"),
        ('[sequence]\nlength = "three"\n', "sequence.length: Input should be a valid integer"),
        ("sequence = 3\n", "sequence: Input should be a valid dictionary"),
        ('[rules]\nselect = "AGP1"\n', "rules.select: Input should be a valid tuple"),
        ("[components]\nimage-quality = 3\n", "components.image-quality: Input should be a valid dictionary"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(folder: Path, text: str, message: str) -> None:
    assert message in refused(folder, text)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "rules.thresholds.AGP119=5",
            "AGP119: Input should be less than or equal to 1, got 5 (a number, at least 0 and at",
        ),
        ("rules.thresholds.AGP119=-0.1", "rules.thresholds.AGP119: Input should be greater than or equal to 0"),
        ("rules.thresholds.AGP119=nan", "rules.thresholds.AGP119: Input should be a finite number, got nan"),
        (
            "primary.threshold=nan",
            "primary.threshold: Input should be a finite number, got nan (a number, at least 0 and",
        ),
        ("media.timeout=inf", "media.timeout: Input should be a finite number, got inf (a number, above 0"),
        ("media.timeout=nan", "media.timeout: Input should be a finite number, got nan"),
        ("media.timeout=0", "media.timeout: Input should be greater than 0, got 0"),
        ("run.threads=0", "run.threads: Input should be greater than or equal to 1, got 0 (a number, at least 1)"),
    ],
)
def test_a_number_out_of_range_is_refused_with_its_range(folder: Path, override: str, message: str) -> None:
    assert message in refused(folder, "", overrides=[override])


def test_a_component_refuses_what_is_no_finite_number() -> None:
    class Settings(ComponentConfig):
        limit: float = 1.0

    with pytest.raises(ConfigError, match="limit: Input should be a finite number, got inf"):
        validate(Settings, {"limit": float("inf")}, item="components.odd")


class TestAFileThatHoldsNoTableOfSettings:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("tool = 3\n", '"tool" is 3, not a table (write the settings under [tool.agpis])'),
            ("[tool]\nagpis = 3\n", '"tool.agpis" is 3, not a table'),
            ("[[tool]]\nagpis = 3\n", "not a table"),
        ],
    )
    def test_is_named_with_what_stands_there(self, tmp_path: Path, text: str, message: str) -> None:
        with pytest.raises(ConfigError) as caught:
            load_config(write(tmp_path, text, "pyproject.toml"))

        assert message in str(caught.value)

    def test_is_found_where_it_is_looked_for(self, tmp_path: Path) -> None:
        write(tmp_path, "[tool]\nagpis = 3\n", "pyproject.toml")

        with pytest.raises(ConfigError, match=r'"tool\.agpis" is 3'):
            load_config(directory=tmp_path)

    def test_settings_as_a_key_of_tool_are_found_too(self, tmp_path: Path) -> None:
        write(tmp_path, "[tool]\nagpis.run.seed = 7\n", "pyproject.toml")

        assert load_config(directory=tmp_path).config.run.seed == 7


class TestDeepNesting:
    @pytest.mark.parametrize("text", ["a = " + "[" * 5000, "[a" + ".a" * 3000 + "]\nb = 1\n"])
    def test_in_a_file_is_refused(self, folder: Path, text: str) -> None:
        assert "agpis.toml: is nested deeper than 20 levels" in refused(folder, text)

    @pytest.mark.parametrize("override", ["a=" + "[" * 5000, "a" + ".a" * 3000 + "=1"])
    def test_on_the_command_line_is_refused_in_a_short_message(self, folder: Path, override: str) -> None:
        message = refused(folder, "", overrides=[override])

        assert "is nested deeper than 20 levels" in message
        assert len(message) < 200


class TestTheSchema:
    class Settings(ComponentConfig):
        """Settings of a component."""

        size: int = 3

    def test_accepts_what_the_config_accepts(self) -> None:
        schema = config_schema({"looker": self.Settings})
        settings = {"sequence": {"length": 4}, "rules": {"select": ["AGP1"]}, "components": {"looker": {"size": 4}}}

        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(settings, schema)
        jsonschema.validate(Config().model_dump(mode="json"), schema)

    @pytest.mark.parametrize(
        "settings",
        [
            {"sequnce": {}},
            {"sequence": {"lenght": 4}},
            {"sequence": {"length": 0}},
            {"components": {"loker": {}}},
            {"components": {"looker": {"sise": 4}}},
        ],
    )
    def test_refuses_what_the_config_refuses(self, settings: dict[str, Any]) -> None:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(settings, config_schema({"looker": self.Settings}))

    def test_keeps_two_settings_models_of_one_name_apart(self) -> None:
        one = type("Settings", (ComponentConfig,), {"__annotations__": {"size": int}, "size": 1})
        two = type("Settings", (ComponentConfig,), {"__annotations__": {"weight": int}, "weight": 1})

        schema = config_schema({"one": one, "two": two})

        jsonschema.validate({"components": {"one": {"size": 1}, "two": {"weight": 2}}}, schema)


def test_every_setting_says_what_it_is_for() -> None:
    sections = [field.annotation for field in Config.model_fields.values() if hasattr(field.annotation, "model_fields")]

    assert len(sections) == 11
    for section in sections:
        for name, field in section.model_fields.items():  # type: ignore[union-attr]
            assert field.description, f"{section}.{name}"


def test_a_wrong_key_in_a_table_of_tables_is_answered_with_the_keys_there() -> None:
    class Inner(ComponentConfig):
        sentence: str = ""

    class Outer(ComponentConfig):
        rules: dict[str, Inner] = Field(default_factory=dict)

    with pytest.raises(ConfigError, match=r'rules\.one\.sentense: unknown key \(did you mean "sentence"\?\)'):
        validate(Outer, {"rules": {"one": {"sentense": "No hands."}}}, item="outer")


def test_a_wrong_key_is_told_with_the_file_that_it_stands_in(tmp_path: Path) -> None:
    path = tmp_path / "agpis.toml"
    path.write_text("[sequnce]\nlength = 4\n")

    with pytest.raises(ConfigError, match=r"agpis\.toml: sequnce: unknown key"):
        load_config(path)
    with pytest.raises(ConfigError, match=r"--set: sequence\.lenght: unknown key"):
        load_config(overrides=["sequence.lenght=4"], directory=tmp_path / "none")
