"""Verify candidate pairs on their pixels: both files are read again and shown to the pair checkers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace

from agpis_sdk.components import AttributedFinding, DecodedImage, ImagePair
from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError
from agpis_sdk.index.engine import IndexEngine
from agpis_sdk.index.records import IndexedImage, Repeat, RepeatedImage
from agpis_sdk.media.decode import decode_image
from agpis_sdk.media.sources import masked, read_image_bytes
from agpis_sdk.records import CandidateImage, Product

IMAGES_AT_ONCE = 256  # whose pixels and facts are held in memory, some 2 MB each

Key = tuple[str, str]
Problems = dict[str, str]  # the image or pair that could not be compared, and why


@dataclass(frozen=True)
class Candidate:
    """Two images that may show the same picture, and their cosine."""

    first: IndexedImage
    second: IndexedImage
    similarity: float

    @classmethod
    def of_other_products(
        cls, first: Sequence[IndexedImage], second: Sequence[IndexedImage], similarity: float
    ) -> Candidate:
        """Return the first two images of two pictures that belong to different products, sorted by name."""
        one, other = next((one, other) for one in first for other in second if one.product_id != other.product_id)
        if (other.product_id, other.id) < (one.product_id, one.id):
            one, other = other, one
        return cls(one, other, similarity)


def verify_candidates(
    found: Iterable[Candidate],
    engine: IndexEngine,
    problems: Problems,
    progress: Callable[[int], None] | None = None,
) -> Iterator[tuple[Candidate, Repeat]]:
    """Yield the candidates that are repeats.

    What could not be compared is recorded in `problems`: an image that is gone or has changed since it was added, a
    pair on which a checker failed. `progress` is called with how many candidates have been compared.
    """
    done = 0
    with ThreadPoolExecutor(engine.config.run.threads, thread_name_prefix="agpis-decode") as executor:
        for batch in _batches(found):
            decoded = _load(batch, engine.config.media, executor, problems)
            there = [one for one in batch if _key(one.first) in decoded and _key(one.second) in decoded]
            pairs = [ImagePair(decoded[_key(one.first)], decoded[_key(one.second)]) for one in there]
            judgment = engine.judge(pairs, _products(there))
            for number, candidate in enumerate(there):
                if number in judgment.findings:
                    yield candidate, _repeat(candidate, judgment.findings[number])
                elif number in judgment.failures:
                    pair = f"{candidate.first.name} and {candidate.second.name}"
                    problems[pair] = judgment.failures[number]
            done += len(batch)
            if progress is not None:
                progress(done)


def _batches(found: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """Yield candidates in order, as many at a time as `IMAGES_AT_ONCE` images make."""
    batch: list[Candidate] = []
    images: set[Key] = set()
    for candidate in found:
        both = {_key(candidate.first), _key(candidate.second)}
        if batch and len(images | both) > IMAGES_AT_ONCE:
            yield batch
            batch, images = [], set()
        batch.append(candidate)
        images |= both
    if batch:
        yield batch


def _load(
    batch: Iterable[Candidate], limits: MediaSection, executor: Executor, problems: Problems
) -> dict[Key, DecodedImage]:
    """Read and decode the images of candidates, named so that no two of a pair have the same id."""
    images = {_key(image): image for candidate in batch for image in (candidate.first, candidate.second)}
    wanted = [image for image in images.values() if image.name not in problems]
    decoded: dict[Key, DecodedImage] = {}
    for image, result in zip(wanted, executor.map(lambda image: _decode(image, limits), wanted), strict=True):
        if isinstance(result, str):
            problems[image.name] = result
        else:
            decoded[_key(image)] = replace(result, id=image.name)
    return decoded


def _decode(image: IndexedImage, limits: MediaSection) -> DecodedImage | str:
    try:
        data = read_image_bytes(image.uri, limits)
        decoded = decode_image(data, product_id=image.product_id, image_id=image.id, position=0, limits=limits)
    except ImageReadError as error:
        return str(error)
    if decoded.sha256 != image.sha256:
        return f"{masked(image.uri)} has changed since it was added; add its product again"
    return decoded


def _products(found: Iterable[Candidate]) -> list[Product]:
    """Return the products of candidates with those of their images that are compared: the index knows no more of them."""
    images: dict[str, dict[str, CandidateImage]] = {}
    for candidate in found:
        for image in (candidate.first, candidate.second):
            name = image.name
            images.setdefault(image.product_id, {})[name] = CandidateImage(id=name, uri=image.uri)
    return [Product(id=product_id, images=tuple(listed.values())) for product_id, listed in images.items()]


def _repeat(candidate: Candidate, finding: AttributedFinding) -> Repeat:
    boxes = {region.image: region.box for region in finding.regions}
    first, second = (
        RepeatedImage(product_id=image.product_id, id=image.id, box=boxes.get(image.name))
        for image in (candidate.first, candidate.second)
    )
    return Repeat(
        first=first,
        second=second,
        code=finding.code,
        name=finding.name,
        score=round(finding.score, 4),
        similarity=round(candidate.similarity, 4),
        message=finding.message,
    )


def _key(image: IndexedImage) -> Key:
    return (image.product_id, image.id)
