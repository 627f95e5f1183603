"""Several models for one run: who answers, what is recorded of it, and that a replay takes the same turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from players import dice
from watching import Seen, facts

from promptkit import api, errors, events
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.runtime.fallback import Chain, shared
from promptkit.runtime.open import meant_for, open_provider, split
from promptkit.types import Capabilities, Request

pytestmark = pytest.mark.usefixtures("instant_retries")
Fails = Callable[[Request], BaseException | None]


class Voice:
    """A scripted model that says its own name, and fails when told to; `asked` is every call it got."""

    def __init__(self, name: str, fails: Fails = lambda _: None, say: str = "", late: int | None = None) -> None:
        self.asked: list[int] = []

        async def script(request: Request) -> str:
            self.asked.append(request.index)
            if late is not None:
                await asyncio.sleep(dice("late", late, name, request.draw).random() * 0.004)
            if error := fails(request):
                raise error
            return f"Answer: {say or name}"

        self.model = Scripted(script, name=name, identity=name)


def always(error: BaseException) -> Fails:
    return lambda _: error


def at(draws: set[int], error: BaseException) -> Fails:
    return lambda request: error if request.index in draws else None


def models(*voices: Voice) -> Any:
    return [voice.model for voice in voices]


FALLS_OVER = [
    errors.Unavailable("down"),
    errors.TimedOut("slow"),
    errors.RateLimited("later", retry_after=0),
    errors.BadReply("gibberish"),
    errors.KeyMissing("no key"),
    errors.ModelMissing("no such model"),
    errors.NoCredit("no credit"),
    errors.ProviderError("nothing answers there"),
    errors.ContextOverflow("too long"),
]


@pytest.mark.parametrize("error", FALLS_OVER, ids=lambda error: type(error).__name__)
def test_the_next_model_answers_when_one_cannot(journal: Journal, error: errors.PromptkitError) -> None:
    a, b, seen = Voice("a", always(error)), Voice("b"), Seen()
    outcome = api.run("cot", "which?", model=models(a, b), journal=journal, sinks=[seen])
    assert (outcome.answer, outcome.status, outcome.model) == ("b", "done", "scripted:a,scripted:b")
    (warned,) = seen.of(events.Warned)
    assert warned.message == f"scripted:a cannot answer, scripted:b is asked instead: {error.message}"
    (key, _, _) = journal.calls(outcome.run)[-1]
    stored = journal.get(key)
    assert stored is not None
    assert stored.completion.model == "scripted:b", "keyed under the model that answered"


@pytest.mark.parametrize("error", [errors.Rejected("refused"), errors.CapabilityMissing("no grammar")])
def test_a_bad_request_of_ours_is_not_sent_to_the_next_model(journal: Journal, error: errors.PromptkitError) -> None:
    a, b = Voice("a", always(error)), Voice("b")
    with pytest.raises(type(error), match=error.message):
        api.run("direct", "which?", model=models(a, b), journal=journal)
    assert b.asked == []


def test_the_first_model_alone_is_asked_while_it_answers(journal: Journal) -> None:
    a, b = Voice("a"), Voice("b")
    assert api.run("sc", "which?", model=models(a, b), journal=journal).answer == "a"
    assert b.asked == []


def test_a_completion_bought_by_a_model_alone_is_found_by_a_list(journal: Journal) -> None:
    a, b = Voice("a", always(errors.KeyMissing("no key"))), Voice("b")
    alone = api.run("cot", "which?", model=b.model, journal=journal)
    together = api.run("cot", "which?", model=models(a, b), journal=journal)
    assert together.answer == alone.answer
    assert together.usage.cached_calls == together.usage.calls
    assert len(b.asked) == alone.usage.calls


@pytest.mark.parametrize("error", FALLS_OVER[4:8], ids=lambda error: type(error).__name__)
def test_a_model_that_can_answer_nothing_is_asked_in_one_round_only(
    journal: Journal, error: errors.PromptkitError
) -> None:
    votes = iter(range(100))
    a, b = Voice("a", always(error)), Voice("b")
    b.model._script = lambda request: f"Answer: {next(votes) % 2}"  # so that the vote goes on
    outcome = api.run("sc", "which?", model=models(a, b), journal=journal, n=10)
    assert a.asked == list(range(len(a.asked)))
    assert len(a.asked) < outcome.usage.samples
    assert len(journal.failures(outcome.run)) == outcome.usage.samples, "each pass is recorded"


def test_what_fails_one_request_rules_no_model_out(journal: Journal) -> None:
    a, b = Voice("a", at({1, 4}, errors.TimedOut("slow"))), Voice("b", say="a")
    outcome = api.run("sc", "which?", model=models(a, b), journal=journal, n=10, quorum=1.0)
    assert outcome.detail["failed"] == 0
    assert sorted(set(a.asked)) == list(range(outcome.usage.samples))
    assert b.asked == [1, 4]


@pytest.mark.parametrize("error", [errors.TimedOut("slow"), errors.Unavailable("down"), errors.KeyMissing("no key")])
@pytest.mark.parametrize("strategy", ["sc", "tot"])
def test_who_answers_does_not_depend_on_who_is_fast(error: errors.PromptkitError, strategy: str) -> None:
    said = set()
    for shuffle in range(6):
        a = Voice("a", at({1, 2, 6}, error), late=shuffle)
        b = Voice("b", late=shuffle)
        with Journal.open(None) as journal:
            outcome = api.run(strategy, "which?", model=models(a, b), journal=journal)
            said.add(repr((facts(outcome), sorted(journal.failures(outcome.run)))))
    assert len(said) == 1


@pytest.mark.parametrize("error", FALLS_OVER, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("buy_later", [False, True])
def test_a_replay_takes_the_same_turns(journal: Journal, error: errors.PromptkitError, buy_later: bool) -> None:
    a, b = Voice("a", at({0, 3, 7}, error)), Voice("b")
    whole = api.run("sc", "which?", model=models(a, b), journal=journal, n=10)
    if buy_later:  # the first model is well again, and has answered everything since
        api.run("sc", "which?", model=Voice("a", say="c").model, journal=journal, n=10)
    asked = len(a.asked) + len(b.asked)
    again = api.replay(whole.run, journal=journal)
    assert facts(again) == facts(whole)
    assert len(a.asked) + len(b.asked) == asked


def test_a_resume_begins_with_the_first_model_again(journal: Journal) -> None:
    a, b = Voice("a", always(errors.KeyMissing("no key"))), Voice("b", always(errors.Rejected("refused")))
    with pytest.raises(errors.Rejected) as failed:
        api.run("cot", "which?", model=models(a, b), journal=journal)
    well, other = Voice("a"), Voice("b")
    again = api.resume(failed.value.run, model=models(well, other), journal=journal)
    assert (again.answer, other.asked) == ("a", [])


def test_caps_hold_over_all_models_together(journal: Journal) -> None:
    a, b = Voice("a", always(errors.TimedOut("slow"))), Voice("b")
    outcome = api.run("sc", "which?", model=models(a, b), journal=journal, n=10, max_calls=12, concurrency=1)
    assert outcome.status == "budget"
    assert len(a.asked) + len(b.asked) <= 12
    assert journal.spent(outcome.run).calls <= 12


def test_fresh_draws_fall_over_too(journal: Journal) -> None:
    a, b = Voice("a", always(errors.KeyMissing("no key"))), Voice("b")
    for _ in range(2):
        outcome = api.run("cot", "which?", model=models(a, b), journal=journal, fresh=True)
        assert facts(api.replay(outcome.run, journal=journal)) == facts(outcome)
    assert len(b.asked) == 2 * outcome.usage.calls


def test_when_no_model_can_answer_each_is_heard(journal: Journal) -> None:
    a, b = (
        Voice("a", always(errors.KeyMissing("no key", hint="export K=…"))),
        Voice("b", always(errors.TimedOut("slow"))),
    )
    with pytest.raises(errors.TimedOut) as failed:
        api.run("cot", "which?", model=models(a, b), journal=journal)
    assert failed.value.message == "none of 2 models could answer: scripted:a: no key; scripted:b: slow"
    assert failed.value.hint == "export K=…"


def test_a_second_model_makes_no_vote_fail_that_would_not_fail_without_it(journal: Journal) -> None:
    a, b = Voice("a", at({1}, errors.TimedOut("slow"))), Voice("b", always(errors.KeyMissing("no key")))
    outcome = api.run("sc", "which?", model=models(a, b), journal=journal, n=10)
    assert (outcome.answer, outcome.detail["failed"]) == ("a", 1)


def test_a_model_that_was_not_made_for_the_question_is_left_out(journal: Journal) -> None:
    sums, any_ = Voice("sums", say="noise"), Voice("any", always(errors.TimedOut("slow")))
    sums.model.capabilities = Capabilities(packs=("game24",))
    with pytest.raises(errors.TimedOut):
        api.run("cot", "which?", model=models(any_, sums), journal=journal)
    assert sums.asked == []
    only = api.run("cot", "which?", model=models(sums, sums_too := Voice("too")), journal=journal)
    assert (only.answer, len(sums_too.asked)) == ("too", 1)


def test_a_list_can_do_what_all_of_its_models_can() -> None:
    a = Capabilities(native_n=8, seed=True, tools=True, context=8000, price=(1.0, 5.0), packs=("game24",))
    b = Capabilities(native_n=2, seed=True, context=4000, local=True, packs=("general",))
    both = shared([a, b])
    assert (both.native_n, both.seed, both.tools, both.context, both.local) == (2, True, False, 4000, False)
    assert both.price == (1.0, 5.0), "a cap on the cost holds at the dearest"
    assert both.packs == ("game24", "general")
    assert shared([a, Capabilities()]).price is None
    assert shared([a, Capabilities()]).packs is None


def test_a_list_by_name_is_run_resumed_and_replayed(tmp_path: Path, journal: Journal) -> None:
    for name, say in (("a,b", "never said"), ("c", "Answer: c")):
        (tmp_path / f"{name}.yaml").write_text(f"replies: [{{when: {'never' if name != 'c' else 'a'}, say: '{say}'}}]")
    with pytest.raises(errors.Rejected):
        api.run("cot", "which?", model=f"scripted:{tmp_path}/a,b.yaml,scripted:{tmp_path}/c.yaml", journal=journal)
    outcome = api.run(
        "cot", "what?", model=f"scripted:{tmp_path}/c.yaml, scripted:{tmp_path}/a,b.yaml", journal=journal
    )
    assert outcome.answer == "c"
    assert outcome.model == f"scripted:{tmp_path}/c.yaml,scripted:{tmp_path}/a,b.yaml"
    assert api.resume(outcome.run, journal=journal).answer == "c"
    (tmp_path / "c.yaml").unlink()
    assert api.replay(outcome.run, journal=journal).answer == "c"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("builtin", ["builtin"]),
        ("groq:x,ollama:qwen3:8b", ["groq:x", "ollama:qwen3:8b"]),
        ("groq:x, builtin", ["groq:x", "builtin"]),
        ("llamacpp:a,b.gguf,builtin", ["llamacpp:a,b.gguf", "builtin"]),
        ("groq:x,builtn", ["groq:x", "builtn"]),
    ],
)
def test_commas_part_models_but_not_the_names_of_files(names: str, found: list[str]) -> None:
    assert split(names) == found


def test_lists_that_cannot_be_used() -> None:
    with pytest.raises(errors.BadInput, match="missing in the list"):
        open_provider("builtin,")
    for names in ("scripted:s.yaml,", "scripted:s.yaml,,scripted:p.yaml", "scripted:s.yaml, ", ",scripted:s.yaml", ","):
        with pytest.raises(errors.BadInput, match="missing in the list"):
            open_provider(names)
    with pytest.raises(errors.BadInput, match="named twice"):
        open_provider("builtin,builtin")
    with pytest.raises(errors.UnknownName, match="olama"):
        open_provider("groq:x,olama:y")
    with pytest.raises(errors.BadInput, match="no model"):
        api.plan("cot", "which?", model=[])


def test_an_option_may_be_meant_for_one_model() -> None:
    options = {"ollama.num_ctx": 4096, "timeout": 5}
    assert meant_for("ollama:qwen3:8b", options) == {"num_ctx": 4096, "timeout": 5}
    assert meant_for("groq:x", options) == {"timeout": 5}
    both = open_provider("ollama:a,openai:b", {"ollama.num_ctx": 4096})
    assert isinstance(both, Chain)
    assert both.models[0].capabilities.context == 4096


def test_an_option_that_not_all_models_take_is_said_whose_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("replies: [{say: a}]")
    names = f"openai:x,scripted:{tmp_path}/s.yaml"
    with pytest.raises(errors.BadInput, match="not base_url") as refused:
        open_provider(names, {"base_url": "http://127.0.0.1:9/v1"})
    assert refused.value.hint.splitlines() == ["leave out -o", "or for one of the list: -o openai.base_url=…"]
    assert open_provider(names, {"openai.base_url": "http://127.0.0.1:9/v1"})
