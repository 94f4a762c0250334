"""The settings of a run: every section one model, with the defaults."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

SCHEME = re.compile(r"[a-z][a-z0-9+.-]+")

Score = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A section of the config: frozen, and an unknown key is an error."""

    # Neither NaN nor infinity is a setting: a limit of inf is none, and no comparison with NaN holds.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RunSection(Section):
    """How a run runs."""

    batch_size: int = Field(default=16, ge=1, description="Products in one micro-batch.")
    threads: int = Field(default=2, ge=1, description="Threads that read and decode images, in each worker.")
    workers: int = Field(
        default=1,
        ge=0,
        description="Processes that share `agpis run` on this machine, each with its models and a micro-batch at a time; 0 is one "
        "per core. Outcomes are the same whatever their number.",
    )
    seed: int = Field(default=0, description="Seed of everything random; mixed with the product id.")
    device: str = Field(default="cpu", description="torch device that models run on.")
    max_failures: int = Field(
        default=20, ge=1, description="A component that has failed on this many items is dropped for the run."
    )
    cache: str = Field(
        default="",
        description='Folder that keeps what components found about images between runs; "auto" is the user\'s cache folder, '
        "empty keeps nothing. Outcomes are the same with it and without.",
    )
    cache_bytes: int = Field(
        default=10_000_000_000, ge=1, description="Bytes in run.cache; beyond, what was not used for longest goes."
    )
    hold_unjudged: bool = Field(
        default=True,
        description="Hold a product that a checker of an error rule could not judge; false submits it by p^t alone.",
    )


class MediaSection(Section):
    """How image bytes come in, and what is refused."""

    working_side: int = Field(
        default=512, ge=64, description="Images are decoded to at most this long side, in pixels."
    )
    max_images: int = Field(
        default=100, ge=1, description="Images of one product that are looked at, the first listed ones."
    )
    max_bytes: int = Field(default=64_000_000, ge=1, description="Files beyond this many bytes are not read.")
    max_pixels: int = Field(default=64_000_000, ge=1, description="Images beyond width x height are not decoded.")
    max_decoded: int = Field(
        default=512_000_000,
        ge=1,
        description="Bytes of decoded images in one micro-batch, of which two are in memory; it has fewer products where "
        "these have many images, but at least one.",
    )
    timeout: float = Field(
        default=20.0,
        gt=0,
        le=3600,
        description="Seconds for a remote file as a whole: look-up, redirects, retries and the last byte.",
    )
    retries: int = Field(
        default=2, ge=0, le=10, description="Further attempts after HTTP 429, 5xx and connections that break off."
    )
    connections_per_host: int = Field(default=6, ge=1, description="Connections that one host has to bear at a time.")
    cache: str = Field(
        default="",
        description="Folder that keeps remote images between runs (extra cache); nothing is kept where it is empty.",
    )
    schemes: tuple[str, ...] = Field(
        default=("file", "http", "https"),
        description="Schemes of uris that are read, paths aside; s3, gs, az and others need their fsspec package.",
    )
    allow_outside: bool = Field(
        default=False, description="Read files that are not below the folder of the file that lists them."
    )
    allow_private: bool = Field(
        default=False,
        description="Fetch from addresses that are not of the public internet: loopback, private, metadata.",
    )

    @field_validator("schemes")
    @classmethod
    def _schemes_are_names(cls, schemes: tuple[str, ...]) -> tuple[str, ...]:
        """Write schemes in lower case; refuse what is none, and what would read any file of this machine."""
        lowered = tuple(scheme.lower() for scheme in schemes)
        for scheme in lowered:
            if not SCHEME.fullmatch(scheme):
                raise ValueError(f'"{scheme}" is no scheme; write it without colon, as in ["file", "https", "s3"]')
            if scheme == "local":
                raise ValueError('"local" reads any file; use "file" and media.allow_outside')
        return lowered


class BackboneSection(Section):
    """Which backbone turns pixels into features."""

    name: str = Field(default="efficientnet-lite0", description="A backbone that some plugin announces.")


class PrimarySection(Section):
    """How the primary image is chosen (paper section 3.3.1)."""

    selector: str = Field(default="primary", description="A primary selector that some plugin announces.")
    threshold: float = Field(default=0.05, ge=0, le=1, description="p_primary must reach this, or the product ends.")
    margin: float = Field(
        default=0.25,
        ge=0,
        le=1,
        description="Of images whose p_primary is by no larger share below the largest, the first listed wins.",
    )


class NoncomplianceSection(Section):
    """Which images hold content that their rules forbid (paper section 3.3.1)."""

    threshold: float = Field(
        default=0.5, ge=0, le=1, description="An image whose p_nc reaches this is never in a sequence."
    )
    doubt: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="An image whose p_nc reaches this (two thirds of it beside a non-compliant image of the product) is in a "
        "sequence only where too few others are left; 1 doubts none.",
    )


class SequenceSection(Section):
    """How the target sequence is built and judged (paper sections 3.3.2 and 3.4)."""

    length: int = Field(default=3, ge=1, description="K^t, the number of images that a sequence should have.")
    min_length: int = Field(
        default=1,
        ge=0,
        description="Fewest images of a sequence where fewer are usable; 0 asks for the whole length, as the paper does.",
    )
    builder: str = Field(default="search", description="A sequence builder that some plugin announces.")
    scorer: str = Field(default="muisc", description='The sequence checker that gives p^t; "none" runs stage 1 alone.')
    threshold: float = Field(default=0.3, ge=0, le=1, description="th^t: submit from this p^t on (paper section 5.1).")

    @property
    def fewest(self) -> int:
        """The fewest images that a sequence may have."""
        return min(self.min_length, self.length) or self.length


class RulesSection(Section):
    """Which rules are reported, and from which score on."""

    select: tuple[str, ...] = Field(default=(), description="Codes, names or code prefixes; empty means all.")
    ignore: dict[str, str] = Field(default_factory=dict, description="Code, name or prefix, and the reason why.")
    thresholds: dict[str, Score] = Field(
        default_factory=dict, description="Code or name, and the score from which on, 0 to 1."
    )
    severities: dict[str, Literal["error", "warning"]] = Field(
        default_factory=dict, description='Code or name, and "error" or "warning" in place of the rule\'s own severity.'
    )


class IndexSection(Section):
    """How `agpis index` finds one picture under several products."""

    neighbors: int = Field(default=10, ge=1, description="Pictures of other products that are compared with each.")
    min_similarity: float = Field(
        default=0.6,
        ge=-1,
        le=1,
        description="Cosine similarity below which two pictures are not compared; above it, the pixels decide.",
    )
    rules: tuple[str, ...] = Field(
        default=("exact-copy", "duplicate-content"),
        description="Rules of image pairs by which two pictures are the same, in the order in which they are asked.",
    )
    exact_up_to: int = Field(
        default=50_000,
        ge=0,
        description="Up to so many pictures every one is looked at; beyond, an IVF index is built.",
    )
    probed_share: float = Field(
        default=0.2, gt=0, le=1, description="Share of the IVF index that a search looks through: speed against recall."
    )


class ReviewSection(Section):
    """What reviewers are asked, and in which order (paper section 5.1)."""

    statuses: tuple[Literal["submit", "hold", "none"], ...] = Field(
        default=("submit",),
        description="Outcomes of which status all are reviewed; of the others only the audit share.",
    )
    order: Literal["uncertainty", "probability", "primary", "random"] = Field(
        default="uncertainty",
        description="What comes first: p^t nearest 0.5, the largest p^t, the closest race for the first image, or any.",
    )
    audit_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Share of all outcomes, drawn at random, that is reviewed whatever p^t says.",
    )
    double_share: float = Field(
        default=0.05, ge=0, le=1, description="Share that two reviewers judge independently, for their agreement."
    )
    claim_minutes: float = Field(
        default=20.0, gt=0, description="Minutes after which a product that was opened and not decided goes to another."
    )


class PluginsSection(Section):
    """Which plugins are loaded."""

    block: tuple[str, ...] = Field(default=(), description="Plugins or distributions that are not loaded.")
    require: tuple[str, ...] = Field(default=(), description='Distributions that must be there: "agpis-text>=0.1".')
    load: tuple[str, ...] = Field(default=(), description="Further modules to load: local plugins without packaging.")
    strict: bool = Field(default=False, description="A plugin that fails to load ends the run.")
    time_limit: float = Field(
        default=300.0,
        ge=0,
        allow_inf_nan=False,
        description="Seconds that a call of a component may take, unless it is built in; 0 sets no limit.",
    )
    isolate: Literal["third-party", "asked", "none"] = Field(
        default="third-party",
        description="Components that run in a process of their plugin's own: those that are not built in and those whose "
        "spec asks for it, the latter alone, or none.",
    )
    memory_limit: int = Field(
        default=8_000_000_000,
        ge=0,
        description="Bytes of memory that the process of a plugin may take (Linux); 0 sets no limit.",
    )


class RaySection(Section):
    """How `agpis run --engine ray` shares a run among the nodes of a cluster."""

    shard_size: int = Field(
        default=200,
        ge=1,
        description="Records that are handed to a node at once: one file of outcomes, and what is redone where a node is lost.",
    )
    actors: int = Field(
        default=0,
        ge=0,
        description="Processes that each hold one pipeline; 0 is as many as the cluster has room for, less a CPU for the reads.",
    )
    cpus: float = Field(
        default=1.0, gt=0, description="CPUs that each of them takes; models compute on so many threads."
    )
    gpus: float = Field(default=0.0, ge=0, description='GPUs that each of them takes; with run.device = "cuda".')
    retries: int = Field(
        default=2,
        ge=0,
        description="How often a shard is tried again whose process or node was lost; then its records are tried one by one.",
    )


class Config(Section):
    """Everything that can be set."""

    run: RunSection = RunSection()
    media: MediaSection = MediaSection()
    backbone: BackboneSection = BackboneSection()
    noncompliance: NoncomplianceSection = NoncomplianceSection()
    primary: PrimarySection = PrimarySection()
    sequence: SequenceSection = SequenceSection()
    rules: RulesSection = RulesSection()
    index: IndexSection = IndexSection()
    review: ReviewSection = ReviewSection()
    plugins: PluginsSection = PluginsSection()
    ray: RaySection = RaySection()
    components: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="One table per component: [components.duplicates] …"
    )


def flatten(config: Config) -> dict[str, Any]:
    """Return the config as dotted keys and plain values, in the order of the sections."""
    flat: dict[str, Any] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict) and value:
            for key, below in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), below)
        else:
            flat[prefix] = value

    walk("", json.loads(config.model_dump_json()))
    return flat
