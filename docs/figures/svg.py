"""A drawing as SVG, for both themes: colours are classes, which dark pages redefine. Same calls, same bytes."""

from __future__ import annotations

from html import escape
from pathlib import Path

__all__ = ["Drawing"]

#: class: (colour on light pages, colour on dark ones)
COLOURS = {
    "paper": ("#ffffff", "#1a1c20"),
    "ink": ("#1f2328", "#e4e6ea"),
    "soft": ("#6a727c", "#a0a8b2"),
    "line": ("#c5cbd3", "#4a515b"),
    "wash": ("#f0f3f6", "#272b31"),
    "blue": ("#2563c4", "#7fb2ff"),
    "orange": ("#c2570c", "#ffa35c"),
    "green": ("#1d7d46", "#6fd39a"),
    "violet": ("#7a3fb8", "#c79bff"),
}
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"


class Drawing:
    """Shapes in the order in which they are drawn; lengths are pixels of a page 100 % wide.

    Parameters
    ----------
    width, height : float
        Size.
    title : str
        What the figure shows, for people who cannot see it.
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self._shapes: list[str] = []

    def rect(
        self, x: float, y: float, width: float, height: float, *, fill: str = "wash", line: str = "line", r: float = 6
    ) -> None:
        """A box with round corners."""
        place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{r:g}"'
        self._shapes.append(f'<rect {place} class="f-{fill} s-{line}"/>')

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        *,
        colour: str = "ink",
        width: float = 1.5,
        dashed: bool = False,
    ) -> None:
        """A straight line."""
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        place = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
        self._shapes.append(f'<line {place} class="s-{colour}" stroke-width="{width:g}"{dash}/>')

    def path(
        self, d: str, *, colour: str = "ink", width: float = 1.5, arrow: bool = False, dashed: bool = False
    ) -> None:
        """A line along an SVG path, with an arrow at its end if asked for."""
        more = (' marker-end="url(#arrow)"' if arrow else "") + (' stroke-dasharray="5 4"' if dashed else "")
        self._shapes.append(f'<path d="{d}" class="n s-{colour}" stroke-width="{width:g}"{more}/>')

    def circle(self, x: float, y: float, r: float, *, fill: str = "paper", line: str = "ink") -> None:
        """A disc."""
        self._shapes.append(f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" class="f-{fill} s-{line}" stroke-width="1.5"/>')

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 13,
        colour: str = "ink",
        anchor: str = "middle",
        bold: bool = False,
        code: bool = False,
    ) -> None:
        """One line of words; `y` is where the letters stand."""
        weight = ' font-weight="600"' if bold else ""
        family = " font-family=\"ui-monospace, 'DejaVu Sans Mono', monospace\"" if code else ""
        place = f'x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{anchor}"'
        self._shapes.append(f'<text {place} class="f-{colour}"{weight}{family}>{escape(words)}</text>')

    def heading(self, words: str) -> None:
        """What the figure says, at its top."""
        self.text(24, 32, words, size=15, anchor="start", bold=True)

    def note(self, y: float, words: str) -> None:
        """A line of explanation."""
        self.text(24, y, words, size=12, colour="soft", anchor="start")

    def save(self, path: Path) -> None:
        """Write the file."""
        light = "".join(f".f-{name}{{fill:{day}}}.s-{name}{{stroke:{day}}}" for name, (day, _) in COLOURS.items())
        dark = "".join(f".f-{name}{{fill:{night}}}.s-{name}{{stroke:{night}}}" for name, (_, night) in COLOURS.items())
        shapes = "\n".join(self._shapes)
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'width="{self.width:g}" height="{self.height:g}" role="img" font-family="{FONT}">\n'
            f"<title>{escape(self.title)}</title>\n"
            f"<style>{light}.n{{fill:none}}@media (prefers-color-scheme:dark){{{dark}}}</style>\n"
            '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
            'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" class="f-soft"/></marker></defs>\n'
            f'<rect width="{self.width:g}" height="{self.height:g}" rx="10" class="f-paper"/>\n'
            f"{shapes}\n</svg>\n",
            encoding="utf-8",
        )
