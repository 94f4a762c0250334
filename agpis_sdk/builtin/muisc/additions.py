"""Additions to the paper's model, each off in `MuiscConfig.paper()`: skip this file to read section 3.4 alone.

Features of a frozen backbone are normalized and projected; a token's position is that of its image plus that of its
place within the image; each patch learns what it shares with the other images; and one more token an image holds what stage 1
measured of it.
One attention layer over a few thousand sequences does not learn to compare two images; given which patch of another image
is most similar, and how it differs, each patch can express "copy", "same product in another color" or "another product".
B sequences of K images with P patches of C channels, G channels of global tokens, E numbers of evidence, D hidden channels.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig


class FeatureNorm(nn.Module):
    """Bring each channel of frozen features to mean 0 and deviation 1, measured on the train split once."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    def fit(self, features: Tensor) -> None:
        """Measure mean and deviation of features (n, channels)."""
        self.mean.copy_(features.mean(0))
        # A channel that never changes stays zero, instead of becoming noise.
        self.deviation.copy_(features.std(0).clamp(min=1e-3))

    def forward(self, features: Tensor) -> Tensor:
        """Return features (..., channels), kept within +-8: an outlier in one channel must not drown the others."""
        return ((features - self.mean) / self.deviation).clamp(-8, 8)


class ImageAdditions(nn.Module):
    """Join the tokens of each image, with the additions that a config asks for; without any, as the paper does."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        channels, hidden_size = (config.token_channels, config.global_channels), config.hidden_size
        project = config.project_images
        self.token_norm, self.global_norm = (FeatureNorm(size) if project else nn.Identity() for size in channels)
        self.token_projection, self.global_projection = (
            nn.Linear(size, hidden_size) if project else nn.Identity() for size in channels
        )
        self.similarity = CrossImageSimilarity(*channels, hidden_size) if config.compare_images else None
        self.evidence = EvidenceToken(len(config.evidence), hidden_size) if config.evidence else None
        self.patch_position = None
        if not config.joint_positions:
            initial = torch.randn(config.image_tokens, hidden_size) * position_size(config)
            self.patch_position = nn.Parameter(initial)

    def fit(self, tokens: Tensor, global_tokens: Tensor, evidence: Tensor | None = None) -> None:
        """Take mean and deviation of frozen features from samples (n, C), (n, G) and (n, E) of the train split."""
        for part, samples in ((self.token_norm, tokens), (self.global_norm, global_tokens)):
            if isinstance(part, FeatureNorm):
                part.fit(samples)
        if self.evidence is not None and evidence is not None:
            self.evidence.norm.fit(evidence)

    def forward(
        self, tokens: Tensor, global_tokens: Tensor, image_mask: Tensor, evidence: Tensor | None = None
    ) -> Tensor:
        """Return (B, K, N, D), the global token first and the evidence last, from (B, K, P, C), (B, K, G) and (B, K, E)."""
        tokens, global_tokens = self.token_norm(tokens), self.global_norm(global_tokens)
        images = torch.cat([self.global_projection(global_tokens).unsqueeze(2), self.token_projection(tokens)], dim=2)
        if self.similarity is not None:
            images = images + self.similarity(tokens, global_tokens, image_mask)
        if self.evidence is not None:
            if evidence is None:
                raise ValueError("this model reads evidence of stage 1: give it")
            images = torch.cat([images, self.evidence(evidence).unsqueeze(2)], dim=2)
        return images if self.patch_position is None else images + self.patch_position


class EvidenceToken(nn.Module):
    """Turn what stage 1 measured of an image into one more of its tokens."""

    def __init__(self, size: int, hidden_size: int) -> None:
        super().__init__()
        self.norm = FeatureNorm(size)
        self.expand, self.project = nn.Linear(size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def forward(self, evidence: Tensor) -> Tensor:
        """Return (B, K, D) from (B, K, E)."""
        return self.project(nn.functional.gelu(self.expand(self.norm(evidence))))  # type: ignore[no-any-return]


def position_size(config: PretrainedConfig) -> float:
    """Return the deviation of initial positions: beside projected features of unit size, BERT's would not be noticed."""
    return 0.3 if config.project_images else 0.02


class CrossImageSimilarity(nn.Module):
    """Turn the similarity between the images of a sequence into something to add to their tokens."""

    def __init__(self, token_channels: int, global_channels: int, hidden_size: int) -> None:
        super().__init__()
        self.patch_similarity = nn.Linear(6, hidden_size)
        self.patch_difference = nn.Linear(token_channels, hidden_size)
        self.global_similarity = nn.Linear(4, hidden_size)
        self.global_difference = nn.Linear(global_channels, hidden_size)

    def forward(self, tokens: Tensor, global_tokens: Tensor, image_mask: Tensor) -> Tensor:
        """Return (B, K, 1 + P, D) from normalized (B, K, P, C) and (B, K, G); zeros for an image without others."""
        # Copies differ from near-copies in the third digit, which bfloat16 does not have.
        with torch.autocast(tokens.device.type, enabled=False):
            similarity, difference = matched_patches(tokens.float(), image_mask)
            global_similarity, global_difference = matched_patches(global_tokens.float().unsqueeze(2), image_mask)
            similarity, global_similarity = with_log_distance(similarity), with_log_distance(global_similarity[..., :2])
        patches = self.patch_similarity(similarity) + self.patch_difference(difference)  # (B, K, P, D)
        whole = self.global_similarity(global_similarity) + self.global_difference(global_difference)
        others = image_mask.sum(1, keepdim=True) > image_mask.long()  # (B, K): is there another image?
        return torch.cat([whole, patches], dim=2) * others[..., None, None]  # type: ignore[no-any-return]


def matched_patches(tokens: Tensor, image_mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return each patch's similarities to other images' patches (B, K, P, 3), and its difference to the best (B, K, P, C).

    The cosines are: to the most similar patch of any other image; to the patch at the same place, of the image where
    that is most similar; and to the one at the mirrored place. Zero where there is no other image.
    """
    _, images, patches, channels = tokens.shape
    unit = nn.functional.normalize(tokens, dim=3).flatten(1, 2)  # (B, K*P, C)
    cosines = (unit @ unit.transpose(1, 2)).unflatten(2, (images, patches)).unflatten(1, (images, patches))
    itself = torch.eye(images, dtype=torch.bool, device=tokens.device)
    absent = itself | ~image_mask.bool()[:, None, :]  # (B, K, K): no image to compare with
    cosines = cosines.masked_fill(absent[:, :, None, :, None], -1.0)  # (B, K, P, K, P)
    best, place = cosines.flatten(3).max(3)  # (B, K, P)
    chosen = place.flatten(1)[..., None].expand(-1, -1, channels)  # (B, K*P, C)
    nearest = tokens.flatten(1, 2).gather(1, chosen).unflatten(1, (images, patches))
    same_place = cosines.diagonal(dim1=2, dim2=4).amax(2)  # (B, K, P)
    mirrored = cosines[..., mirrored_places(patches)].diagonal(dim1=2, dim2=4).amax(2)
    similarity = torch.stack([best, same_place, mirrored], dim=3)
    alone = absent.all(2)[..., None, None]  # (B, K, 1, 1)
    return similarity.masked_fill(alone, 0.0), (tokens - nearest).abs().masked_fill(alone, 0.0)


def with_log_distance(similarity: Tensor) -> Tensor:
    """Return cosines (..., n) with the negative logarithm of their distance to 1, about -1..1, beside them: (..., 2n).

    Pixel for pixel the same, saved again, and a recolored copy lie within the last hundredth of the cosine.
    """
    distance = -torch.log10((1 - similarity).clamp(min=1e-5))
    return torch.cat([similarity, distance / 2.5 - 1], dim=-1)


def mirrored_places(patches: int) -> list[int]:
    """Return the place of each cell of a square grid once the image is mirrored left to right.

    >>> mirrored_places(4)
    [1, 0, 3, 2]
    """
    side = math.isqrt(patches)
    if side * side != patches:
        return list(range(patches))
    return [row * side + side - 1 - column for row in range(side) for column in range(side)]


def side_by_side(pixels: Tensor) -> Tensor:
    """Turn (B, K, 3, S, S) into (B, 1, 3, S, S): the images of a sequence in one, left to right (section 4.3)."""
    batch, _, channels, height, width = pixels.shape
    row = pixels.transpose(1, 2).transpose(2, 3).reshape(batch, channels, height, -1)  # (B, 3, S, K*S)
    return nn.functional.interpolate(row, size=(height, width), mode="area")[:, None]
