"""The sixteen example products, each a list of (mesh, material) parts in centimetres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from meshes import (
    Array,
    Mesh,
    blob,
    box,
    cylinder,
    join,
    lathe,
    ring,
    rod,
    sheet,
    spline,
    tube,
)


@dataclass(frozen=True)
class Material:
    """A surface: sRGB color in hex, principled parameters in [0, 1] and an optional texture.

    ``texture`` is "", "wood", "speckle" or "weave"; ``scale`` is its tile in cm;
    ``glow`` is the emitted radiance as a multiple of the color.
    """

    color: str
    roughness: float = 0.4
    metallic: float = 0.0
    clearcoat: float = 0.0
    texture: str = ""
    scale: float = 10.0
    glow: float = 0.0


Part = tuple[Mesh, Material]
Parts = list[Part]

STEEL = Material("#c9ccd0", 0.24, 1.0)
BLACK_STEEL = Material("#2a2b2e", 0.35, 0.6)
BRASS = Material("#d8b06a", 0.22, 1.0)
RUBBER = Material("#202124", 0.6)
OAK = Material("#c99a66", 0.45, clearcoat=0.2, texture="wood", scale=26)
WALNUT = Material("#7d5236", 0.45, clearcoat=0.2, texture="wood", scale=26)
CREAM = Material("#f1e9da", 0.3, clearcoat=0.5)
WHITE = Material("#f4f4f2", 0.35, clearcoat=0.3)


def around(mesh: Mesh, count: int, start: float = 0.0) -> Mesh:
    """Return count copies of a mesh spread about the z axis, the first turned by start degrees."""
    return join(*(mesh.turned("z", start + 360 * i / count) for i in range(count)))


def mug(look: str) -> Parts:
    """Build a stoneware mug with a raw clay foot; the handle points to +x."""
    glaze = Material("#2f6690", 0.22, clearcoat=0.8, texture="speckle", scale=9)
    clay = Material("#c9a98a", 0.75, texture="speckle", scale=7)
    outer = lathe(np.concatenate([[[4.12, 1.7]], spline([(4.2, 1.8), (4.3, 5), (4.2, 8.4), (4.22, 9.4), (4.08, 9.6)])]))
    inner = lathe(spline([(4.08, 9.6), (3.88, 9.35), (3.9, 8), (3.95, 4), (3.5, 1), (2, 0.7), (0, 0.7)]))
    foot = lathe([(0, 0.15), (3.2, 0.15), (3.25, 0), (3.5, 0), *spline([(3.6, 0.1), (4.02, 0.8), (4.12, 1.7)])])
    curve = spline([(3.9, 0, 8.0), (5.4, 0, 8.3), (6.9, 0, 7.4), (7.2, 0, 5.3), (6.2, 0, 3.4), (4.0, 0, 2.6)], 12)
    handle = tube(curve, 0.5 + 0.12 * np.cos(np.linspace(0, 2 * np.pi, len(curve))), flat=1.35)
    return [(outer, glaze), (handle, glaze), (inner, CREAM), (foot, clay)]


def kettle(look: str) -> Parts:
    """Build a gooseneck kettle of brushed steel; the spout points to -x."""
    body = lathe(spline([(0, 0), (7.6, 0), (8.2, 0.6), (8.0, 4), (6.9, 9), (5.8, 12.2), (5.0, 12.8)], 12))
    lid = lathe(spline([(5.2, 12.7), (5.1, 13.1), (3, 13.9), (0, 14.2)]))
    knob = lathe(spline([(0, 14.1), (0.7, 14.2), (0.6, 15), (1.4, 15.8), (1.1, 16.7), (0, 16.9)]))
    path = spline([(-7, 0, 2.6), (-9.8, 0, 3.4), (-11, 0, 6.5), (-11.4, 0, 10), (-13, 0, 12.6), (-15.2, 0, 12.6)], 12)
    spout = tube(path, np.linspace(1.25, 0.6, len(path)))
    grip = spline([(5.6, 0, 11.6), (8.5, 0, 14.6), (11.6, 0, 14.2), (12.2, 0, 11), (11.4, 0, 7.4), (10.4, 0, 5.2)], 12)
    handle = tube(grip, 0.95 - 0.25 * np.linspace(-1, 1, len(grip)) ** 2, flat=1.3)
    collar = lathe([(5.9, 12.0), (6.05, 12.2), (5.3, 12.95), (5.0, 12.8)])
    wood = replace(WALNUT, scale=16)
    return [(join(body, spout), STEEL), (lid, STEEL), (collar, BLACK_STEEL), (knob, wood), (handle, wood)]


def vase(look: str) -> Parts:
    """Build an oval, twisted and fluted vase."""
    profile = spline([(0, 0), (4.6, 0), (5.2, 0.5), (8.2, 8), (8.0, 15), (4.6, 21.5), (3.5, 25), (4.3, 28)], 14)
    inside = spline([(4.3, 28), (4.0, 28.1), (3.2, 25), (4.2, 21), (5, 15), (0, 12)], 10)

    def flute(v: Array) -> Array:
        angle = np.arctan2(v[:, 1], v[:, 0]) + v[:, 2] * 0.045
        depth = 0.055 * np.sin(np.clip(v[:, 2] / 24, 0, 1) * np.pi)
        v[:, :2] *= (1 + depth * (np.abs(np.cos(8 * angle)) - 0.6))[:, None]
        return v

    matte = Material("#b8694a", 0.7, texture="speckle", scale=12)
    outer = lathe(profile, 384).warped(flute).scaled(1.15, 0.78, 1)
    return [(outer, matte), (lathe(inside).scaled(1.15, 0.78, 1), replace(matte, color="#8a4a33"))]


def lamp(look: str) -> Parts:
    """Build a jointed desk lamp with a mustard shade; the shade leans to -x."""
    paint = Material("#e0a526", 0.35, clearcoat=0.6)
    base = cylinder(8.5, 1.8, 0.7, 96).moved(x=3)
    lower = [rod((3, y, 1.5), (8, y, 20), 0.42) for y in (-0.7, 0.7)]
    upper = [rod((8, y, 20), (-6, y, 36), 0.42) for y in (-0.7, 0.7)]
    pins = [
        cylinder(1.25, 3.2, 0.3).moved(z=-1.6).turned("x", 90).moved(x, 0, z) for x, z in ((3, 2.8), (8, 20), (-6, 36))
    ]
    out = spline([(1.6, 5.2), (2.2, 4.9), (2.6, 3), (4.6, 0), (7.4, -6)], 12)
    shade = join(lathe(np.concatenate([[[0, 5.3]], out])), lathe([*out[::-1] - [0.12, 0.1], (0, 4.8)]))
    bulb = blob(4.6, 4.6, 5.4).moved(z=-1.6)
    place: Callable[[Mesh], Mesh] = lambda m: m.turned("y", 28).moved(-8.6, 0, 33.2)  # noqa: E731
    cord = tube(spline([(11, 0, 0.5), (14, 1, 0.35), (17, 5, 0.35), (15, 10, 0.35), (18, 15, 0.35)]), 0.32)
    bulb_glass = Material("#fff1d6", 0.4, glow=2.2)
    metal = [(join(*lower, *upper), BRASS), (join(*pins), BLACK_STEEL)]
    return [(base, paint), (place(shade), paint), (place(bulb), bulb_glass), *metal, (cord, RUBBER)]


def chair(look: str) -> Parts:
    """Build a molded shell chair on splayed oak legs."""
    line = spline([(-21, 43.5), (-19, 45.5), (-10, 44.5), (6, 43), (15, 45), (19.5, 54), (22, 68), (24, 82)], 10)
    s = np.linspace(0, 1, len(line))[:, None]
    u = np.linspace(-1, 1, 61)[None, :]
    # Rounded ends: the half width follows a superellipse along the shell.
    width = (22 + 2.0 * np.sin(s * np.pi)) * (1 - np.abs(2 * s - 1) ** 7 * 0.9999) ** 0.5 + 0.05
    curl = 6.5 * np.abs(u) ** 3.2 * np.sin(np.clip(s * 1.05, 0, 1) * np.pi) ** 0.6
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    x = np.broadcast_to(u * width, curl.shape)
    points = np.stack([x, line[:, :1] - tangent[:, 1:] * curl, line[:, 1:] + tangent[:, :1] * curl], 2)
    shell = Material("#3f8f86", 0.45, clearcoat=0.2)
    legs, rods = [], []
    for sx in (-1, 1):
        for sy in (-1, 1):
            legs.append(rod((sx * 12, sy * 9 + 1, 41), (sx * 22, sy * 21 + 1, 0), (1.9, 1.2)))
            rods.append(rod((sx * 13.6, sy * 11 + 1, 34), (-sx * 8, sy * 5 + 1, 42), 0.45))
        rods.append(rod((sx * 14.5, -12.2, 31), (sx * 14.5, 14.2, 31), 0.45))
    return [(sheet(points, 1.0), shell), (join(*legs), replace(OAK, scale=40)), (join(*rods), BLACK_STEEL)]


def stool(look: str) -> Parts:
    """Build a three-legged counter stool with a steel foot ring."""
    seat = lathe(spline([(0, 63.2), (10, 63.4), (15.5, 65), (17, 65.2), (17.5, 64), (16, 61.8), (10, 61), (0, 61)], 10))
    leg = around(rod((10.5, 0, 61.5), (20, 0, 0), (1.9, 1.35)), 3, -90)
    tips = around(rod((19.4, 0, 4), (20, 0, 0), (1.55, 1.45)), 3, -90)
    return [(seat, WALNUT), (leg, replace(WALNUT, scale=40)), (ring(17.0, 0.7).moved(z=20), BRASS), (tips, BRASS)]


def bookshelf(look: str) -> Parts:
    """Build an open bookshelf with a back panel, a few books and a vase."""
    w, d, h, t = 70.0, 26.0, 118.0, 2.4
    frame = [box(t, d, h, 0.3).moved(x=sx * (w - t) / 2) for sx in (-1, 1)]
    levels = [5.0, 33.0, 61.0, 89.0]
    frame += [box(w - 2 * t, d, t, 0.3).moved(z=z) for z in [*levels, h - t]]
    parts: Parts = [
        (join(*frame), replace(OAK, scale=60)),
        (box(w - 2 * t, 0.8, h - 6, 0.1).moved(y=d / 2 - 1, z=5), WHITE),
    ]
    rng = np.random.default_rng(5)
    colors = ["#b5483a", "#e3c16f", "#34566b", "#efe6d5", "#5d7f6b", "#7a4b5c", "#22313f"]
    for level, start, count in (
        (levels[0], -31.0, 11),
        (levels[1], -8.0, 13),
        (levels[2], -31.0, 9),
        (levels[3], 4.0, 8),
    ):
        x = start
        for _ in range(count):
            thick, tall, deep = rng.uniform(1.8, 3.6), rng.uniform(16, 22.5), rng.uniform(14, 18)
            book = box(thick, deep, tall, 0.25).moved(x + thick / 2, 2, level + t)
            parts.append((book, Material(str(rng.choice(colors)), 0.7)))
            x += thick + 0.12
    pot = lathe(spline([(0, 0), (4, 0), (5.6, 4), (4.6, 10), (2, 13), (2.4, 15), (1.8, 15), (0, 13)]))
    crate = box(18, 16, 12, 0.8).moved(-20, 0, levels[1] + t)
    parts += [(pot.moved(-19, 0, levels[3] + t), CREAM), (crate, Material("#8fa3a0", 0.8, texture="weave", scale=3))]
    return [*parts, (blob(13, 13, 13).moved(16, 0, levels[2] + t + 6.5), Material("#e8a07c", 0.5))]


def backpack(look: str) -> Parts:
    """Build a rounded day pack; straps are on the +y side. Look "red" changes the fabric."""
    fabric = Material("#a8453b" if look == "red" else "#4a6356", 0.85, texture="weave", scale=2.5)
    trim = Material("#b07a4a", 0.55)

    def taper(v: Array) -> Array:
        k = v[:, 2] / 42
        v[:, 0] *= 1 - 0.14 * np.clip(k, 0, 1) ** 2
        v[:, 1] = 7.5 - (7.5 - v[:, 1]) * (1 - 0.30 * np.clip(k, 0, 1) ** 2)
        return v

    body = box(29, 15, 42, 6.5, 24).warped(taper)
    pocket = box(23, 7, 19, 3.2, 18).moved(y=-8.4, z=3)
    flap = box(23.6, 7.4, 5.5, 2.6, 14).moved(y=-8.4, z=18)
    sides = join(*(box(5, 10, 15, 2.4, 14).moved(x=sx * 14.2, z=3) for sx in (-1, 1)))
    zips = [
        tube(
            spline(
                [
                    (-11.5, y, 24),
                    (-11.6, y + 0.7, 34),
                    (-8, y + 2.2, 39.6),
                    (8, y + 2.2, 39.6),
                    (11.6, y + 0.7, 34),
                    (11.5, y, 24),
                ]
            ),
            0.3,
        )
        for y in (-5.2,)
    ]
    loop = tube(spline([(-4, 3, 40.5), (-3.6, 3, 44), (0, 3, 45.4), (3.6, 3, 44), (4, 3, 40.5)]), 0.9, flat=0.5)
    straps = [
        tube(
            spline([(sx * 5, 6, 40), (sx * 7, 10, 37), (sx * 9, 12.5, 26), (sx * 10, 11, 12), (sx * 11.5, 7, 5)]),
            2.4,
            flat=0.3,
        )
        for sx in (-1, 1)
    ]
    tabs = [box(2.6, 0.8, 9, 0.35).moved(x, -12.0, 13.5) for x in (-6, 6)]
    pad = box(22, 2.4, 32, 1.2, 10).moved(y=7.4, z=4)
    return [(join(body, pocket, sides), fabric), (flap, replace(fabric, color="#7d2f28" if look == "red" else "#374c41")),
            (join(*tabs, loop), trim), (join(*straps, pad), replace(RUBBER, roughness=0.85, texture="weave", scale=2)), (join(*zips), BRASS)]  # fmt: skip


def bottle(look: str) -> Parts:
    """Build an insulated water bottle; look "open" puts the lid beside it."""
    paint = Material("#e07a5f", 0.5, clearcoat=0.25)
    body = lathe(spline([(3.7, 1.2), (3.72, 2), (3.72, 12), (3.7, 18), (3.3, 20.4), (2.5, 22)], 12))
    base = lathe(spline([(0, 0.1), (3.3, 0), (3.66, 0.4), (3.7, 1.2)]))
    neck = lathe([(2.5, 22), (2.4, 22.1), (2.4, 23.6), (2.3, 23.7), (2.15, 23.6), (2.1, 20), (0, 20)])
    lid = join(lathe(spline([(2.6, 0), (2.75, 0.3), (2.75, 2.6), (2.5, 3), (0, 3.05)], 8)), lathe([(0, 0.1), (2.6, 0)]))
    loop = tube(
        spline([(-2.4, 0, 1.6), (-3.1, 0, 3.4), (-1.8, 0, 5.0), (1.8, 0, 5.0), (3.1, 0, 3.4), (2.4, 0, 1.6)], 12),
        0.62,
        flat=0.55,
    )
    cap = join(lid, loop)
    cap = cap.turned("x", 90).turned("z", 35).moved(8, -2.5, 2.75) if look == "open" else cap.moved(z=22.2)
    emblem = cylinder(1.0, 0.12, 0.05).turned("x", 90).moved(0, -3.68, 13)
    return [(body, paint), (join(base, neck), STEEL), (cap, RUBBER), (emblem, STEEL)]
