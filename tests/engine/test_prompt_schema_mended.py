"""A template's own schema holds wherever its replies are read, also where a reply is asked for once more."""

from __future__ import annotations

from pathlib import Path

import pytest

import promptkit as pk
from promptkit.providers.scripted import Scripted
from promptkit.types import Request

SCHEMA = "schema: {type: object, required: [age], properties: {age: {type: integer}}}"


@pytest.fixture(autouse=True)
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack whose `cot`, `knowledge-solve` and `answer` have a schema."""
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "prompts" / "mine"
    folder.mkdir(parents=True)
    (folder / "pack.md").write_text("---\ntitle: Mine\n---\n", "utf-8")
    (folder / "cot.md").write_text(f"---\ninputs: [question]\n{SCHEMA}\n---\nAge? {{{{ question }}}}\n", "utf-8")
    inputs = "inputs: [question, knowledge]"
    (folder / "knowledge-solve.md").write_text(
        f"---\n{inputs}\n{SCHEMA}\n---\n{{{{ knowledge }}}}\nAge? {{{{ question }}}}\n", "utf-8"
    )
    (folder / "answer.md").write_text(
        f"---\ninputs: [question, state]\n{SCHEMA}\n---\n{{{{ state }}}}\nAge? {{{{ question }}}}\n", "utf-8"
    )


def answered(strategy: str, mend: str) -> pk.Outcome:
    """What comes of a model that never gives the form by itself, and says `mend` when it is asked again."""

    def script(request: Request) -> str:
        asked = request.messages[-1].text
        if len(request.messages) > 1:
            return mend
        return "Some thought." if "Age?" not in asked else "No idea."

    return pk.run(strategy, "Ann's?", model=Scripted(script), pack="mine", journal="memory")


@pytest.mark.parametrize("strategy", ["cot", "sc(n=2)", "knowledge", "tot(depth=1, b=1)"])
def test_a_reply_without_the_form_of_the_template_is_asked_for_again(strategy: str) -> None:
    assert answered(strategy, '{"age": 7}').answer == '{"age":7}'


@pytest.mark.parametrize("strategy", ["cot", "sc(n=2)", "knowledge"])
def test_any_other_json_is_no_answer(strategy: str) -> None:
    with pytest.raises(pk.errors.OutputInvalid, match="age"):
        answered(strategy, '{"name": "Ann"}')
