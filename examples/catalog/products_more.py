"""The second half of the example products and the table of all sixteen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from meshes import (
    Array,
    Mesh,
    blob,
    box,
    cylinder,
    grid,
    join,
    lathe,
    ring,
    rod,
    rotation,
    sheet,
    spline,
    tube,
)
from products import (
    BRASS,
    OAK,
    RUBBER,
    STEEL,
    WHITE,
    Material,
    Parts,
    around,
    backpack,
    bookshelf,
    bottle,
    chair,
    kettle,
    lamp,
    mug,
    stool,
    vase,
)  # fmt: skip


def headphones(look: str) -> Parts:
    """Build over-ear headphones standing upright."""
    a = np.deg2rad(np.linspace(-8, 188, 60))
    arc = np.stack([8.6 * np.cos(a), 0 * a, 9.2 + 9.6 * np.sin(a)], 1)
    band = tube(arc, 1.5, flat=0.3)
    inner = tube((arc - [0, 0, 9.2])[12:-12] * [0.93, 1, 0.94] + [0, 0, 9.2], 1.75, flat=0.42)
    cups, pads, caps, forks = [], [], [], []
    for sx in (-1, 1):
        place: Callable[[Mesh], Mesh] = lambda m, s=sx: m.turned("y", s * 90).moved(s * 8.4, 0, 5)  # type: ignore[misc]  # noqa: E731
        cups.append(place(lathe(spline([(4.2, -0.6), (4.5, 0.2), (4.2, 1.4), (3.0, 1.9)])).scaled(1.15, 0.92, 1)))
        pads.append(place(ring(3.1, 1.25).scaled(1.18, 0.95, 1.1).moved(z=-1.5)))
        pads.append(place(cylinder(3.6, 0.6, 0.1).moved(z=-1.2)))
        caps.append(place(lathe([(3.0, 1.9), (2.9, 1.75), (0, 1.7)]).scaled(1.15, 0.92, 1)))
        forks.append(rod((sx * 8.5, 0, 8.0), (sx * 9.1, 0, 11.5), 0.55))
    shell = Material("#ece6dc", 0.4, clearcoat=0.3)
    leather = Material("#6b4630", 0.55)
    return [
        (join(*cups), shell),
        (band, shell),
        (join(inner, *pads), leather),
        (join(*caps), leather),
        (join(*forks), STEEL),
    ]


def car(look: str) -> Parts:
    """Build a wooden-toy style car; its nose points to -x."""
    red = Material("#c8372d", 0.25, clearcoat=0.9)

    def nose(v: Array) -> Array:
        v[:, 2] *= 1 - 0.16 * np.clip((-v[:, 0] - 2) / 6, 0, 1) ** 2
        return v

    body = box(17, 7.6, 4.0, 1.5, 20).warped(nose).moved(z=1.5)

    def lean(v: Array) -> Array:
        k = v[:, 2:] / 4
        v[:, :2] *= 1 - 0.24 * k
        return v

    cabin = box(9.4, 6.8, 3.9, 1.2, 16).warped(lean).moved(1.2, 0, 4.9)
    glass = Material("#1d2a36", 0.1, clearcoat=1.0)
    windows = box(9.2, 6.9, 2.2, 0.7, 14).warped(lean).scaled(1.0, 1.012, 1).moved(1.2, 0, 5.5)
    pillars = box(1.0, 6.9, 2.5, 0.25).warped(lean).scaled(1, 1.03, 1).moved(1.4, 0, 5.45)
    roof = cabin.moved(z=0.12)
    wheel = cylinder(2.1, 1.7, 0.45).turned("x", 90)
    hub = cylinder(1.15, 1.8, 0.2).turned("x", 90)
    at = [(x, y) for x in (-5.2, 5.2) for y in (-2.9, 4.6)]
    wheels, hubs = join(*(wheel.moved(x, y, 2.1) for x, y in at)), join(*(hub.moved(x, y + 0.05, 2.1) for x, y in at))
    lights = join(*(blob(1.0, 1.5, 1.5).moved(-8.3, y, 3.6) for y in (-2.2, 2.2)))
    tail = join(*(blob(0.6, 1.3, 1.0).moved(8.4, y, 3.9) for y in (-2.5, 2.5)))
    bumpers = join(*(box(1.0, 6.6, 0.9, 0.4).moved(x, 0, 1.9) for x in (-8.5, 8.5)))
    return [(join(body), red), (roof, WHITE), (windows, glass), (pillars, WHITE), (wheels, RUBBER), (hubs, replace(OAK, scale=8)),
            (lights, Material("#ffe9a8", 0.15, clearcoat=1)), (tail, Material("#7c120f", 0.2, clearcoat=1)), (bumpers, STEEL)]  # fmt: skip


def fan(look: str) -> Parts:
    """Build a retro desk fan that blows to -y."""
    mint = Material("#8ec5b0", 0.35, clearcoat=0.6)
    base = lathe(spline([(0, 0), (8.6, 0), (9, 0.7), (7.5, 2.2), (2.4, 3.4), (1.6, 6), (1.5, 11)], 10))
    turn: Callable[[Mesh], Mesh] = lambda m: m.turned("x", 90).moved(z=22)  # noqa: E731
    motor = turn(lathe(spline([(0, -9), (2, -8.8), (3.2, -7), (3.5, -3), (2.8, -1.4), (0, -1.4)], 10)))
    hub = turn(lathe(spline([(0, 3.2), (1.2, 3), (1.9, 1.8), (1.9, -0.8), (0, -0.9)])))
    r, a = np.linspace(1.4, 10.2, 24)[:, None], np.linspace(-1, 1, 24)[None, :]
    lobe = np.sqrt(np.clip(1 - ((r - 5.6) / 4.9) ** 2, 0.02, 1)) * 42 + 12
    angle = np.deg2rad(a * lobe * 0.55)
    blade = sheet(np.stack([r * np.cos(angle), r * np.sin(angle), 1.0 + 1.5 * a * np.ones_like(r)], 2), 0.16)
    wires = [ring(radius, 0.2).moved(z=z) for radius, z in ((12.2, 0.0), (12.2, 2.0))]
    wires += [ring(radius, 0.11).moved(z=4.3 - 2.2 * (radius / 12.2) ** 3) for radius in (3.0, 5.4, 7.8, 10.0)]
    wires += [ring(radius, 0.11).moved(z=-2.4 + 2.2 * (radius / 12.2) ** 3) for radius in (4.5, 8.5)]
    front = tube(spline([(1.6, 0, 4.3), (6, 0, 4.1), (10, 0, 3.1), (12.2, 0, 1.9)], 6), 0.11, sides=8)
    back = tube(spline([(2.6, 0, -2.4), (6, 0, -2.2), (10, 0, -1.1), (12.2, 0, 0.1)], 6), 0.11, sides=8)
    cage = turn(join(*wires, around(front, 24), around(back, 16), cylinder(1.9, 0.5, 0.2).moved(z=4.1)))
    knob = cylinder(1.0, 1.0, 0.3).turned("x", 78).moved(0, -5.6, 2.5)
    return [
        (join(base, motor), mint),
        (turn(around(blade, 4, 20)), replace(mint, roughness=0.3)),
        (hub, BRASS),
        (cage, STEEL),
        (knob, BRASS),
    ]


def bowls(look: str) -> Parts:
    """Build three bowls: in a row, "nested", "stack" upside down, or "warm" colored and in a row."""
    tones = ["#d9b44a", "#c97b5a", "#8c3f3a"] if look.startswith("warm") else ["#26547c", "#6f9fb8", "#dfe7e6"]
    parts: Parts = []
    places = {
        "nested": [(0, 0, 0), (0.2, 0, 1.3), (0.1, 0.1, 2.7)],
        "stack": [(0, 0, 0), (0.4, 0.2, 3.1), (-0.3, 0, 5.7)],
    }
    row = [(-6.5, 3.2, 0.0), (7.5, 2.0, 0.0), (1.2, -8.2, 0.0)]
    for size, tone, (x, y, z) in zip((1.0, 0.8, 0.62), tones, places.get(look, row), strict=True):
        out = spline([(0, 0.3), (2.9, 0.3), (3.0, 0), (3.6, 0), (3.8, 0.5), (7, 3.2), (8.6, 7.2), (8.45, 7.4)], 8)
        inner = spline([(8.45, 7.4), (8.2, 7.2), (6.6, 3.6), (3.4, 1.2), (0, 0.9)], 10)
        glaze = Material(tone, 0.22, clearcoat=0.8, texture="speckle", scale=9)
        for profile, material in ((out, glaze), (inner, replace(glaze, color="#f1e9da"))):
            mesh = lathe(profile).scaled(size, size, size)
            if look == "stack":
                mesh = mesh.turned("x", 180).moved(z=7.4 * size)
            parts.append((mesh.moved(x, y, z), material))
    return parts


def clock(look: str) -> Parts:
    """Build a wall clock lying on its back, face up; look "back" turns it over."""
    rim = lathe(spline([(13.6, 3.0), (13.8, 3.6), (14.8, 3.7), (15.2, 3.0), (15.2, 0.4), (14.8, 0), (0, 0)], 10))
    face = cylinder(13.9, 2.6, 0.05, 128)
    ticks = [box(0.55, 2.4, 0.12, 0.05).moved(y=11.8, z=2.6).turned("z", 30 * i) for i in range(12)]
    minor = [box(0.18, 1.0, 0.1, 0.04).moved(y=12.5, z=2.6).turned("z", 6 * i) for i in range(60) if i % 5]
    hour = box(0.8, 7.4, 0.18, 0.08).moved(y=2.7, z=3.0).turned("z", 56)
    minute = box(0.6, 11.6, 0.18, 0.08).moved(y=4.6, z=3.25).turned("z", -54)
    second = join(box(0.2, 13.6, 0.14, 0.05).moved(y=4.2, z=3.5), cylinder(0.7, 0.5, 0.1).moved(z=3.1)).turned("z", 150)
    cell = box(7, 7, 1.0, 0.4).moved(z=-0.8)
    dial = cylinder(0.8, 0.6, 0.15).moved(0.0, -1.6, -1.2)
    battery = join(cylinder(0.7, 5, 0.1).turned("y", 90).moved(-2.5, 1.8, -0.7))
    hook = ring(1.2, 0.25).moved(0, 9, -0.15)
    parts = [(rim, replace(OAK, scale=30)), (face, Material("#fbfaf6", 0.6)), (join(*ticks, *minor, hour, minute), RUBBER),
             (second, Material("#d2452f", 0.4)), (join(cell, dial), RUBBER), (battery, Material("#c58b3b", 0.3, 0.7)), (hook, STEEL)]  # fmt: skip
    return [(m.turned("y", 180), k) for m, k in parts] if look == "back" else parts


def flashlight(look: str) -> Parts:
    """Build an aluminium flashlight lying down; the lens faces -x."""
    metal = Material("#34383d", 0.32, 0.85)

    def knurl(v: Array) -> Array:
        angle = np.arctan2(v[:, 1], v[:, 0])
        bump = np.abs(np.sin(12 * angle + v[:, 2] * 3)) + np.abs(np.sin(12 * angle - v[:, 2] * 3))
        v[:, :2] *= (1 + 0.022 * (bump - 1))[:, None]
        return v

    grip = lathe([(1.22, z) for z in np.linspace(3.0, 9.4, 110)], 256).warped(knurl)
    tail = lathe([(0, 0), *spline([(1.0, 0), (1.2, 0.3), (1.2, 2.4), (1.05, 2.6), (1.05, 3.0), (1.22, 3.0)], 4)])
    fins = [(1.25 - 0.14 * (i % 4 in (1, 2)), 9.4 + 0.14 * i) for i in range(12)]
    head = lathe(
        [
            *fins,
            *spline([(1.25, 11.0), (1.5, 11.4), (2.0, 13), (2.05, 14.6), (1.95, 14.8)], 8),
            (1.75, 14.8),
            (1.75, 14.5),
        ]
    )
    mirror = lathe(spline([(1.75, 14.5), (1.5, 14.0), (0.9, 13.2), (0.4, 12.8), (0, 12.8)], 6))
    led = blob(0.7, 0.7, 0.5).moved(z=12.95)
    band = ring(1.62, 0.13).moved(z=11.75)
    button = box(1.0, 1.6, 0.5, 0.2).turned("x", 90).moved(0, 1.35, 8.0)
    lay: Callable[[Mesh], Mesh] = lambda m: m.turned("x", 180).turned("z", 180).turned("y", 90).moved(z=2.05)  # noqa: E731
    orange = Material("#f08a24", 0.35, clearcoat=0.4)
    lens = Material("#fff6dc", 0.2, glow=3.0)
    parts = [
        (join(grip, tail, head), metal),
        (mirror, replace(STEEL, roughness=0.1)),
        (led, lens),
        (band, orange),
        (button, orange),
    ]
    return [(lay(m), k) for m, k in parts]


def helmet(look: str) -> Parts:
    """Build a skate helmet with dark vents and a strap; the front is -y."""
    paint = Material("#3b5ba5", 0.3, clearcoat=0.9)
    dark = Material("#18191c", 0.7)
    u, a = np.linspace(0, 1, 60)[:, None], np.linspace(0, 2 * np.pi, 161)[None, :-1]
    # The rim runs higher over the ears than at the front and the back.
    low = 0.9 + 1.7 * np.cos(2 * a + np.pi) ** 2 * (np.cos(2 * a) > 0) + 0 * a
    b = u * np.pi / 2
    flare = 1 + 0.035 * np.clip((0.12 - u) / 0.12, 0, 1)
    dome = np.stack(
        [10.4 * flare * np.cos(b) * np.cos(a), 12.6 * flare * np.cos(b) * np.sin(a), low + (15.2 - low) * np.sin(b)], 2
    )
    outer = grid(dome, wrap_cols=True)
    foam = grid(dome[:55, ::-1] * [0.9, 0.9, 0.93] + [0, 0, 0.1], wrap_cols=True)
    edge = tube(dome[0] * [0.965, 0.965, 1], 0.55, sides=14, closed=True)
    vents: list[Mesh] = []
    for azimuth, height in [
        (-90, 0.42),
        (-68, 0.42),
        (-112, 0.42),
        (90, 0.42),
        (68, 0.42),
        (112, 0.42),
        (-60, 0.85),
        (-120, 0.85),
        (60, 0.85),
        (120, 0.85),
    ]:
        t, v = np.deg2rad(azimuth), height
        spot = np.array([10.4 * np.cos(v) * np.cos(t), 12.6 * np.cos(v) * np.sin(t), 1.2 + 14 * np.sin(v)])
        vents.append(
            Mesh(
                blob(1.7, 3.8, 0.9).vertices @ rotation("x", 90 - np.rad2deg(v) * 1.0).T @ rotation("z", azimuth + 90).T
                + spot,
                blob(1.7, 3.8, 0.9).faces,
            )
        )
    straps = [
        tube(
            spline([(sx * 9.0, y, 3.2), (sx * 7.4, y * 0.3 - 1.5, -1.5), (sx * 2.0, -2.2, -5.2), (0, -2.2, -5.4)]),
            0.9,
            flat=0.14,
        )
        for sx in (-1, 1)
        for y in (-5.0, 4.0)
    ]
    buckle = box(3.4, 1.8, 0.9, 0.35).moved(0.6, -2.2, -5.9)
    return [
        (outer, paint),
        (join(foam, edge, *vents), dark),
        (join(*straps), replace(dark, texture="weave", scale=2)),
        (buckle, RUBBER),
    ]


BUILDERS: dict[str, Callable[[str], Parts]] = {
    "mug": mug, "kettle": kettle, "vase": vase, "lamp": lamp, "chair": chair, "stool": stool, "bookshelf": bookshelf,
    "backpack": backpack, "bottle": bottle, "headphones": headphones, "car": car, "fan": fan, "bowls": bowls,
    "clock": clock, "flashlight": flashlight, "helmet": helmet,
}  # fmt: skip
