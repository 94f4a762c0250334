"""What each image shares with the others of its sequence: found by matching patches, before attention begins.

An addition to the paper. One attention layer over a few thousand sequences does not learn to compare two images; told
which patch of another image is most like it, and how it differs, each patch can say "copy", "same thing in another
color" or "another thing". B sequences of K images with P patches of C channels, G channels of global tokens.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class ImageMatching(nn.Module):
    """Turns likeness between the images of a sequence into something to add to their tokens."""

    def __init__(self, token_channels: int, global_channels: int, width: int) -> None:
        super().__init__()
        self.from_patch_likeness = nn.Linear(6, width)
        self.from_patch_difference = nn.Linear(token_channels, width)
        self.from_global_likeness = nn.Linear(4, width)
        self.from_global_difference = nn.Linear(global_channels, width)

    def forward(self, tokens: Tensor, global_tokens: Tensor, image_mask: Tensor) -> Tensor:
        """Return (B, K, 1 + P, D) from normalized (B, K, P, C) and (B, K, G); zeros for an image that stands alone."""
        # Copies differ from look-alikes in the third digit, which bfloat16 does not have.
        with torch.autocast(tokens.device.type, enabled=False):
            likeness, difference = matched_patches(tokens.float(), image_mask)
            global_likeness, global_difference = matched_patches(global_tokens.float().unsqueeze(2), image_mask)
            likeness, global_likeness = finely(likeness), finely(global_likeness[..., :2])
        patches = self.from_patch_likeness(likeness) + self.from_patch_difference(difference)  # (B, K, P, D)
        whole = self.from_global_likeness(global_likeness) + self.from_global_difference(global_difference)
        others = image_mask.sum(1, keepdim=True) > image_mask.long()  # (B, K): is there another image?
        return torch.cat([whole, patches], dim=2) * others[..., None, None]  # type: ignore[no-any-return]


def matched_patches(tokens: Tensor, image_mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each patch its likeness to other images' patches (B, K, P, 3), and how it differs from the best (B, K, P, C).

    Likeness is a cosine: to the most similar patch of any other image; to the patch at the same place, of the other
    image where that is most similar; and to the one at the mirrored place. Zero where there is no other image.
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
    likeness = torch.stack([best, same_place, mirrored], dim=3)
    alone = absent.all(2)[..., None, None]  # (B, K, 1, 1)
    return likeness.masked_fill(alone, 0.0), (tokens - nearest).abs().masked_fill(alone, 0.0)


def finely(likeness: Tensor) -> Tensor:
    """Return cosines (..., n) with the negative logarithm of their distance to 1, about -1..1, beside them: (..., 2n).

    Pixel for pixel the same, saved again, and a recolored copy lie within the last hundredth of the cosine.
    """
    distance = -torch.log10((1 - likeness).clamp(min=1e-5))
    return torch.cat([likeness, distance / 2.5 - 1], dim=-1)


def mirrored_places(patches: int) -> list[int]:
    """Return where each place of a square grid lies once the image is mirrored left to right.

    >>> mirrored_places(4)
    [1, 0, 3, 2]
    """
    side = math.isqrt(patches)
    if side * side != patches:
        return list(range(patches))
    return [row * side + side - 1 - column for row in range(side) for column in range(side)]
