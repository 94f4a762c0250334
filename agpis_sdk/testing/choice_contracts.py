"""What those of which a run uses one keep to: primary selectors, sequence builders and backbones.

class TestMostColorful(PrimarySelectorContract):
    plugins = (agpis_example.plugin,)
    component = "most-colorful"
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.batches import batches
from agpis_sdk.components import (
    Backbone,
    ComponentConfig,
    Context,
    DecodedImage,
    ImageSequence,
    PrimarySelector,
    SequenceBuilder,
    SequenceBuilderSpec,
    SequenceCandidates,
    SequenceCheckerSpec,
)
from agpis_sdk.hookspecs import hookimpl
from agpis_sdk.records import SequenceVerdict
from agpis_sdk.testing.checking import sequence_of
from agpis_sdk.testing.component import ComponentUnderTest
from agpis_sdk.testing.contracts import (
    VARIETY,
    ComponentContract,
    PipelineContract,
    assert_untouched,
    various_images,
    writable,
)
from agpis_sdk.testing.images import make_image

Facts = Mapping[str, NDArray[Any]]
DIGITS = 4


class PrimarySelectorContract(PipelineContract):
    """A selector of primary images."""

    @classmethod
    def sections(cls) -> dict[str, dict[str, Any]]:
        """Return the sections of a config that name it as the selector."""
        return {**super().sections(), "primary": {"selector": cls.component, "threshold": 0.0}}

    def images(self) -> list[DecodedImage]:
        """Return the images to score: by default ten kinds in two products that share their ids."""
        return various_images()

    def scores(
        self,
        images: Sequence[DecodedImage],
        subject: ComponentUnderTest | None = None,
        *,
        batch_size: int | None = None,
    ) -> list[float]:
        """Return p_primary of images that come in batches of a size, or in one; the context knows all of them, as in a run."""
        subject = subject or self.under_test()
        context = subject.context(images)
        chunks = batches(images, batch_size) if batch_size else [images]
        return [
            round(float(score), DIGITS) for chunk in chunks for score in subject.instance.score_primary(chunk, context)
        ]

    def test_it_is_a_primary_selector(self) -> None:
        assert isinstance(self.under_test().instance, PrimarySelector)

    def test_every_image_gets_one_score_in_0_to_1(self) -> None:
        scores = self.scores(self.images())

        assert len(scores) == len(self.images())
        assert all(0.0 <= score <= 1.0 for score in scores), scores

    def test_it_tells_these_images_apart(self) -> None:
        """Where all score the same, the other tests show little: give `images` some that differ."""
        assert len(set(self.scores(self.images()))) > 1

    def test_a_batch_says_what_its_images_say_one_by_one(self) -> None:
        images = self.images()

        assert self.scores(images) == self.scores(images, batch_size=1)

    def test_the_order_of_images_changes_nothing(self) -> None:
        images = self.images()

        assert self.scores(images[::-1]) == self.scores(images)[::-1]

    def test_it_says_the_same_again_and_when_made_anew(self) -> None:
        first = self.scores(self.images())

        assert self.scores(self.images()) == first
        assert self.scores(self.images(), self.fresh()) == first

    def test_it_leaves_the_pixels_alone(self) -> None:
        images = [writable(image) for image in self.images()]
        before = [image.pixels.copy() for image in images]

        self.scores(images)

        assert_untouched(images, before)

    def test_an_empty_batch_has_no_scores(self) -> None:
        assert self.scores([]) == []


class SequenceBuilderContract(PipelineContract):
    """A builder of target sequences; one that asks for p^t is given that of `BrightnessScorer`."""

    length: ClassVar[int] = 3
    """K^t, the number of images in the sequences that it is asked for."""

    @classmethod
    def hosted(cls) -> Sequence[object]:
        """Return the plugins that its host has beside the built-in ones: its own, and that of a scorer."""
        return (*cls.plugins, BrightnessPlugin())

    @classmethod
    def sections(cls) -> dict[str, dict[str, Any]]:
        """Return the sections of a config that name it as the builder."""
        spec = cls.under_test().spec
        asks = isinstance(spec, SequenceBuilderSpec) and spec.needs_scorer
        sequence = {"builder": cls.component, "scorer": "brightness" if asks else "none", "length": 2}
        return {**super().sections(), "sequence": sequence}

    def candidates(self) -> list[SequenceCandidates]:
        """Return what stage 1 left: a product with two images more than the sequence needs, and one with just enough."""
        left = []
        for seed, (product_id, spare) in enumerate((("P1", 2), ("P2", 0))):
            faults = VARIETY[: self.length + spare]
            images = [
                make_image(fault, product_id=product_id, position=position, seed=seed)
                for position, fault in enumerate(faults)
            ]
            product = sequence_of(images).product
            # The primary image need not be the first that is listed.
            left.append(SequenceCandidates(product=product, primary=images[1], others=(images[0], *images[2:])))
        return left

    def sequences(
        self, candidates: Sequence[SequenceCandidates], subject: ComponentUnderTest | None = None
    ) -> list[tuple[str, tuple[str, ...]]]:
        """Return product id and image ids of what is built of candidates that come in one batch."""
        subject = subject or self.under_test()
        images = [image for one in candidates for image in (one.primary, *one.others)]
        context = subject.context(images, [one.product for one in candidates])
        context.score_with(BrightnessScorer().p_qualified)
        return [(one.product.id, one.ids) for one in subject.instance.build(candidates, self.length, context)]

    def test_it_is_a_sequence_builder(self) -> None:
        assert isinstance(self.under_test().instance, SequenceBuilder)

    def test_every_product_gets_a_sequence(self) -> None:
        candidates = self.candidates()

        built = self.sequences(candidates)

        assert {product_id for product_id, _ in built} == {one.product.id for one in candidates}

    def test_a_sequence_has_the_primary_image_first_and_at_most_its_length_of_different_ones(self) -> None:
        candidates = {one.product.id: one for one in self.candidates()}

        for product_id, ids in self.sequences(list(candidates.values())):
            own = candidates[product_id]
            assert ids[0] == own.primary.id
            assert 1 <= len(ids) == len(set(ids)) <= self.length
            assert set(ids) <= {own.primary.id, *(image.id for image in own.others)}

    def test_a_batch_builds_what_its_products_build_one_by_one(self) -> None:
        candidates = self.candidates()

        assert self.sequences(candidates) == [built for one in candidates for built in self.sequences([one])]

    def test_the_order_of_products_changes_nothing(self) -> None:
        candidates = self.candidates()

        assert sorted(self.sequences(candidates[::-1])) == sorted(self.sequences(candidates))

    def test_it_builds_the_same_again_and_when_made_anew(self) -> None:
        first = self.sequences(self.candidates())

        assert self.sequences(self.candidates()) == first
        assert self.sequences(self.candidates(), self.fresh()) == first

    def test_no_product_builds_nothing(self) -> None:
        assert self.sequences([]) == []


class BackboneContract(ComponentContract):
    """A backbone: what turns pixels into features."""

    def images(self) -> list[DecodedImage]:
        """Return the images to embed: by default ten kinds, of several sizes and shapes, in two products."""
        return various_images()

    def features(self, images: Sequence[DecodedImage], subject: ComponentUnderTest | None = None) -> list[Facts]:
        """Return the facts of images that come in one batch."""
        return list((subject or self.under_test()).instance.features(images))

    def test_it_is_a_backbone(self) -> None:
        assert isinstance(self.under_test().instance, Backbone)

    def test_every_image_gets_the_facts_that_its_spec_provides(self) -> None:
        features = self.features(self.images())

        assert len(features) == len(self.images())
        for facts in features:
            assert self.under_test().spec.provides <= facts.keys()
            assert all(np.isfinite(fact).all() for fact in facts.values())

    def test_the_embedding_is_one_row_and_every_map_has_channels_and_a_grid(self) -> None:
        for facts in self.features(self.images()):
            assert {name: fact.ndim for name, fact in facts.items()} == {
                name: 1 if name == "embedding" else 3 for name in facts
            }
            assert {fact.dtype for fact in facts.values()} == {np.dtype(np.float32)}

    def test_pictures_of_every_size_have_facts_of_one_shape(self) -> None:
        shapes = {tuple((name, facts[name].shape) for name in sorted(facts)) for facts in self.features(self.images())}

        assert len(shapes) == 1, shapes

    def test_it_tells_these_images_apart(self) -> None:
        embeddings = [facts["embedding"] for facts in self.features(self.images())]

        assert not all(np.array_equal(embeddings[0], other) for other in embeddings[1:])

    def test_a_batch_says_what_its_images_say_one_by_one(self) -> None:
        images = self.images()

        assert_same_facts(self.features(images), [facts for image in images for facts in self.features([image])])

    def test_the_order_of_images_changes_nothing(self) -> None:
        images = self.images()

        assert_same_facts(self.features(images[::-1]), self.features(images)[::-1])

    def test_it_says_the_same_again_and_when_made_anew(self) -> None:
        first = self.features(self.images())

        assert_same_facts(self.features(self.images()), first)
        assert_same_facts(self.features(self.images(), self.fresh()), first)

    def test_it_leaves_the_pixels_alone(self) -> None:
        images = [writable(image) for image in self.images()]
        before = [image.pixels.copy() for image in images]

        self.features(images)

        assert_untouched(images, before)

    def test_its_input_is_a_square_array(self) -> None:
        instance = self.under_test().instance

        array = np.asarray(instance.preprocess(self.images()[0].pixels))

        assert array.shape == (3, instance.input_size, instance.input_size)
        assert array.dtype == np.float32

    def test_an_empty_batch_has_no_features(self) -> None:
        assert self.features([]) == []


# ── What the contracts use ───────────────────────────────────────────────────────────────────────────────────────────


class BrightnessScorer:
    """A scorer without a model: p^t falls with the brightness of the images, the later ones counting more."""

    def __init__(self, config: ComponentConfig | None = None) -> None:
        del config

    def p_qualified(self, sequences: Sequence[ImageSequence]) -> list[float]:
        """Return p^t of each sequence."""
        return [self._of(sequence) for sequence in sequences]

    def check_sequences(self, sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        """Yield one verdict per sequence."""
        del context
        for sequence in sequences:
            yield SequenceVerdict(product_id=sequence.product.id, sequence=sequence.ids, p_qualified=self._of(sequence))

    @staticmethod
    def _of(sequence: ImageSequence) -> float:
        weights = np.arange(1, len(sequence.images) + 1)
        brightness = np.array([image.pixels.mean() / 255 for image in sequence.images])
        return float(1 - (weights * brightness).sum() / weights.sum())


class BrightnessPlugin:
    """Announces the scorer `brightness`."""

    @hookimpl
    def agpis_sequence_checkers(self) -> Iterable[SequenceCheckerSpec]:
        """Announce the scorer."""
        yield SequenceCheckerSpec(
            name="brightness", factory=f"{__name__}:{BrightnessScorer.__name__}", gives_probability=True
        )


def assert_same_facts(found: Sequence[Facts], expected: Sequence[Facts]) -> None:
    """Fail, naming the fact, where facts of images differ by more than 0.0001."""
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            assert np.allclose(one[name], other[name], rtol=0, atol=10**-DIGITS), f'fact "{name}" differs'
