"""The calls of the strategies in strategies/prompting."""

from __future__ import annotations

import re

from call_graph import Case, prompt_of

from promptkit.strategies.prompting.analogical import Analogical
from promptkit.strategies.prompting.auto_cot import AutoCoT
from promptkit.strategies.prompting.cot import ChainOfThought
from promptkit.strategies.prompting.cove import ChainOfVerification
from promptkit.strategies.prompting.direct import Direct
from promptkit.strategies.prompting.few_shot import FewShot
from promptkit.strategies.prompting.knowledge import GeneratedKnowledge
from promptkit.strategies.prompting.least_to_most import LeastToMost
from promptkit.strategies.prompting.plan_and_solve import PlanAndSolve
from promptkit.strategies.prompting.program import ProgramOfThought
from promptkit.strategies.prompting.re_read import ReRead
from promptkit.strategies.prompting.rephrase import Rephrase
from promptkit.strategies.prompting.self_ask import SelfAsk
from promptkit.strategies.prompting.skeleton import SkeletonOfThought
from promptkit.strategies.prompting.step_back import StepBack
from promptkit.types import Request


def answering(request: Request) -> str:
    """Reasons where it is asked to, and answers."""
    return "Six sevens are 42.\nAnswer: 42" if "step by step" in prompt_of(request) else "42"


def _at_length(request: Request) -> str:
    """Reasons without an answer at first."""
    return "42" if len(request.messages) > 1 else "Six sevens, that is seven and seven and so on."


def breaking_down(request: Request) -> str:
    """Lists what is asked for, and answers what is asked on the way by the number of words in it."""
    prompt = prompt_of(request)
    if "which simpler questions" in prompt:
        return "1. What is six times six?\n2. What is six more than that?\n3. What is six times seven?"
    if "Write verification questions" in prompt:
        return "1. Is it odd?\n2. Is it below fifty?\n3. Do six and seven divide it?"
    if "giving the skeleton" in prompt:
        return "1. Six and seven\n2. Times\n3. What it comes to"
    if "Generate some knowledge" in prompt:
        return ("Five sevens are 35.", "Six sixes are 36.", "Five sevens are 35.")[request.index % 3]
    if 'begins with "Answer:"' in prompt:
        return "Six sevens are 42.\nAnswer: 42"
    return f"As far as {len(prompt.split())} words can say, yes."


def following_up(request: Request) -> str:
    """Asks two follow-up questions, then answers."""
    prompt = prompt_of(request)
    if "Ask nothing more." in prompt:
        return "So the final answer is: 42"
    if 'one that begins with "Follow up:"' not in prompt:
        return "Thirty-six." if "six times six" in prompt else "Forty-two."
    asked = len(re.findall("^Intermediate answer:", prompt, re.MULTILINE)) - 2
    lines = ["Follow up: What is six times six?", "Follow up: What is six more?", "So the final answer is: 42"]
    return lines[asked]


TIMES = [{"question": f"What is {n} times seven?", "answer": str(7 * n)} for n in (3, 4, 5)]


def multiplying(request: Request) -> str:
    """Reasons rightly but for one."""
    asked = next((7 * n for n in (3, 5) if f"is {n} times" in request.messages[-1].text), 42)
    return f"That is {asked}.\nAnswer: {asked}"


CASES = {
    "direct": Case(strategy=Direct(), reply=answering),
    "cot": Case(strategy=ChainOfThought(), reply=answering),
    "cot-two-calls": Case(strategy=ChainOfThought(extract="always"), reply=_at_length),
    "few-shot": Case(strategy=FewShot(n=2), reply=answering),
    "few-shot-similar": Case(strategy=FewShot(n=2, select="similar"), reply=answering),
    "few-shot-document": Case(strategy=FewShot(n=1, form="document"), reply=answering),
    "few-shot-generate": Case(strategy=FewShot(examples=TIMES, n=2, select="knn", generate=True), reply=multiplying),
    "few-shot-rationale": Case(strategy=FewShot(n=1, rationale=True), reply=answering),
    "plan-and-solve": Case(strategy=PlanAndSolve(), reply=breaking_down),
    "plan-and-solve-two-calls": Case(strategy=PlanAndSolve(trigger="ps", extract="always"), reply=breaking_down),
    "least-to-most": Case(strategy=LeastToMost(), reply=breaking_down),
    "least-to-most-of-cot": Case(strategy=LeastToMost(most=1, of="cot(extract=always)"), reply=breaking_down),
    "step-back": Case(strategy=StepBack(), reply=breaking_down),
    "self-ask": Case(strategy=SelfAsk(), reply=following_up),
    "self-ask-capped": Case(strategy=SelfAsk(most=1), reply=following_up),
    "cove": Case(strategy=ChainOfVerification(), reply=breaking_down),
    "cove-of-sc": Case(strategy=ChainOfVerification(draft="direct", most=2, of="sc(n=3)"), reply=breaking_down),
    "skeleton": Case(strategy=SkeletonOfThought(), reply=breaking_down),
    "auto-cot": Case(strategy=AutoCoT(k=3, tries=1), reply=answering),
    "knowledge": Case(strategy=GeneratedKnowledge(m=3), reply=breaking_down),
    "analogical": Case(strategy=Analogical(), reply=breaking_down),
    "re-read": Case(strategy=ReRead(), reply=answering),
    "re-read-of-sc": Case(strategy=ReRead(of="sc(n=3)"), reply=answering),
    "rephrase": Case(strategy=Rephrase(), reply=breaking_down),
    "rephrase-two-calls": Case(strategy=Rephrase(two_calls=True), reply=breaking_down),
    # Neither reply has a program, so that this is the same where no sandbox is.
    "program": Case(strategy=ProgramOfThought(unsafe_host=True), reply=lambda request: "It is forty-two."),
}
