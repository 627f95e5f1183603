"""Where a key comes from, and the file of keys: only the user reads it, and it is never half written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit import keys
from promptkit.errors import BadInput, KeyMissing, PromptkitError

KEY = "gsk_file_0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for provider in keys.PROVIDERS:
        monkeypatch.delenv(keys.variable_of(provider), raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")  # not the one of who runs the tests


def text() -> str:
    return keys.path().read_text("utf-8")


def put(found: str, mode: int = 0o600) -> None:
    keys.path().parent.mkdir(parents=True, exist_ok=True)
    keys.path().write_text(found, "utf-8")
    keys.path().chmod(mode)


def test_the_environment_comes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keys.find("groq") is None
    where = keys.save("groq", f"  {KEY}\n")
    assert (keys.find("groq"), where) == (keys.Found(KEY, str(keys.path())), str(keys.path()))
    monkeypatch.setenv("GROQ_API_KEY", "from-the-environment")
    assert keys.find("groq") == keys.Found("from-the-environment", "GROQ_API_KEY")
    assert [each.where for each in keys.known()["groq"]] == ["GROQ_API_KEY", str(keys.path())]
    assert keys.find("groq", "OTHER_KEY") == keys.Found(KEY, str(keys.path()))
    assert KEY not in repr(keys.find("groq", "OTHER_KEY"))


def test_what_another_process_changes_counts_at_once() -> None:
    keys.save("groq", KEY)
    assert keys.find("groq")
    put(json.dumps({"groq": "gsk_another_key_of_later"}))
    found = keys.find("groq")
    assert found
    assert found.value == "gsk_another_key_of_later"
    assert keys.remove("groq") == str(keys.path())
    assert keys.find("groq") is None
    assert keys.remove("groq") is None


@pytest.mark.skipif(os.name != "posix", reason="no modes")
def test_only_the_user_can_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "a" / "b"
    monkeypatch.setenv("PROMPTKIT_HOME", str(home))
    old = os.umask(0)
    try:
        keys.save("groq", KEY)
    finally:
        os.umask(old)
    assert (home.stat().st_mode & 0o777, keys.path().stat().st_mode & 0o777) == (0o700, 0o600)
    for mode in (0o640, 0o604, 0o620, 0o666):
        keys.path().chmod(mode)
        for use in (keys.find, keys.remove, lambda provider: keys.save(provider, KEY)):
            with pytest.raises(KeyMissing, match="not yours alone") as raised:
                use("groq")
            assert raised.value.hint == f"chmod 600 '{keys.path()}'"
    subprocess.run(raised.value.hint, shell=True, check=True)  # as the hint says
    assert keys.find("groq")


@pytest.mark.skipif(os.name != "posix", reason="no modes")
def test_a_variable_needs_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    put("{}", 0o644)
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    assert keys.find("groq") == keys.Found(KEY, "GROQ_API_KEY")


@pytest.mark.parametrize("found", ["", "{", "[]", "null", '{"groq": 5}', '{"groq": ["x"]}', "[" * 5000])
def test_a_file_that_is_none_is_named_and_left_as_it_is(found: str) -> None:
    put(found)
    for use in (keys.find, lambda provider: keys.save(provider, KEY)):
        with pytest.raises(KeyMissing, match=r"keys\.json") as raised:
            use("groq")
        assert raised.value.hint
    assert text() == found
    assert sorted(path.name for path in keys.path().parent.iterdir()) == ["keys.json"]


@pytest.mark.parametrize("bad", ["", " \n", "gsk a", "gsk_a\ngsk_b", "gsk_\x00", "schlüssel", "x" * 1001])
def test_what_can_be_no_key_is_refused_and_nothing_lost(bad: str) -> None:
    keys.save("openai", KEY)
    before = text()
    with pytest.raises(BadInput) as raised:
        keys.save("groq", bad)
    assert bad.strip() == "" or bad not in f"{raised.value} {raised.value.hint}"
    assert text() == before


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    keys.path().parent.mkdir(parents=True, exist_ok=True)
    keys.path().symlink_to(tmp_path / "elsewhere.json")
    keys.save("groq", KEY)
    assert keys.path().is_symlink()
    assert json.loads((tmp_path / "elsewhere.json").read_text("utf-8")) == {"groq": KEY}


def test_writers_at_the_same_time_lose_no_key() -> None:
    names = [f"plugin-{number}" for number in range(8)]
    threads = [threading.Thread(target=keys.save, args=(name, f"key-of-{name}-0123456789")) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(keys.known()) == names


def test_a_writer_that_died_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PATIENCE", 0.05)
    keys.save("groq", KEY)
    left = keys.path().with_name("keys.json.new")
    left.touch()
    with pytest.raises(PromptkitError, match="another promptkit") as raised:
        keys.save("openai", KEY)
    assert str(left) in raised.value.hint
    assert list(keys.known()) == ["groq"]


# The file's reader takes anything that JSON can say, and either gives keys or a KeyMissing.

anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def held(found: str) -> bool:
    """Whether a text is an object of providers and their keys."""
    try:
        read = json.loads(found)
    except ValueError:
        return False
    return isinstance(read, dict) and all(isinstance(value, str | None) for value in read.values())


@settings(deadline=None)
@given(
    anything.map(json.dumps)
    | st.dictionaries(st.text(), st.none() | st.text()).map(json.dumps)
    | st.text().filter(lambda found: "\0" not in found)
)
def test_any_file_is_read_or_refused(found: str) -> None:
    put(found.encode("utf-8", "replace").decode())
    if not held(found):
        with pytest.raises(KeyMissing, match=r"keys\.json") as raised:
            keys.known()
        assert "\n" not in raised.value.message
        return
    told = keys.known()
    read = json.loads(text())
    assert {name: each[-1].value for name, each in told.items()} == {
        name: value.strip() for name, value in read.items() if value and value.strip()
    }


printable = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80)


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=20), printable, min_size=1, max_size=4))
def test_what_is_saved_is_found_again(given: dict[str, str]) -> None:
    keys.path().unlink(missing_ok=True)
    for provider, key in given.items():
        keys.save(provider, key)
    for provider, key in given.items():
        found = keys.find(provider, "NO_SUCH_VARIABLE")
        assert found
        assert found.value == key
    for provider in given:
        assert keys.remove(provider)
    assert json.loads(text()) == {}


# The keyring, in a process of its own: which one it uses is settled once.

BACKEND = """
from keyring.backend import KeyringBackend
kept = {}
class Kept(KeyringBackend):
    priority = 1
    def get_password(self, service, name): return kept.get((service, name))
    def set_password(self, service, name, password): kept[service, name] = password
    def delete_password(self, service, name): del kept[service, name]
class Locked(Kept):
    def get_password(self, service, name): raise RuntimeError("locked")
    set_password = delete_password = get_password
"""


def process(code: str, home: Path, **env: str) -> str:
    (home / "backends_of_test.py").write_text(BACKEND)
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    env = {**kept, "PROMPTKIT_HOME": str(home), "PYTHONPATH": str(home), "HOME": str(home), **env}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_keyring_keeps_a_key_and_the_file_only_that_it_does(tmp_path: Path) -> None:
    code = f"""
import keyring, json
from promptkit import keys
assert keys.save("groq", "{KEY}", keyring=True) == "keyring"
assert json.loads(keys.path().read_text()) == {{"groq": None}}
assert keys.find("groq") == keys.Found("{KEY}", "keyring"), keys.find("groq")
assert keys.find("openai") is None and not keys.lost("groq")
assert keys.save("groq", "in-the-file-now-0123") == str(keys.path())
assert keyring.get_password("promptkit", "groq") is None
keys.save("groq", "{KEY}", keyring=True)
assert keys.remove("groq") == "keyring"
assert keyring.get_password("promptkit", "groq") is None and keys.find("groq") is None
"""
    process(code, tmp_path, PYTHON_KEYRING_BACKEND="backends_of_test.Kept")


@pytest.mark.parametrize(
    "backend", ["backends_of_test.Locked", "keyring.backends.fail.Keyring", "keyring.backends.null.Keyring", "no.such"]
)
def test_a_keyring_that_fails_is_no_key_and_no_crash(backend: str, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"groq": null}')
    (tmp_path / "keys.json").chmod(0o600)
    code = f"""
from promptkit import keys
from promptkit.errors import KeyMissing
assert keys.find("groq") is None and keys.lost("groq") and keys.known() == {{}}
try: keys.save("openai", "{KEY}", keyring=True)
except KeyMissing as error: assert "keyring" in str(error) and "promptkit keys set openai" in error.hint, error
else: raise SystemExit("kept nowhere")
assert keys.save("groq", "{KEY}") == str(keys.path())
assert keys.find("groq").value == "{KEY}"
"""
    process(code, tmp_path, PYTHON_KEYRING_BACKEND=backend)


def test_no_keyring_is_loaded_where_none_holds_a_key(tmp_path: Path) -> None:
    code = "import sys; from promptkit import keys; keys.find('groq'); keys.known(); print('keyring' in sys.modules)"
    assert process(code, tmp_path).strip() == "False"
