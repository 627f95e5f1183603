"""What an optimisation is told as: the difference on held-out questions, and what led there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from promptkit.algorithms.stats.paired import Difference, mean_interval, paired_difference
from promptkit.bench.shares import points
from promptkit.optimizing.asking import Purse
from promptkit.optimizing.racing import GAIN, Race, Runner
from promptkit.prompts import Prompt

Held = tuple[list[float], list[float], int]


def told(race: Race, leader: Runner | None, held: Held | None, purse: Purse, parent: Prompt) -> dict[str, Any]:
    """The report as JSON: `verdict` is better, none, worse or unmeasured."""
    gap = paired_difference(held[0], held[1]) if held and held[0] else None
    unmeasured = "none" if race.hopeless else "unmeasured"
    verdict = unmeasured if gap is None else "better" if gap.low > 0 else "worse" if gap.high < 0 else "none"
    body: dict[str, Any] = {
        "verdict": verdict,
        "sentence": _sentence(verdict, leader, gap, len(held[0]) if held else 0, cut=race.cut),
        "parent": {"id": parent.id, "digest": parent.digest, "version": parent.version, "path": str(parent.path)},
        "chosen": leader.name if leader else None,
        "prompt": leader.prompt.files[0][1] if leader else None,
        "held_out": _held(held, gap) if held else None,
        "training": {
            "n": race.looks,
            "about": "candidates were chosen by these figures, which are therefore no result",
            "smallest_gain": GAIN,
            "candidates": [_runner(each, race.baseline) for each in (race.baseline, *race.runners)],
        },
        "spent": {"calls": purse.spent_calls, "tokens": purse.spent_tokens},
        "budget": {"calls": purse.calls, "tokens": purse.tokens, "reached": race.cut},
    }
    return body


def _sentence(verdict: str, leader: Runner | None, gap: Difference | None, n: int, *, cut: bool) -> str:
    if verdict == "none" and gap is None:
        least = f"{100 * GAIN:.0f} points"
        return f"no better prompt found: in the race no candidate kept a chance of being {least} ahead of the baseline"
    if leader is None or gap is None:
        why = "the budget ended before the held-out questions" if cut else "there was no candidate to measure"
        return f"nothing was measured: {why}"
    told = f"{points(gap)} on {n} held-out questions"
    if verdict == "better":
        return f"{leader.name} is better than the baseline: {told}"
    if verdict == "worse":
        return f"no better prompt found; the best candidate, {leader.name}, is behind: {told}"
    return f"no difference found between {leader.name} and the baseline: {told}"


def _held(held: Held, gap: Difference | None) -> dict[str, Any]:
    ours, theirs, failed = held
    body: dict[str, Any] = {"n": len(ours), "failed": failed}
    if gap is None:
        return body
    body |= {"right": fmean(ours), "interval": list(mean_interval(ours)), "baseline": fmean(theirs)}
    body |= {"baseline_interval": list(mean_interval(theirs))}
    return body | {"difference": gap.mean, "low": gap.low, "high": gap.high, "p": gap.p}


def _runner(each: Runner, baseline: Runner) -> dict[str, Any]:
    body: dict[str, Any] = {"name": each.name, "instruction": each.instruction, "digest": each.prompt.digest}
    body |= {"n": sum(score is not None for score in each.scores), "failed": sum(s is None for s in each.scores)}
    body |= {"training_right": each.mean}
    if each is baseline:
        return body
    return body | {"e_value": float(f"{each.evidence.value:.4g}"), "gap": each.evidence.mean, "left": each.left or None}


LONGEST = 60  # characters of an instruction in a table
HEAD = ("candidate", "trained on", "training score", "e-value", "then", "instruction")


def rows(report: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The candidates as lines of a table; the chosen one says so."""
    found: list[tuple[str, ...]] = []
    for each in report["training"]["candidates"]:
        right = "-" if each["training_right"] is None else f"{100 * each['training_right']:.0f} %"
        then = each.get("left") or ("held-out" if each["name"] == report["chosen"] else "")
        evidence = f"{each['e_value']:.3g}" if "e_value" in each else ""
        said = " ".join(each["instruction"].split())
        said = said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"
        found.append((each["name"], str(each["n"]), right, evidence, then, said))
    return found


def shares(report: Mapping[str, Any]) -> str:
    """The held-out shares of both, in words."""
    held = report["held_out"]
    if not held or "right" not in held:
        return "held-out: not asked" if report["verdict"] == "none" else "held-out: not measured"
    lost = f"; {held['failed']} pairs lost to failed calls" if held["failed"] else ""
    ours, theirs = _share(held["right"], held["interval"]), _share(held["baseline"], held["baseline_interval"])
    return f"held-out, n = {held['n']}: {report['chosen']} {ours}, baseline {theirs}{lost}"


def _share(mean: float, interval: Sequence[float]) -> str:
    return f"{100 * mean:.1f} % ({100 * interval[0]:.0f} to {100 * interval[1]:.0f})"
