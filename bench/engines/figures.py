"""From samples to figures: medians with quartiles, ratios, agreement of outputs; as a table and as JSON."""

import array
import dataclasses
import math
import pathlib
import statistics


@dataclasses.dataclass(frozen=True)
class Spread:
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float

    def text(self, digits: int) -> str:
        return f"{self.median:.{digits}f} [{self.low:.{digits}f} .. {self.high:.{digits}f}]"


def spread(values: list[float]) -> Spread:
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(middle, low, high)


@dataclasses.dataclass
class Row:
    """What one competitor did."""

    network: str
    name: str
    version: str = ""
    detail: str = ""
    unavailable: str = ""  # why there are no samples
    difference: float | None = None  # of the outputs from the network's reference; None: not compared
    reference: str = ""  # the competitor whose outputs were the reference
    disagrees: bool = False
    rounds: list[list[int]] = dataclasses.field(default_factory=list)  # nanoseconds of each run, by round

    def milliseconds(self) -> Spread:
        return spread([ns * 1e-6 for times in self.rounds for ns in times])

    def round_medians(self) -> list[float]:
        return [statistics.median(times) for times in self.rounds]


def ratio(ours: Row, theirs: Row) -> Spread:
    """How many times faster `ours` is. Each round gives one ratio, of medians that were measured within seconds of each
    other, so that a machine that slows down for a while slows both.
    """
    return spread([b / a for a, b in zip(ours.round_medians(), theirs.round_medians(), strict=True)])


def read_floats(file: pathlib.Path) -> array.array:
    values = array.array("f")
    values.frombytes(file.read_bytes())
    return values


def relative_difference(expected: array.array, actual: array.array) -> float:
    """|expected - actual| / |expected|, Euclidean. Infinite where the sizes differ or a value is not a number."""
    if len(expected) != len(actual):
        return math.inf
    distance = math.dist(expected, actual)
    size = math.hypot(*expected)
    if not math.isfinite(distance) or not math.isfinite(size):
        return math.inf
    return distance / size if size > 0 else (0.0 if distance == 0 else math.inf)


def format_table(header: list[str], rows: list[list[str]]) -> str:
    """First column left, the others right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = []
    for row in [header, ["-" * width for width in widths], *rows]:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def network_table(rows: list[Row], ours: str) -> str:
    """One network: its competitors, each beside ours."""
    base = next((row for row in rows if row.name == ours and row.rounds), None)
    cells = []
    for row in rows:
        if not row.rounds:
            continue
        if row.difference is None:
            agreement = "reference" if row.reference == row.name else "not compared"
        else:
            agreement = f"{row.difference:.1e}" + (" DISAGREES" if row.disagrees else "")
        cells.append(
            [
                row.name,
                row.version,
                row.milliseconds().text(3),
                str(sum(len(times) for times in row.rounds)),
                "" if base is None or base is row else ratio(base, row).text(2),
                agreement,
            ]
        )
    header = ["engine", "version", "ms: median [quartiles]", "runs", f"times {ours}", "output differs by"]
    text = format_table(header, cells)
    reasons = [f"{row.name}: unavailable: {row.unavailable}" for row in rows if row.unavailable]
    return "\n".join([text, *reasons])


def row_json(row: Row) -> dict[str, object]:
    result: dict[str, object] = {"network": row.network, "engine": row.name}
    if row.unavailable:
        return {**result, "unavailable": row.unavailable}
    return {
        **result,
        "version": row.version,
        "detail": row.detail,
        "ms": dataclasses.asdict(row.milliseconds()),
        "runs": sum(len(times) for times in row.rounds),
        "difference": row.difference,
        "reference": row.reference,
        "disagrees": row.disagrees,
    }
