"""Whether `promptkit optimize` finds what is there, and nothing where there is nothing, on the built-in model.

python -m benchmarks.optimize [SEEDS]

A planted task: one of four instructions is known to be better than the template's own (optimize-words). A null task:
none of four is better than the words the model was trained with (optimize-words-chains). Every seed draws its own
questions.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from statistics import fmean
from typing import Any

from promptkit import sync
from promptkit.journal import Journal
from promptkit.optimizing import planning, recipe
from promptkit.runtime.run import execute

PLANTED, NULL = "optimize-words", "optimize-words-chains"
BETTER = "Let's think step by step."


def main() -> None:
    """Print a line a task: how often it ended as it should, within what, and the mean held-out difference."""
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
    print("| task | seeds | as it should | better / none / worse | mean difference | calls | budget |")
    print("|---|--:|--:|---|--:|--:|--:|")
    for name in (PLANTED, NULL):
        found = recipe.read(recipe.find(name))
        reports = [_report(replace(found, seed=seed)) for seed in seeds]
        verdicts = [report["verdict"] for report in reports]
        right = sum(map(_planted if name == PLANTED else _null, reports))
        spread = " / ".join(str(verdicts.count(each)) for each in ("better", "none", "worse"))
        gaps = [100 * report["held_out"]["difference"] for report in reports if report["held_out"]]
        gap = f"{fmean(gaps):+.1f} points" if gaps else "-"  # of hopeless candidates nothing is measured
        most = max(report["spent"]["calls"] for report in reports)
        print(
            f"| {name} | {len(seeds)} | {right} | {spread} | {gap} | at most {most} | {found.calls} |",
            flush=True,
        )


def _report(what: recipe.Recipe) -> dict[str, Any]:
    with Journal.open(None) as journal:
        return dict(sync.run(execute(planning.plan(what, journal=journal))).detail)


def _planted(report: dict[str, Any]) -> bool:
    """The planted one was found, within the budget."""
    told = [each["instruction"] for each in report["training"]["candidates"] if each["name"] == report["chosen"]]
    return report["verdict"] == "better" and told == [BETTER] and not report["budget"]["reached"]


def _null(report: dict[str, Any]) -> bool:
    return bool(report["verdict"] == "none")


if __name__ == "__main__":
    main()
