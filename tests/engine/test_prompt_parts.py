"""Templates made of templates: what is included and extended is looked for, counted, bounded and part of the digest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from promptkit import prompts
from promptkit.errors import BadPrompt
from promptkit.prompts import Prompt

FRAME = """[[system]]
Be {% block tone %}kind{% endblock %}.
[[user]]
{% block ask %}{{ question }}{% endblock %}
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def write(root: Path, name: str, body: str, front: str = "inputs: [question]") -> Path:
    path = root / "prompts" / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "pack.md").write_text("---\ntitle: Mine\n---\n", "utf-8")
    path.write_text(f"---\n{front}\n---\n{body}", "utf-8")
    return path


def mine(tmp_path: Path, name: str, body: str, front: str = "inputs: [question]") -> Path:
    return write(tmp_path / "home", f"mine/{name}", body, front)


def said(prompt: Prompt, **inputs: Any) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in prompt.render(**inputs)]


def test_an_included_template_is_written_in_its_place_with_the_inputs_of_the_whole(tmp_path: Path) -> None:
    mine(tmp_path, "part", "about {{ question }}\n")
    mine(tmp_path, "whole", 'Speak {% include "mine/part" %}, please.')
    assert said(prompts.find("mine", "whole"), question="{{ 7 * 7 }}") == [("user", "Speak about {{ 7 * 7 }}, please.")]


def test_a_shipped_template_can_be_included(tmp_path: Path) -> None:
    mine(tmp_path, "careful", 'Take your time.\n\n{% include "general/cot" %}')
    ((_, own),) = said(prompts.find("general", "cot"), question="Why?")
    assert said(prompts.find("mine", "careful"), question="Why?") == [("user", f"Take your time.\n\n{own}")]


def test_what_extends_a_template_has_its_turns_with_other_blocks(tmp_path: Path) -> None:
    mine(tmp_path, "frame", FRAME)
    mine(tmp_path, "kid", '{% extends "mine/frame" %}\n{% block tone %}{{ super() }} and brief{% endblock %}')
    mine(tmp_path, "grandkid", '{% extends "mine/kid" %}{% block ask %}Q: {{ question }}{% endblock %}')
    assert said(prompts.find("mine", "kid"), question="Why?") == [("system", "Be kind and brief."), ("user", "Why?")]
    expected = [("system", "Be kind and brief."), ("user", "Q: Why?")]
    assert said(prompts.find("mine", "grandkid"), question="Why?") == expected


def test_parts_are_looked_for_as_templates_are(tmp_path: Path) -> None:
    mine(tmp_path, "part", "the user's {{ question }}")
    path = mine(tmp_path, "whole", '{% include "mine/part" %}')
    users = prompts.find("mine", "whole").digest
    assert said(prompts.find("mine", "whole"), question="x") == [("user", "the user's x")]
    (tmp_path / "promptkit.toml").write_text("")
    write(tmp_path, "mine/part", "the project's {{ question }}")
    found = prompts.find("mine", "whole")
    assert (found.path, said(found, question="x")) == (path, [("user", "the project's x")])
    assert found.digest != users, "what is included is part of the digest"
    assert [name for name, _ in found.files] == ["mine/whole", "mine/part"]


def test_a_digest_without_parts_is_that_of_the_file(tmp_path: Path) -> None:
    import hashlib

    path = mine(tmp_path, "solo", "{{ question }}")
    assert prompts.find("mine", "solo").digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("how", ["include", "extends"])
def test_a_template_that_leads_back_to_itself_is_refused(tmp_path: Path, how: str) -> None:
    mine(tmp_path, "one", f'{{% {how} "mine/two" %}}{{{{ question }}}}')
    path = mine(tmp_path, "two", f'{{% {how} "mine/one" %}}')
    with pytest.raises(BadPrompt, match=r"two\.md:4: mine/one leads back to itself"):
        prompts.find("mine", "one")
    assert len(prompts.check(path)) == 1


def test_no_more_than_eight_templates_lead_to_each_other(tmp_path: Path) -> None:
    mine(tmp_path, "t0", "{{ question }}")
    for n in range(1, 10):
        mine(tmp_path, f"t{n}", f'{{% include "mine/t{n - 1}" %}}')
    assert said(prompts.find("mine", "t7"), question="x") == [("user", "x")]
    with pytest.raises(BadPrompt, match="more than 8 templates"):
        prompts.find("mine", "t9")


@pytest.mark.parametrize("piece", ["", "xxxxxxxxxx"])
def test_includes_of_includes_do_not_go_off(tmp_path: Path, piece: str) -> None:
    mine(tmp_path, "t0", piece + "{% if false %}{{ question }}{% endif %}")
    for n in range(1, 8):
        mine(tmp_path, f"t{n}", f'{{% include "mine/t{n - 1}" %}}' * 12)
    with pytest.raises(BadPrompt, match=r"more than 1,000,000 characters|more than 100,000 steps"):
        prompts.find("mine", "t7").render(question="x")


def test_blocks_of_blocks_do_not_go_off(tmp_path: Path) -> None:
    mine(tmp_path, "t0", "{% block b %}xxxxxxxxxx{% endblock %}{% if false %}{{ question }}{% endif %}")
    for n in range(1, 8):
        body = "{{ super() }}" * 12
        mine(tmp_path, f"t{n}", f'{{% extends "mine/t{n - 1}" %}}{{% block b %}}{body}{{% endblock %}}')
    with pytest.raises(BadPrompt, match=r"more than 1,000,000 characters|more than 100,000 steps"):
        prompts.find("mine", "t7").render(question="x")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('text first {% extends "mine/frame" %}', "extends comes first"),
        ('[[user]]\n{% extends "mine/frame" %}\n[[assistant]]\nx', "extends comes first"),
        ('{% include "mine/frame" %}', "has turns of its own"),
        ('{% include "frame" %}', "is no template"),
        ('{% extends "mine/frame" %}{% block tune %}x{% endblock %}', "did you mean tone"),
        ('{% include "mine/frme" %}', "did you mean mine/frame"),
    ],
)
def test_a_slip_in_a_reference_is_told_with_its_line(tmp_path: Path, body: str, says: str) -> None:
    mine(tmp_path, "frame", FRAME)
    path = mine(tmp_path, "kid", body)
    told = [f"{error.message} {error.hint}" for error in prompts.check(path)]
    assert any(says in each for each in told), told
    assert all(each.startswith(f"{path}:") for each in told)


def test_an_undeclared_name_is_found_in_the_part_it_stands_in(tmp_path: Path) -> None:
    part = mine(tmp_path, "part", "one\nand {{ other }}")
    path = mine(tmp_path, "whole", '{{ question }}\n{% include "mine/part" %}')
    (error,) = prompts.check(path)
    assert error.message == f"{part}:5:8: uses 'other', which `inputs` does not declare"
    with pytest.raises(BadPrompt) as wrong:
        prompts.find("mine", "whole").render(question="x")
    assert wrong.value.message == f"{part}:5:8: 'other' is undefined"


def test_a_fault_in_a_later_turn_is_told_with_the_line_of_the_file(tmp_path: Path) -> None:
    path = mine(tmp_path, "late", "[[system]]\none\n[[user]]\n{{ question }}\n{{ question.nothing }}")
    with pytest.raises(BadPrompt) as wrong:
        prompts.find("mine", "late").render(question="x")
    assert wrong.value.message.startswith(f"{path}:8: ")


def test_an_edited_part_is_read_again(tmp_path: Path) -> None:
    import os

    part = mine(tmp_path, "part", "ONE {{ question }}")
    mine(tmp_path, "whole", '{% include "mine/part" %}')
    assert said(prompts.find("mine", "whole"), question="x") == [("user", "ONE x")]
    part.write_text("---\ninputs: [question]\n---\nTWO {{ question }}", "utf-8")
    os.utime(part, ns=(1, 1))
    assert said(prompts.find("mine", "whole"), question="x") == [("user", "TWO x")]


TYPED = "inputs:\n  question: text\n  k: {type: integer, default: 3}\n  flag: {type: boolean, default: false}"


def test_a_default_stands_in_and_a_type_is_held_to(tmp_path: Path) -> None:
    path = mine(tmp_path, "typed", "{{ question }} {{ k }} {{ flag }}", TYPED)
    prompt = prompts.find("mine", "typed")
    assert said(prompt, question="x") == [("user", "x 3 False")]
    assert said(prompt, question="x", k=7, flag=True) == [("user", "x 7 True")]
    for given, where in (
        ({"question": 1}, "3:3"),
        ({"question": "x", "k": "7"}, "4:3"),
        ({"question": "x", "k": True}, "4:3"),
    ):
        with pytest.raises(BadPrompt) as wrong:
            prompt.render(**given)
        assert wrong.value.message.startswith(f"{path}:{where}: "), wrong.value.message
