"""Parametric triangle meshes for the example catalog (NumPy only).

Lengths are centimetres, z points up and the front of a product looks along -y.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh: vertices (N, 3) in cm and faces (M, 3) of vertex numbers."""

    vertices: Array
    faces: Index

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Mesh:
        """Return the mesh shifted by x, y, z cm."""
        return Mesh(self.vertices + np.array([x, y, z]), self.faces)

    def scaled(self, x: float, y: float, z: float) -> Mesh:
        """Return the mesh scaled per axis; the factors must be positive."""
        return Mesh(self.vertices * np.array([x, y, z]), self.faces)

    def turned(self, axis: str, degrees: float) -> Mesh:
        """Return the mesh turned about the x, y or z axis through the origin."""
        return Mesh(self.vertices @ rotation(axis, degrees).T, self.faces)

    def warped(self, change: Callable[[Array], Array]) -> Mesh:
        """Return the mesh with its (N, 3) vertices passed through a function."""
        return Mesh(change(self.vertices.copy()), self.faces)


def rotation(axis: str, degrees: float) -> Array:
    """Return the (3, 3) matrix of a right-handed turn about a named axis."""
    a = np.deg2rad(degrees)
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = np.cos(a)
    matrix[i, j], matrix[j, i] = -np.sin(a), np.sin(a)
    return matrix


def join(*meshes: Mesh) -> Mesh:
    """Return one mesh with the triangles of all the given ones."""
    starts = np.cumsum([0] + [len(m.vertices) for m in meshes[:-1]])
    faces = [m.faces + start for m, start in zip(meshes, starts, strict=True)]
    return Mesh(np.concatenate([m.vertices for m in meshes]), np.concatenate(faces))


def spline(points: ArrayLike, steps: int = 10) -> Array:
    """Return a Catmull-Rom curve (K, D) through the (P, D) points."""
    p = np.asarray(points, dtype=float)
    p = np.concatenate([[2 * p[0] - p[1]], p, [2 * p[-1] - p[-2]]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        cubic = 3 * (b - c) + d - a
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + cubic * t**3))
    return np.concatenate([*pieces, p[-2:-1]])


def grid(points: Array, wrap_rows: bool = False, wrap_cols: bool = False) -> Mesh:
    """Return the surface over a (R, C, 3) grid of points, closed where asked."""
    rows, cols = points.shape[:2]
    r = np.arange(rows if wrap_rows else rows - 1)[:, None]
    c = np.arange(cols if wrap_cols else cols - 1)[None, :]
    r1, c1 = (r + 1) % rows, (c + 1) % cols
    a, b, d, e = (np.ravel(i * cols + j) for i, j in ((r, c), (r, c1), (r1, c1), (r1, c)))
    faces = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, e], 1)])
    return Mesh(points.reshape(-1, 3), faces)


def lathe(profile: ArrayLike, segments: int = 128) -> Mesh:
    """Return the surface of revolution about z of a (P, 2) profile of (radius, z)."""
    rz = np.asarray(profile, dtype=float)
    a = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    shape = (len(rz), segments)
    x, y = rz[:, :1] * np.cos(a), rz[:, :1] * np.sin(a)
    return grid(np.stack([x, y, np.broadcast_to(rz[:, 1:], shape)], axis=2), wrap_cols=True)


def cylinder(radius: float, height: float, bevel: float = 0.0, segments: int = 64) -> Mesh:
    """Return a closed cylinder standing on z = 0, its two edges rounded by a bevel."""
    bevel = max(bevel, 1e-4)
    a = np.linspace(-np.pi / 2, 0, 6)
    low = np.stack([radius - bevel + bevel * np.cos(a), bevel + bevel * np.sin(a)], 1)
    high = np.stack([low[::-1, 0], height - low[::-1, 1]], 1)
    return lathe(np.concatenate([[[0, 0]], low, high, [[0, height]]]), segments)


def tube(path: ArrayLike, radius: ArrayLike, sides: int = 24, closed: bool = False, flat: float = 1.0) -> Mesh:
    """Return a tube along a (K, 3) path; radius is one number or K of them.

    ``flat`` scales the section across the path's own plane, which makes straps.
    """
    p = np.asarray(path, dtype=float)
    r = np.broadcast_to(np.asarray(radius, dtype=float), (len(p),))
    ahead = np.roll(p, -1, 0) - np.roll(p, 1, 0) if closed else np.gradient(p, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    # Parallel transport: each section's normal is the last one, made square to the path.
    normal = np.cross(ahead[0], [0.0, 0.0, 1.0] if abs(ahead[0, 2]) < 0.9 else [0.0, 1.0, 0.0])
    a = np.linspace(0, 2 * np.pi, sides, endpoint=False)[:, None]
    rings = []
    for point, forward, size in zip(p, ahead, r, strict=True):
        normal = normal - forward * (normal @ forward)
        normal /= np.linalg.norm(normal)
        rings.append(point + size * (flat * np.cos(a) * normal + np.sin(a) * np.cross(forward, normal)))
    if not closed:
        rings = [np.repeat(p[:1], sides, 0), *rings, np.repeat(p[-1:], sides, 0)]
    return grid(np.stack(rings), wrap_rows=closed, wrap_cols=True)


def ring(radius: float, thickness: float, segments: int = 96) -> Mesh:
    """Return a torus about z at z = 0."""
    a = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    path = np.stack([radius * np.cos(a), radius * np.sin(a), 0 * a], 1)
    return tube(path, thickness, sides=16, closed=True)


def rod(start: Sequence[float], end: Sequence[float], radius: ArrayLike) -> Mesh:
    """Return a straight round bar; radius is one number or (at start, at end)."""
    t = np.linspace(0, 1, 9)[:, None]
    ends = np.broadcast_to(np.asarray(radius, dtype=float), (2,))
    return tube(np.asarray(start) * (1 - t) + np.asarray(end) * t, np.linspace(ends[0], ends[1], 9))


def box(x: float, y: float, z: float, radius: float = 0.15, steps: int = 6) -> Mesh:
    """Return a box of the given size with rounded edges, standing on z = 0."""
    half = np.array([x, y, z]) / 2
    radius = min(radius, 0.999 * half.min())
    t = np.concatenate([np.linspace(-1, -1e-3, steps), np.linspace(1e-3, 1, steps)])
    u, v = np.meshgrid(np.tan(t * np.pi / 4), np.tan(t * np.pi / 4), indexing="ij")
    sides = []
    for axis in range(3):
        for sign in (1.0, -1.0):
            d = np.stack([np.full_like(u, 1.0), u * sign, v], axis=2) * [sign, 1.0, 1.0]
            d = np.roll(d, axis, axis=2)
            d /= np.linalg.norm(d, axis=2, keepdims=True)
            sides.append(grid(np.sign(d) * (half - radius) + radius * d))
    return join(*sides).moved(z=z / 2)


def blob(x: float, y: float, z: float, square: float = 1.0, steps: int = 96) -> Mesh:
    """Return a superellipsoid of the given size about the origin; square < 1 is boxier."""
    a = np.linspace(0, 2 * np.pi, steps, endpoint=False)[None, :]
    b = np.linspace(-np.pi / 2, np.pi / 2, steps // 2 + 1)[:, None]

    def power(v: Array) -> Array:
        return np.asarray(np.sign(v) * np.abs(v) ** square)

    px, py = power(np.cos(b)) * power(np.cos(a)), power(np.cos(b)) * power(np.sin(a))
    pz = np.broadcast_to(power(np.sin(b)), px.shape)
    return grid(np.stack([px * x / 2, py * y / 2, pz * z / 2], 2), wrap_cols=True)


def extrude(outline: ArrayLike, height: float, bevel: float = 0.1) -> Mesh:
    """Return a prism over a star-shaped (K, 2) counter-clockwise outline, edges rounded."""
    o = np.asarray(outline, dtype=float)
    edge = np.roll(o, -1, 0) - np.roll(o, 1, 0)
    outward = np.stack([edge[:, 1], -edge[:, 0]], 1) / np.linalg.norm(edge, axis=1, keepdims=True)
    layers = []
    for a in np.linspace(-np.pi / 2, 0, 6):
        layers.append((o + outward * bevel * (np.cos(a) - 1), bevel * (1 + np.sin(a))))
    layers += [(xy, height - z) for xy, z in reversed(layers)]
    middle = np.broadcast_to(o.mean(0), o.shape)
    layers = [(middle, 0.0), *layers, (middle, height)]
    points = [np.column_stack([xy, np.full(len(o), z)]) for xy, z in layers]
    return grid(np.stack(points), wrap_cols=True)


def sheet(points: Array, thickness: float) -> Mesh:
    """Return a closed shell around a (R, C, 3) surface, thickened along its normals."""
    du, dv = np.gradient(points, axis=0), np.gradient(points, axis=1)
    normal = np.cross(du, dv)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    front, back = points + normal * thickness / 2, points - normal * thickness / 2

    def rim(p: Array) -> Array:
        return np.concatenate([p[0], p[1:, -1], p[-1, -2::-1], p[-2:0:-1, 0]])

    a, b = rim(front), rim(back)
    # A third row pushed outwards rounds the rim, so that it catches the light.
    out = (a + b) / 2 + (rim(points) - rim(_inset(points))) * 0.5
    return join(grid(front[:, ::-1]), grid(back), grid(np.stack([a, out, b]), wrap_cols=True))


def _inset(points: Array) -> Array:
    """Return the grid with its outer points pulled to the next inner ones."""
    rows, cols = points.shape[:2]
    r = np.clip(np.arange(rows), 1, rows - 2)
    c = np.clip(np.arange(cols), 1, cols - 2)
    return np.asarray(points[np.ix_(r, c)])


def corners(mesh: Mesh, crease: float = 38.0) -> tuple[Array, Array]:
    """Return positions and normals (3M, 3) of the face corners, edges sharper than crease kept."""
    _, welded = np.unique(np.round(mesh.vertices, 5), axis=0, return_inverse=True)
    faces = welded.reshape(-1)[mesh.faces]
    p = mesh.vertices[mesh.faces]
    area = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    size = np.linalg.norm(area, axis=1)
    keep = size > 1e-12
    faces, p, area, unit = faces[keep], p[keep], area[keep], area[keep] / size[keep, None]
    flat = faces.reshape(-1)
    order = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[order], np.arange(flat.max() + 2))
    owner = np.arange(len(flat)) // 3
    count = np.diff(starts)[flat]
    # Pair every corner with all the corners at the same welded vertex.
    mine = np.repeat(np.arange(len(flat)), count)
    offset = np.arange(len(mine)) - np.repeat(np.cumsum(count) - count, count)
    other = order[np.repeat(starts[flat], count) + offset]
    near = np.einsum("ij,ij->i", unit[owner[mine]], unit[owner[other]]) > np.cos(np.deg2rad(crease))
    normals = np.zeros((len(flat), 3))
    np.add.at(normals, mine[near], area[owner[other[near]]])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return p.reshape(-1, 3), normals


def smooth_profile(*pieces: ArrayLike, steps: int = 10) -> Array:
    """Return a (K, 2) lathe profile of splines that meet in sharp corners."""
    curves = [spline(piece, steps) if len(np.asarray(piece)) > 2 else np.asarray(piece, float) for piece in pieces]
    return np.concatenate([curves[0], *(nxt for _, nxt in pairwise(curves))])
