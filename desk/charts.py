"""Bar charts as SVG: each bar a link to its rows, readable without scripts."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 140
GAP = 2


@dataclass(frozen=True)
class Bar:
    """A value and the part of it that is drawn darker, such as calls and those that succeeded."""

    label: str
    value: float
    part: float
    description: str
    link: str | None = None


@dataclass(frozen=True)
class DrawnBar:
    """A bar in the coordinates of the picture."""

    bar: Bar
    x: float
    width: float
    height: float
    part_height: float

    @property
    def y(self) -> float:
        return HEIGHT - self.height

    @property
    def part_y(self) -> float:
        return HEIGHT - self.part_height


@dataclass(frozen=True)
class Chart:
    """What desk/chart.html draws."""

    title: str
    note: str
    bars: list[DrawnBar]
    top: str
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def first(self) -> str:
        return self.bars[0].bar.label if self.bars else ""

    @property
    def last(self) -> str:
        return self.bars[-1].bar.label if self.bars else ""


def draw(title: str, note: str, bars: Sequence[Bar]) -> Chart:
    """The bars beside each other, the highest over the whole height."""
    top = max((bar.value for bar in bars), default=0)
    step = WIDTH / max(len(bars), 1)
    scale = HEIGHT / top if top else 0
    drawn = [
        DrawnBar(
            bar,
            x=round(number * step, 2),
            width=round(step - GAP, 2),
            height=round(bar.value * scale, 2),
            part_height=round(bar.part * scale, 2),
        )
        for number, bar in enumerate(bars)
    ]
    return Chart(title, note, drawn, f"{top:,.0f}")
