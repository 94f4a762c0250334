"""A small photo studio: products, camera and light for the Mitsuba renderer.

Mitsuba and pyoidn are development dependencies only: the SDK never imports this file.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mitsuba as mi
import numpy as np
import pyoidn
from meshes import Array, Mesh, corners, rotation
from numpy.typing import NDArray
from products import Material, Parts
from products_more import BUILDERS
from scipy.ndimage import gaussian_filter

mi.set_variant("llvm_ad_rgb")

SIZE = 640  # pixels, the width and the height of every picture
FIELD_OF_VIEW = 24.0  # degrees; a longish lens, as product photographers use
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """One photograph: angles in degrees, ``fill`` the framed share, ``aim`` a shift in frame halves.

    ``yaw`` turns the product (positive shows its -x side less), ``elevation`` lifts the camera,
    ``look`` is passed to the product's builder and ``backdrop`` is "studio" or "home:WALL_HEX".
    """

    yaw: float = 0.0
    elevation: float = 12.0
    fill: float = 0.78
    aim: tuple[float, float] = (0.0, 0.0)
    look: str = ""
    backdrop: str = "studio"
    tip: float = 0.0


def linear(color: str) -> list[float]:
    """Return the linear RGB in [0, 1] of an sRGB color such as "#2f6690"."""
    srgb = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return list(map(float, np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)))


def texture(kind: str, color: str, size: int = 512) -> Array:
    """Return a tileable (size, size, 3) linear RGB picture of wood, speckled glaze or fabric."""
    rng = np.random.default_rng(sum(map(ord, kind + color)))
    base = np.array(linear(color))
    noise = rng.standard_normal((size, size))

    def soft(across: float, along: float) -> Array:
        smooth = gaussian_filter(noise, (across, along), mode="wrap")
        return np.asarray(smooth / smooth.std())

    if kind == "wood":
        shade = 1 + 0.10 * np.sin(6 * soft(14, 160)) + 0.08 * soft(1.0, 40) + 0.06 * soft(30, 120)
    elif kind == "speckle":
        dots = soft(1.3, 1.3) > 2.9
        shade = 1 + 0.03 * soft(12, 12) - 0.5 * gaussian_filter(dots.astype(float), 0.8, mode="wrap")
    else:
        y, x = np.mgrid[0:size, 0:size] * (2 * np.pi * 16 / size)
        shade = 1 + 0.20 * np.sin(x) * np.sin(y) * np.sign(np.sin((x + y) / 2)) + 0.10 * soft(1.5, 1.5)
    return np.clip(base * shade[..., None], 0.005, 0.95)


def surface(material: Material) -> dict[str, Any]:
    """Return the Mitsuba description of a material."""
    color: dict[str, Any] = {"type": "rgb", "value": linear(material.color)}
    if material.texture:
        bitmap = mi.TensorXf(texture(material.texture, material.color).astype(np.float32))
        color = {"type": "bitmap", "data": bitmap, "raw": True}
    principled = {
        "type": "principled", "base_color": color, "roughness": material.roughness, "metallic": material.metallic,
        "clearcoat": material.clearcoat, "clearcoat_gloss": 0.92, "specular": 0.5,
    }  # fmt: skip
    return {"type": "twosided", "bsdf": principled}


def shape(mesh: Mesh, turn: Array, lift: float, material: Material, folder: Path, name: str) -> dict[str, Any]:
    """Write a mesh as PLY, turned by a (3, 3) matrix and lifted by cm, and describe it to Mitsuba."""
    p, n = corners(mesh)
    # Box mapping: each face takes its texture from the axis that it faces most; grain runs along
    # the longest side of the part.
    face = np.abs(np.cross(p[1::3] - p[::3], p[2::3] - p[::3])).repeat(3, 0)
    grain = int(np.argmax(np.ptp(mesh.vertices, axis=0)))
    axis = face.argmax(1)
    along = np.where(axis == grain, (grain + 1) % 3, grain)
    across = 3 - axis - along
    rows = np.arange(len(p))
    uv = np.stack([p[rows, along], p[rows, across] + 0.37 * p[rows, axis]], 1) / material.scale
    record = np.concatenate([p @ turn.T + [0, 0, lift], n @ turn.T, uv], 1).astype("<f4")
    faces = np.empty(len(p) // 3, dtype=[("n", "u1"), ("v", "<i4", 3)])
    faces["n"], faces["v"] = 3, np.arange(len(p)).reshape(-1, 3)
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(p)}"]
    header += [f"property float {k}" for k in ("x", "y", "z", "nx", "ny", "nz", "u", "v")]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header\n"]
    path = folder / f"{name}.ply"
    path.write_bytes("\n".join(header).encode() + record.tobytes() + faces.tobytes())
    described: dict[str, Any] = {"type": "ply", "filename": str(path), "bsdf": surface(material)}
    if material.glow:
        radiance = [material.glow * c for c in linear(material.color)]
        described["emitter"] = {"type": "area", "radiance": {"type": "rgb", "value": radiance}}
    return described


def frame(points: Array, view: View) -> tuple[Array, Array]:
    """Return camera position and target (3,) so that the (N, 3) points fill the asked share."""
    e = np.deg2rad(view.elevation)
    back = np.array([0.0, -np.cos(e), np.sin(e)])
    right, up = np.array([1.0, 0.0, 0.0]), np.array([0.0, np.sin(e), np.cos(e)])
    target, distance = points.mean(0), 10 * float(np.ptp(points, axis=0).max())
    half = np.tan(np.deg2rad(FIELD_OF_VIEW / 2))
    for _ in range(12):
        seen = points - target
        depth = (distance - seen @ back) * half
        x, y = seen @ right / depth, seen @ up / depth
        middle = np.array([x.max() + x.min(), y.max() + y.min()]) / 2
        target = target + (middle[0] * right + middle[1] * up) * distance * half
        distance *= max(np.ptp(x), np.ptp(y)) / 2 / min(view.fill, 0.8)
    # A close-up keeps the distance's perspective and walks the camera in towards its aim.
    target = target + (view.aim[0] * right + view.aim[1] * up) * distance * half
    return target + back * distance * min(view.fill, 0.8) / view.fill, target


def light(
    where: tuple[float, float, float], size: float, power: float, unit: float, aspect: float = 1.0
) -> dict[str, Any]:
    """Return a softbox aimed at the origin; ``where`` and ``size`` are in units of the product's size."""
    to_world = mi.ScalarTransform4f().look_at([w * unit for w in where], [0, 0, 0.3 * unit], [0, 0.1, 1])
    to_world = to_world @ mi.ScalarTransform4f().scale([size * unit, size * aspect * unit, 1])
    return {
        "type": "rectangle",
        "to_world": to_world,
        "emitter": {"type": "area", "radiance": {"type": "rgb", "value": power}},
    }


def backdrop(view: View, unit: float, folder: Path) -> dict[str, Any]:
    """Return the ground, the wall and the lights, scaled to a product of ``unit`` cm."""
    scale = mi.ScalarTransform4f().scale([unit * 40, unit * 40, 1])
    if view.backdrop == "studio":
        white = {"type": "diffuse", "reflectance": {"type": "rgb", "value": 0.88}}
        return {
            "ground": {"type": "rectangle", "to_world": scale, "bsdf": white},
            "fill": {"type": "constant", "radiance": {"type": "rgb", "value": 0.62}},
            "key": light((-1.9, -1.6, 2.6), 0.8, 5.2, unit),
            "rim": light((2.6, 0.7, 1.5), 0.35, 5.0, unit, 3.0),
            "strip": light((-2.4, 1.6, 0.9), 0.25, 4.0, unit, 3.0),
        }
    from meshes import box  # the table is the only mesh that belongs to the studio

    wood = Material("#b98d62", 0.5, clearcoat=0.15, texture="wood", scale=unit * 1.1)
    table = box(unit * 14, unit * 5, unit * 0.3, unit * 0.02).moved(y=unit * 0.2, z=-unit * 0.3)
    wall = mi.ScalarTransform4f().translate([0, unit * 2.7, 0]).rotate([1, 0, 0], 90).scale([unit * 40, unit * 40, 1])
    color = {"type": "rgb", "value": linear(view.backdrop.split(":")[1])}
    bars: dict[str, Any] = {}
    # Four dark bars before the sun throw the shadow of a window.
    for i, (x, z, w, h) in enumerate([(0, 0, 0.06, 2), (0, 0, 2, 0.06), (-0.8, 0, 0.08, 2), (0.8, 0, 0.08, 2)]):
        place = mi.ScalarTransform4f().look_at(
            [-2.6 * unit, -1.3 * unit, 2.6 * unit], [0, 0.8 * unit, 0.5 * unit], [0, 0, 1]
        )
        place = place @ mi.ScalarTransform4f().translate([x * unit, z * unit, 0]).scale([w * unit, h * unit, 1])
        bars[f"bar{i}"] = {
            "type": "rectangle",
            "to_world": place,
            "bsdf": {"type": "diffuse", "reflectance": {"type": "rgb", "value": 0.05}},
        }
    return {
        "table": shape(table, np.eye(3), 0.0, wood, folder, "table"),
        "wall": {
            "type": "rectangle",
            "to_world": wall,
            "bsdf": {"type": "twosided", "bsdf": {"type": "diffuse", "reflectance": color}},
        },
        "fill": {"type": "constant", "radiance": {"type": "rgb", "value": [0.50, 0.54, 0.60]}},
        "sun": light((-11, -8, 9.5), 0.55, 260.0, unit),
        **bars,
    }


def expose(radiance: Array, view: View) -> Pixels:
    """Return the 8-bit sRGB picture of linear (H, W, 3) radiance, the studio's paper near white."""
    if view.backdrop == "studio":
        edge = np.concatenate(
            [radiance[:12].reshape(-1, 3), radiance[:, :12].reshape(-1, 3), radiance[:, -12:].reshape(-1, 3)]
        )
        radiance = radiance * 0.94 / np.percentile(edge.mean(1), 60)
    else:
        radiance = radiance * 0.95
    # Linear to 0.7, then a shoulder that never clips abruptly.
    over = np.maximum(radiance - 0.7, 0)
    toned = np.minimum(radiance, 0.7) + 0.3 * (1 - np.exp(-over / 0.19))
    srgb = np.where(toned <= 0.0031308, 12.92 * toned, 1.055 * np.maximum(toned, 1e-6) ** (1 / 2.4) - 0.055)
    return np.asarray(np.clip(srgb * 255 + 0.5, 0, 255), dtype=np.uint8)


def place(parts: Parts, view: View) -> tuple[Array, float, Array]:
    """Return the turn (3, 3), the lift in cm that puts the product on the table, and its points (N, 3)."""
    turn = rotation("x", view.tip) @ rotation("z", view.yaw)
    points = np.concatenate([mesh.vertices for mesh, _ in parts]) @ turn.T
    lift = -float(points[:, 2].min())
    return turn, lift, points + [0, 0, lift]


def photograph(product: str, view: View, samples: int, seed: int, size: int = SIZE) -> Pixels:
    """Return the (size, size, 3) picture of a product."""
    parts = BUILDERS[product](view.look)
    turn, lift, points = place(parts, view)
    center = (points.max(0) + points.min(0)) / 2
    turn_center = np.array([center[0], center[1], 0.0])
    points = points - turn_center
    unit = float(np.ptp(points, axis=0).max())
    origin, target = frame(points, view)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scene: dict[str, Any] = {"type": "scene", **backdrop(view, unit, folder)}
        for i, (mesh, material) in enumerate(parts):
            shifted = mesh.moved(*(-(turn.T @ turn_center)))
            scene[f"part{i}"] = shape(shifted, turn, lift, material, folder, f"part{i}")
        nested = {"type": "path", "max_depth": 7}
        scene["integrator"] = {"type": "aov", "aovs": "albedo:albedo,nn:sh_normal", "color": nested}
        scene["sensor"] = {
            "type": "perspective", "fov": FIELD_OF_VIEW,
            "to_world": mi.ScalarTransform4f().look_at(origin.tolist(), target.tolist(), [0, 0.01, 1]),
            "film": {"type": "hdrfilm", "width": size, "height": size, "rfilter": {"type": "box"}},
            "sampler": {"type": "multijitter", "sample_count": samples},
        }  # fmt: skip
        layers = np.array(mi.render(mi.load_dict(scene), spp=samples, seed=seed), dtype=np.float32)
    color, albedo, normal = (np.ascontiguousarray(np.nan_to_num(layers[..., i : i + 3])) for i in (0, 3, 6))
    return expose(
        np.asarray(pyoidn.denoise(color, albedo=np.clip(albedo, 0, 1), normal=normal, hdr=True), dtype=float), view
    )
