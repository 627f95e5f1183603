"""Forms are found by what Markdown makes of a reply; what is said of a fault is what a writer needs to mend it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from promptkit.errors import BadInput
from promptkit.layering.forms import inlined, shape
from promptkit.layering.shapes import Json, Shape


def form(written: str) -> Shape:
    found = shape(written)
    assert not isinstance(found, Json)
    return found


SKELETON = "markdown:# Report\n\n## Why\nsay why\n\n## How\n"
TABLE = "| city | people |\n|---|---:|\n| Lyon | 0.5 |\n| A \\| B | 1 |"

FOUND = [
    ("title", "Well:\n\n# On rain\n\nIt falls.\n\nAnswer: rain", "# On rain\n\nIt falls."),
    ("title", "# A draft\n\nHm.\n\n# On rain\n\n## More\n\nIt falls.", "# On rain\n\n## More\n\nIt falls."),
    ("steps", "1. think\n2. write\n\nNow:\n\n1. Boil\n   water\n2. Pour", "1. Boil\n   water\n2. Pour"),
    ("steps", "1) a\n2) b\nAnswer: b", "1) a\n2) b"),
    (
        "sections:A,B",
        "I think.\n\n## a\nx\n\n### deeper\n\n## **B:**\ny\n**Answer:** y",
        "## a\nx\n\n### deeper\n\n## **B:**\ny",
    ),
    ("table:city,people", f"Here:\n\n{TABLE}\nAnswer: Lyon", TABLE),
    ("table:City,PEOPLE", TABLE, TABLE),
    ("markdown", "Sure.\n\n## Rain\n\n```\n# no heading\n```", "## Rain\n\n```\n# no heading\n```"),
    (SKELETON, "# Report\n## Why\nx\n## How\ny", "# Report\n## Why\nx\n## How\ny"),
]
FAULTS = [
    ("title", "On rain\n\nIt falls.", "no heading “# …”"),
    ("title", "# On rain", "nothing stands below the heading “# On rain”"),
    ("title", "```\n# On rain\n\nIt falls.\n```", "no heading"),  # in code it is none
    ("steps", "First boil, then pour.", "no numbered steps"),
    ("steps", "- Boil\n- Pour", "no numbered steps"),
    ("steps", "1. Boil\n3. Pour", "numbered 1, 3"),
    ("steps", "1. Boil\n\nThen\n\n2. Pour", "numbered 2"),
    ("steps", "1. Boil\n2.", "behind step 2"),
    ("sections:A,B", "## A\nx", "no heading “## B”"),
    ("sections:A,B", "## B\nx\n## A\ny", "must be “## A”, “## B”"),
    ("sections:A,B", "## A\nx\n## C\ny\n## B\nz", "must be"),
    ("sections:A,B", "## A\n\n## B\ny", "below the heading “## A”"),
    ("sections:A,B", "**A**\nx\n\n**B**\ny", "no heading “## A”"),
    ("table:city,people", "city: Lyon", "no Markdown table"),
    ("table:city,people", "| city | people |\n|---|---|", "no rows"),
    ("table:city,people", "| town | people |\n|---|---|\n| Lyon | 1 |", "the columns are town, people"),
    ("table:city,people", "| city | people |\n|---|---|\n| Lyon | 1 |\n| Paris |", "row 2 has 1 cells"),
    ("table:city,people", "| city | people |\n|---|---|\n| Lyon | 1 | 2 |", "row 1 has 3 cells"),
    ("markdown", "no heading", "no heading"),
    ("markdown", "# A\n\n```\ncode", "never closed"),
    (SKELETON, "# Report\n## Why\nx", "no heading “## How”"),
]


@pytest.mark.parametrize(("written", "reply", "piece"), FOUND)
def test_a_form_is_found_where_it_stands(written: str, reply: str, piece: str) -> None:
    assert form(written).find(reply) == piece
    assert form(written).find(piece) == piece


@pytest.mark.parametrize(("written", "reply", "fault"), FAULTS)
def test_what_is_wrong_is_said(written: str, reply: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault.replace("|", r"\|")):
        form(written).find(reply)


NASTY = "# up\n## A\n```\n- [ ] <b>\n===\n| x |\n\n1. a"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("title", {"title": NASTY, "text": NASTY}),
        ("title", {"title": "", "text": ""}),
        ("steps", {"steps": [NASTY, "", "b"]}),
        ("steps", {"steps": []}),
        ("sections:A,B", {"A": NASTY, "B": " "}),
        ("table:city,people", {"rows": [{"city": NASTY, "people": "a\\|b"}]}),
        ("table:city,people", {"rows": []}),
        ("markdown", {"title": "x", "text": NASTY}),
        (SKELETON, {"Why": NASTY, "How": "y"}),
        ("markdown:# A\n\n## A\n\n## A", {"A (1)": "x", "A (2)": "y"}),
    ],
)
def test_a_program_writes_the_form_from_any_value_of_its_schema(written: str, value: object) -> None:
    import jsonschema

    found = form(written)
    jsonschema.validate(value, found.schema())
    assert found.find(found.write(value)) == found.write(value).strip()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("tabel:a", "no form 'tabel'"),
        ("table", "table wants names"),
        ("table:a,a", "names that differ"),
        ("table:a|b", "a column cannot be called"),
        ("sections:A,", "sections wants names"),
        ("sections:A,B #", "a section cannot be called 'B #'"),
        ("title:x", "title takes nothing"),
        ("steps:", "nothing stands behind the colon"),
        ("json:nowhere.json", "nowhere.json"),
        ('json:{"type": 3}', "not a JSON Schema"),
        ("markdown:nowhere.md", "nowhere.md"),
        ("markdown:no\nheading", "no headings"),
    ],
)
def test_what_is_no_form_is_known_before_anything_is_asked(written: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        shape(written)


def test_a_file_stands_for_its_text(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps({"type": "integer"}))
    (tmp_path / "s.md").write_text("# T\n")
    assert inlined(f"json:{tmp_path / 's.json'}") == 'json:{"type":"integer"}'
    assert inlined(f"markdown:{tmp_path / 's.md'}") == "markdown:# T\n"
    for same in ("json", "title", "table:a,b", 'json:{"type":"integer"}'):
        assert inlined(same) == same
