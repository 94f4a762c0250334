"""Draw which room of the package imports which: docs/assets/rooms.svg, measured from the code's own imports.

Run `python docs/draw_rooms.py`; with `--check` it writes nothing and fails where the drawing is stale. It always fails
where the rooms form a circle.
"""

from __future__ import annotations

import sys
from graphlib import CycleError, TopologicalSorter
from html import escape
from pathlib import Path

import grimp

PACKAGE = "agpis_sdk"
DRAWING = Path(__file__).parent / "assets" / "rooms.svg"
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 124, 34, 22, 40, 20

STYLE = (
    "<style>text{font:13px system-ui,sans-serif;text-anchor:middle;fill:#0f172a}rect{fill:#f1f5f9;stroke:#94a3b8}"
    "line{stroke:#64748b}</style>"
)
ARROW_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 8 4 0 8z" fill="#64748b"/></marker></defs>'
)

Graph = dict[str, set[str]]


def room_graph() -> Graph:
    """Return for each room, a folder or file at the package's top level, the rooms that it imports at run time."""
    graph = grimp.build_graph(PACKAGE, exclude_type_checking_imports=True)
    rooms: Graph = {}
    for module in graph.modules:
        room = _room(module)
        if room is not None:
            imported = {_room(other) for other in graph.find_modules_directly_imported_by(module)}
            rooms.setdefault(room, set()).update(other for other in imported if other not in (None, room))
    return rooms


def levels(rooms: Graph) -> list[list[str]]:
    """Return the rooms in levels, each importing only from those after it; raises `CycleError` for a circle."""
    sorter = TopologicalSorter(rooms)
    sorter.prepare()
    found: list[list[str]] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        found.append(ready)
        sorter.done(*ready)
    return found[::-1]


def direct(rooms: Graph) -> Graph:
    """Return the graph without the imports that follow from others: a picture of all would be black."""
    below: Graph = {}

    def reach(room: str) -> set[str]:
        if room not in below:
            below[room] = set().union(*({other} | reach(other) for other in rooms[room])) if rooms[room] else set()
        return below[room]

    return {
        room: {other for other in imported if not any(other in reach(third) for third in imported - {other})}
        for room, imported in rooms.items()
    }


def drawing(rooms: Graph) -> str:
    """Return the SVG: a box a room, an arrow from who imports to what is imported."""
    rows = levels(rooms)
    widest = max(len(row) for row in rows)
    total = widest * (WIDTH + GAP_X) - GAP_X + 2 * MARGIN
    corners: dict[str, tuple[float, float]] = {}
    for number, row in enumerate(rows):
        left = (total - len(row) * (WIDTH + GAP_X) + GAP_X) / 2
        for place, room in enumerate(row):
            corners[room] = (left + place * (WIDTH + GAP_X), MARGIN + number * (HEIGHT + GAP_Y))
    lines = []
    for room, imported in sorted(direct(rooms).items()):
        for other in sorted(imported):
            (x, y), (to_x, to_y) = corners[room], corners[other]
            lines.append(
                f'<line x1="{x + WIDTH / 2:.0f}" y1="{y + HEIGHT:.0f}" x2="{to_x + WIDTH / 2:.0f}" y2="{to_y - 2:.0f}" '
                'marker-end="url(#tip)"/>'
            )
    boxes = [
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
        f'<text x="{x + WIDTH / 2:.0f}" y="{y + HEIGHT / 2 + 4:.0f}">{escape(room)}</text>'
        for room, (x, y) in sorted(corners.items())
    ]
    height = len(rows) * (HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height}" role="img" '
        'aria-label="Rooms of the package and what they import">'
    )
    ground = f'<rect width="{total}" height="{height}" style="fill:white;stroke:none"/>'
    return "\n".join([head, STYLE, ARROW_TIP, ground, *lines, *boxes, "</svg>", ""])


def _room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == PACKAGE else None


def main() -> int:
    """Write the drawing, or check it."""
    try:
        svg = drawing(room_graph())
    except CycleError as error:
        sys.stderr.write(f"rooms form a circle: {' -> '.join(error.args[1])}\n")
        return 1
    if "--check" not in sys.argv:
        DRAWING.write_text(svg, encoding="utf-8")
    elif not DRAWING.is_file() or DRAWING.read_text(encoding="utf-8") != svg:
        sys.stderr.write("stale: docs/assets/rooms.svg (run: make docs-write)\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
