"""What components gave about images and pairs, and whole outcomes, kept from one run to the next (`run.cache`).

An entry is found by the content of the files and by all that the result depends on: another weight, setting, version or
byte is another key. What is found is replayed as if the component had given it now; so outcomes do not depend on the cache.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from agpis_sdk.components import AttributedFinding, DecodedImage, ImagePair
from agpis_sdk.media.metadata import suffix_of
from agpis_sdk.pipeline.context import RunContext
from agpis_sdk.pipeline.guard import Component, Failure, Guard
from agpis_sdk.pipeline.result_cache.identity import Identities, digest
from agpis_sdk.pipeline.result_cache.packing import UnpackableError, packed, unpacked
from agpis_sdk.pipeline.result_cache.store import EntryStore
from agpis_sdk.pipeline.result_cache.undecoded import UndecodedImage, description
from agpis_sdk.records import Outcome, Product, Unjudged

Item = TypeVar("Item", DecodedImage, ImagePair)
Found = tuple[list[Any], list[Failure[Item]]]
LABEL = "result cache"
WITHOUT_RESULT = frozenset({"AGP901", "AGP902", "AGP903", "AGP904"})  # something failed, and may not fail again


class ResultCache:
    """The results of a run's components, kept in a store; `always_run` are image checkers that see every image."""

    def __init__(self, store: EntryStore, identities: Identities, always_run: Sequence[str]) -> None:
        self._store = store
        self._identities = identities
        self._always_run = always_run
        # Of images as they were read: a changed copy of one has the same digest of its file, but no key.
        self._keys: WeakKeyDictionary[DecodedImage, bytes] = WeakKeyDictionary()
        self._unkept: dict[str, str] = {}

    def notices(self) -> list[str]:
        """Return what went wrong, a line for people each."""
        unkept = [f"{label} is not kept in run.cache: {why}" for label, why in self._unkept.items()]
        return [*self._store.problems, *unkept]

    # ── images ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def undecoded(
        self, data: bytes, uri: str, place: Mapping[str, Any], decode: Callable[[], DecodedImage]
    ) -> UndecodedImage | None:
        """Return an image without decoding it, where all is known that needs its pixels; called from many threads."""
        key = self._key_of(hashlib.sha256(data).hexdigest(), suffix_of(uri))
        needed = [digest(self._identities.components.get(name, b""), key) for name in self._always_run]
        known = self._load([key]).get(key) if self._store.has([key, *needed]) else None
        return UndecodedImage.of({**known, **place}, decode) if known is not None else None

    def take_in(self, images: Iterable[DecodedImage]) -> None:
        """Note which images there are, and keep what is known of those that have been decoded."""
        entries = {}
        for image in images:
            key = self._keys[image] = self._key_of(image.sha256, image.suffix)
            if not isinstance(image, UndecodedImage):
                entries[key] = packed(description(image))
        self._store.put(entries)

    def _key_of(self, sha256: str, suffix: str) -> bytes:
        return digest(self._identities.decoding, sha256, suffix)

    # ── what components give ─────────────────────────────────────────────────────────────────────────────────────────

    def call(
        self,
        component: Component,
        items: Sequence[Item],
        context: RunContext,
        guard: Guard,
        run: Callable[[Sequence[Item]], Found[Item]],
    ) -> Found[Item]:
        """Run a component on the items about which nothing is known, and return what it gave about all of them."""
        identity = self._identities.components.get(component.name)
        if identity is None or guard.dropped(component):
            return run(items)
        started = time.perf_counter()
        keys = {_name(item): key for item in items if (key := self._item_key(identity, item)) is not None}
        kept = self._load(list(keys.values()))
        known = {name: kept[key] for name, key in keys.items() if key in kept}
        guard.spent(LABEL, started)
        fresh = [item for item in items if _name(item) not in known]
        results, failures = run(fresh)
        started = time.perf_counter()
        self._keep(component, {_name(item): item for item in fresh}, keys, context, results, failures)
        view = context.for_component(component.owned.spec)
        dropped = False  # after that, it would have been skipped on what is known too
        for item in items:
            if _name(item) in known:
                if dropped:
                    failures.append(guard.skipped(component, item))
                else:
                    results += _replayed(item, known[_name(item)], view)
            dropped = dropped or item is guard.dropped_at.get(component.label)
        places = {_name(item): place for place, item in enumerate(items)}
        failures.sort(key=lambda failure: places[_name(failure.item)])
        guard.cached[component.label] += len(known)
        guard.spent(LABEL, started)
        return results, failures

    def _keep(
        self,
        component: Component,
        fresh: Mapping[Any, DecodedImage | ImagePair],
        keys: Mapping[Any, bytes],
        context: RunContext,
        results: Sequence[Any],
        failures: Sequence[Failure[Any]],
    ) -> None:
        given: dict[Any, list[dict[str, Any]]] = {name: [] for name in fresh if name in keys}
        for failure in failures:
            given.pop(_name(failure.item), None)
        for result in results:
            name = (result.product_id, frozenset(result.images)) if hasattr(result, "images") else None
            if isinstance(result, Unjudged):
                given.pop(name, None)
            elif name in given:
                given[name].append(result.model_dump(mode="json", exclude={"product_id"}))
        entries = {}
        for name, findings in given.items():
            item = fresh[name]
            facts = _facts(item, component, context) if isinstance(item, DecodedImage) else {}
            try:
                entries[keys[name]] = packed({"facts": facts, "findings": findings})
            except UnpackableError as error:
                self._unkept[component.label] = f"it gives {error}"
        self._store.put(entries)

    def _item_key(self, identity: bytes, item: DecodedImage | ImagePair) -> bytes | None:
        """Return an item's key; None for images that were not read from a file of this run."""
        if isinstance(item, DecodedImage):
            return digest(identity, self._keys[item]) if item in self._keys else None
        pair = (item.first, item.second)
        # Messages about pairs name their images.
        return (
            digest(identity, *((self._keys[one], one.id) for one in pair))
            if all(one in self._keys for one in pair)
            else None
        )

    def _load(self, keys: Sequence[bytes]) -> dict[bytes, Any]:
        found = {}
        for key, data in self._store.get(keys).items():
            try:
                found[key] = unpacked(data)
            except UnpackableError:  # of another version that shares the key by no honest way: a miss
                continue
        return found

    # ── whole outcomes ───────────────────────────────────────────────────────────────────────────────────────────────

    def outcomes(self, products: Mapping[str, tuple[Product, Sequence[DecodedImage]]]) -> dict[str, Outcome]:
        """Return the outcomes that are known, by product id."""
        keys = {name: key for name, read in products.items() if (key := self._outcome_key(*read)) is not None}
        kept = self._store.get(list(keys.values()))
        return {name: Outcome.model_validate_json(kept[key]) for name, key in keys.items() if key in kept}

    def keep_outcomes(
        self, products: Mapping[str, tuple[Product, Sequence[DecodedImage]]], outcomes: Mapping[str, Outcome]
    ) -> None:
        """Keep outcomes of products for which nothing failed."""
        entries = {}
        for name, outcome in outcomes.items():
            key = self._outcome_key(*products[name])
            whole = outcome.status != "failed" and WITHOUT_RESULT.isdisjoint(one.code for one in outcome.findings)
            if key is not None and whole:
                entries[key] = outcome.model_dump_json().encode()
        self._store.put(entries)

    def _outcome_key(self, product: Product, images: Sequence[DecodedImage]) -> bytes | None:
        if self._identities.outcome is None or not all(image in self._keys for image in images):
            return None
        read = [(image.id, self._keys[image]) for image in images]
        return digest(self._identities.outcome, product.model_dump(mode="json"), read)


def _facts(image: DecodedImage, component: Component, context: RunContext) -> dict[str, Any]:
    names = sorted(component.owned.spec.provides)
    return {name: context.known(image, name) for name in names if context.has_facts(image, [name])}


def _replayed(item: DecodedImage | ImagePair, kept: Mapping[str, Any], view: RunContext) -> list[AttributedFinding]:
    """Provide the facts about an item, and return its findings."""
    findings = kept["findings"]
    if isinstance(item, ImagePair):
        return [AttributedFinding.model_validate({**one, "product_id": item.first.product_id}) for one in findings]
    for name, value in kept["facts"].items():
        view.provide(item, name, value)
    return [
        AttributedFinding.model_validate(
            {
                **one,
                "product_id": item.product_id,
                "images": [item.id],
                "regions": [{**region, "image": item.id} for region in one["regions"]],
            }
        )
        for one in findings
    ]


def _name(item: DecodedImage | ImagePair) -> tuple[str, frozenset[str]]:
    """Return what results name an item by: its product and the ids of its images."""
    if isinstance(item, DecodedImage):
        return item.product_id, frozenset([item.id])
    return item.first.product_id, frozenset([item.first.id, item.second.id])
