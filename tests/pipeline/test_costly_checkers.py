"""A costly checker comes last: it is spared what other rules have settled already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.components import Context, DecodedImage
from agpis_sdk.config import Config
from agpis_sdk.errors import ConfigError
from agpis_sdk.pipeline.audit import Audit
from agpis_sdk.pipeline.image_facts import image_facts
from agpis_sdk.records import Product
from tests.pipeline.fakes import BAD, NOTE, CheckImages, Stand, flag, product


class Watcher:
    """An image check that finds nothing and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def check(self, images: Sequence[DecodedImage], context: Context) -> list[Any]:
        self.shown += [f"{image.product_id}/{image.id}" for image in images]
        return []


def stand(watcher: Watcher, other: CheckImages, **fields: Any) -> Stand:
    costly = Stand().image_checker(watcher.check, name="a-costly-one", rules=[NOTE], costly=True)
    return costly.image_checker(other, name="other", rules=[BAD], **fields)


def test_it_is_not_shown_what_another_rule_removed(gallery: Path) -> None:
    watcher = Watcher()

    stand(watcher, flag({"b": 1.0})).run_one(product(gallery, "abcd"))

    assert watcher.shown == ["P1/a", "P1/c", "P1/d"]


def test_it_is_not_shown_what_p_nc_removed(gallery: Path) -> None:
    def look(images: Sequence[DecodedImage], context: Context) -> list[Any]:
        for image in images:
            context.provide(image, "p_noncompliant", float(image.id == "c"))
        return []

    watcher = Watcher()

    stand(watcher, look, provides=frozenset({"p_noncompliant"})).run_one(product(gallery, "abcd"))

    assert watcher.shown == ["P1/a", "P1/b", "P1/d"]


def test_it_is_not_shown_products_that_cannot_get_a_sequence(gallery: Path) -> None:
    watcher = Watcher()
    products = [product(gallery, "abc", "P1"), product(gallery, "acde", "P2")]

    first, second = stand(watcher, flag({"b": 1.0})).run(products)

    assert (first.status, second.status) == ("none", "submit")
    assert watcher.shown == ["P2/a", "P2/c", "P2/d", "P2/e"]


def test_what_it_removes_is_removed(gallery: Path) -> None:
    made = Stand().image_checker(flag({"b": 1.0}), rules=[BAD], costly=True)

    assert made.run_one(product(gallery, "abcd")).sequence == ("a", "c", "d")


def test_an_audit_shows_it_the_whole_gallery(gallery: Path) -> None:
    watcher = Watcher()
    host = stand(watcher, flag({"b": 1.0})).host()
    audit = Audit(Config.model_validate({"backbone": {"name": "plain"}, "media": {"allow_outside": True}}), host=host)

    (found,) = audit.run([product(gallery, "abc")])

    assert watcher.shown == ["P1/a", "P1/b", "P1/c"]
    assert [finding.images for finding in found.findings] == [("b",)]


def test_its_facts_are_computed_for_training(gallery: Path) -> None:
    def provide(images: Sequence[DecodedImage], context: Context) -> list[Any]:
        for image in images:
            context.provide(image, "fakes.size", image.byte_count)
        return []

    made = Stand().image_checker(provide, rules=[NOTE], costly=True, provides=frozenset({"fakes.size"}))
    config = Config.model_validate({"backbone": {"name": "plain"}, "media": {"allow_outside": True}})

    (known,) = image_facts(
        [Product.model_validate(product(gallery))], frozenset({"fakes.size"}), host=made.host(), config=config
    )

    assert list(known.images) == ["a", "b", "c"]


def test_no_other_component_may_wait_for_its_facts(gallery: Path) -> None:
    watcher = Watcher()
    made = Stand().image_checker(watcher.check, rules=[NOTE], costly=True, provides=frozenset({"fakes.size"}))
    made.image_checker(flag({}), name="other", rules=[BAD], requires=frozenset({"fakes.size"}))

    with pytest.raises(ConfigError, match="provides only later in the run"):
        made.run_one(product(gallery))
