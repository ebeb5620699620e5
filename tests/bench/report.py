"""From single runs to medians, ratios, tables and targets. Nothing here measures anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from tests.bench.workloads import Figures

OURS = "native"
COMPARED = ("nats", "asio", "twin", "blast")
"""The peers of the table of ratios."""


@dataclass(frozen=True)
class Run:
    """One repetition of one workload with one peer: its figures, or why they are not reported."""

    workload: str
    peer: str
    repetition: int
    figures: Figures | None
    refused: str = ""


@dataclass(frozen=True)
class Summary:
    """All repetitions together. `figures` are medians over the complete runs, None when there was none."""

    workload: str
    peer: str
    runs: int
    figures: Figures | None
    lowest: Figures
    highest: Figures
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """How one figure is shown. `ratio`: ours divided by the peer's stands beside it."""

    figure: str
    title: str
    ratio: bool = False


COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "saturated": (
        Column("rate", "deliveries/s", ratio=True),
        Column("cpu_us", "CPU µs/delivery", ratio=True),
        Column("server_busy", "server cores"),
        Column("load_busy", "load cores"),
        Column("peak_mib", "peak MiB"),
    ),
    "sustained": (
        Column("rate", "deliveries/s", ratio=True),
        Column("slowest_part", "slowest part"),
        Column("last_part", "last part"),
        Column("cpu_us", "CPU µs/delivery", ratio=True),
        Column("rss_begin_mib", "RSS MiB, begin"),
        Column("rss_end_mib", "RSS MiB, end"),
        Column("history_mib", "history MiB"),
    ),
    "latency": (
        Column("median_ms", "median ms", ratio=True),
        Column("p99_ms", "p99 ms", ratio=True),
        Column("max_ms", "max ms"),
        Column("cpu_us", "CPU µs/delivery"),
        Column("load_busy", "load cores"),
    ),
    "grep": (
        Column("search_median_ms", "search median ms"),
        Column("search_p99_ms", "search p99 ms"),
        Column("searches_a_second", "searches/s"),
        Column("p99_ms", "talkers' p99 ms"),
        Column("alone_p99_ms", "p99 ms without"),
        Column("indexed_a_second", "indexed lines/s"),
    ),
    "connect": (
        Column("connect_s", "all admitted s", ratio=True),
        Column("settled_s", "all told s"),
        Column("members_a_second", "members/s"),
    ),
    "idle": (
        Column("kib_per_member", "KiB/member", ratio=True),
        Column("idle_cpu_percent", "CPU %"),
        Column("rss_mib", "RSS MiB"),
    ),
    "start-up": (Column("startup_ms", "ms until ready", ratio=True),),
    "never-reading": (
        Column("rate_without", "deliveries/s without"),
        Column("rate", "with it"),
        Column("kept_percent", "kept %"),
        Column("peak_mib_without", "peak MiB without"),
        Column("peak_mib", "with it"),
    ),
    "watched": (
        Column("rate_without", "deliveries/s without"),
        Column("rate", "with it"),
        Column("kept_percent", "kept %"),
        Column("cpu_us_without", "CPU µs/delivery without"),
        Column("cpu_us", "with it"),
        Column("look_median_ms", "look median ms"),
        Column("look_max_ms", "look max ms"),
    ),
    "catch-up": (
        Column("catch_up_s", "seconds"),
        Column("events_a_second", "events/s"),
        Column("median_ms", "others' median ms"),
        Column("p99_ms", "others' p99 ms"),
        Column("fill_a_second", "stored events/s"),
    ),
    "coming-back": (
        Column("catch_up_s", "seconds until LIVE"),
        Column("events_a_second", "events/s"),
        Column("median_ms", "others' median ms"),
        Column("p99_ms", "others' p99 ms"),
        Column("made_a_second", "made events/s"),
        Column("history_mib", "history MiB"),
    ),
}


def columns(workload: str) -> tuple[Column, ...]:
    """The figures that the report shows of a workload."""
    kind = workload.removeprefix("tls-")
    if kind.startswith(("long-text", "mixed", "channels")):
        kind = "saturated"
    return next(shown for prefix, shown in COLUMNS.items() if kind.startswith(prefix))


def summarize(runs: Iterable[Run]) -> list[Summary]:
    """One summary for each workload and peer, in the order in which they first came."""
    grouped: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        grouped.setdefault((run.workload, run.peer), []).append(run)
    return [_summary(workload, peer, group) for (workload, peer), group in grouped.items()]


def _summary(workload: str, peer: str, runs: list[Run]) -> Summary:
    complete = [run.figures for run in runs if run.figures is not None]
    names = complete[0] if complete else {}
    values = {name: [figures[name] for figures in complete] for name in names}
    return Summary(
        workload,
        peer,
        len(runs),
        {name: median(found) for name, found in values.items()} if complete else None,
        {name: min(found) for name, found in values.items()},
        {name: max(found) for name, found in values.items()},
        tuple(run.refused for run in runs if run.figures is None),
    )


def ratio(summaries: Iterable[Summary], workload: str, peer: str, figure: str) -> float | None:
    """Our median divided by the peer's; None when one of them is missing or the peer's is zero."""
    found = {s.peer: s.figures for s in summaries if s.workload == workload and s.figures}
    ours, theirs = found.get(OURS), found.get(peer)
    if not ours or not theirs or not theirs.get(figure):
        return None
    return ours[figure] / theirs[figure]


@dataclass(frozen=True)
class Ratio:
    """Our median of a figure divided by a peer's, and the range of the same within each repetition."""

    workload: str
    figure: str
    title: str
    peer: str
    ratio: float
    lowest: float
    highest: float


def ratios(runs: Iterable[Run]) -> list[Ratio]:
    """The ratios of every figure that is compared to the peers of COMPARED."""
    runs = list(runs)
    summaries = summarize(runs)
    found = []
    for workload in dict.fromkeys(summary.workload for summary in summaries):
        for column in columns(workload):
            for peer in COMPARED if column.ratio else ():
                value = ratio(summaries, workload, peer, column.figure)
                if value is not None:
                    each = _ratios_of_repetitions(runs, workload, peer, column.figure) or [value]
                    found.append(
                        Ratio(workload, column.figure, column.title, peer, value, min(each), max(each))
                    )
    return found


def _ratios_of_repetitions(runs: list[Run], workload: str, peer: str, figure: str) -> list[float]:
    """One for each repetition in which both runs were complete."""
    found = {(run.peer, run.repetition): run.figures for run in runs if run.workload == workload}
    pairs = [(figures, found.get((peer, key[1]))) for key, figures in found.items() if key[0] == OURS]
    return [ours[figure] / theirs[figure] for ours, theirs in pairs if ours and theirs and theirs[figure]]


def ratio_table(found: list[Ratio]) -> str:
    """Text for a terminal: a line for each figure of each workload, a column for each peer."""
    lines = [f"{'ours divided by':44}" + "".join(f"{peer:>24}" for peer in COMPARED)]
    for workload, title in dict.fromkeys((one.workload, one.title) for one in found):
        cells = {one.peer: one for one in found if (one.workload, one.title) == (workload, title)}
        shown = [_ratio_cell(cells.get(peer)) for peer in COMPARED]
        lines.append(f"  {workload:24}{title:18}{''.join(f'{cell:>24}' for cell in shown)}".rstrip())
    return "\n".join(lines)


def _ratio_cell(one: Ratio | None) -> str:
    if one is None:
        return "-"
    between = f" ({one.lowest:.3g}–{one.highest:.3g})" if one.lowest < one.highest else ""
    return f"{one.ratio:.3g}{between}"


def number(value: float) -> str:
    """Three significant digits, with M and k."""
    if abs(value) >= 99_950:
        return f"{value / 1e6:.3g} M"
    if abs(value) >= 10_000:
        return f"{value / 1e3:.3g} k"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def table(summaries: list[Summary]) -> str:
    """Text for a terminal: a block for each workload, a line for each peer."""
    blocks = []
    for workload in dict.fromkeys(s.workload for s in summaries):
        group = [s for s in summaries if s.workload == workload]
        shown = columns(workload)
        lines = [f"{workload}", f"  {'':10}" + "".join(f"{column.title:>24}" for column in shown)]
        lines += [_line(summary, shown, summaries) for summary in group]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _line(summary: Summary, shown: tuple[Column, ...], summaries: list[Summary]) -> str:
    cells = ""
    for column in shown if summary.figures else ():
        assert summary.figures is not None
        cell = number(summary.figures[column.figure])
        if column.ratio and summary.peer != OURS:
            ours = ratio(summaries, summary.workload, summary.peer, column.figure)
            cell += f" (ours ×{ours:.3g})" if ours is not None else ""
        cells += f"{cell:>24}"
    line = f"  {summary.peer:10}{cells}".rstrip()
    if summary.lowest != summary.highest:
        line += f"\n  {'':10}" + "".join(f"{_range(summary, column):>24}" for column in shown).rstrip()
    for reason in summary.refused:
        line += f"\n  {summary.peer:10}REFUSED (one of {summary.runs}): {reason}"
    return line


def _range(summary: Summary, column: Column) -> str:
    return f"{number(summary.lowest[column.figure])}–{number(summary.highest[column.figure])}"


@dataclass(frozen=True)
class Target:
    """A figure of our server, or its ratio to a peer's, and the bound for it.

    beside: instead of a peer, our own workload to which the ratio is
    """

    workload: str
    figure: str
    peer: str
    bound: float
    least: bool  # True: at least the bound; False: at most
    beside: str = ""


TARGETS = (
    Target("saturated-100x1-64", "rate", "asio", 15, True),
    Target("saturated-100x1-64", "rate", "nats", 3, True),
    Target("saturated-100x1-64", "rate", "blast", 0.4, True),
    Target("saturated-5000x10-64", "rate", "asio", 100, True),
    Target("saturated-5000x10-64", "rate", "nats", 6, True),
    Target("saturated-100x1-64", "cpu_us", "asio", 0.1, False),
    Target("latency-100-1000", "median_ms", "asio", 1.1, False),
    Target("latency-100-1000", "median_ms", "nats", 1.1, False),
    Target("latency-100-1000", "p99_ms", "asio", 1, False),
    Target("latency-100-1000", "p99_ms", "nats", 1, False),
    Target("connect-10000", "connect_s", "", 20, False),
    Target("latency-10000-20", "median_ms", "nats", 0.2, False),
    Target("idle-1000", "kib_per_member", "", 30, False),
    Target("idle-1000", "idle_cpu_percent", "", 0.5, False),
    Target("never-reading-100", "kept_percent", "", 95, True),
    Target("grep-1000000", "search_median_ms", "", 50, False),
    Target("channels-1000x8", "cpu_us", "", 1.3, False, beside="channels-1000x1"),
    Target("channels-1000x8of80", "cpu_us", "", 1.3, False, beside="channels-1000x1of10"),
    Target("channels-idle-1000", "cpu_us", "", 1.3, False, beside="channels-1000x1"),
)


def targets(summaries: list[Summary]) -> str:
    """Which targets are reached; those whose workload or peer was not run are left out."""
    lines = []
    for target in TARGETS:
        if target.peer:
            value = ratio(summaries, target.workload, target.peer, target.figure)
        else:
            value = _of_ours(summaries, target.workload, target.figure)
            if value is not None and target.beside:
                other = _of_ours(summaries, target.beside, target.figure)
                value = value / other if other else None
        if value is None:
            continue
        reached = value >= target.bound if target.least else value <= target.bound
        compared = target.peer or target.beside
        wanted = f"{'≥' if target.least else '≤'} {target.bound:g}" + (f" × {compared}" if compared else "")
        verdict = "reached" if reached else "MISSED"
        lines.append(f"  {verdict:8} {target.workload:24} {target.figure:16} {wanted:28} is {value:.3g}")
    return "\n".join(lines)


def _of_ours(summaries: list[Summary], workload: str, figure: str) -> float | None:
    """Our median; None when it is missing."""
    figures = [s.figures for s in summaries if s.workload == workload and s.peer == OURS]
    return figures[0][figure] if figures and figures[0] else None
