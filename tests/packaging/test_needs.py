"""A test that lacks something of the system is skipped at home and fails in CI, in one line."""

from pathlib import Path

import needs
import pytest

pytest_plugins = ["pytester"]

CONFTEST = """
import sys
sys.path.insert(0, {folder!r})
from needs import pytest_runtest_setup
"""
TESTS = """
import pytest

@pytest.mark.needs("jackd")
def test_on_ports():
    raise AssertionError("ran")

def test_of_nothing():
    pass
"""


@pytest.fixture
def without_jackd(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.makeconftest(CONFTEST.format(folder=str(Path(needs.__file__).parent)))
    pytester.makepyfile(TESTS)
    pytester.makeini("[pytest]\nmarkers = needs: what a test needs\naddopts = -p no:cacheprovider\n")
    monkeypatch.setenv("PATH", str(pytester.path))
    # In one process plugins would be set up, and clean up, twice.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return pytester


@pytest.mark.parametrize("value", ["true", "1"])
def test_in_ci_it_fails_and_says_why(without_jackd, monkeypatch, value):
    monkeypatch.setenv("CI", value)
    result = without_jackd.runpytest_inprocess("-ra")
    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    said = [line for line in result.outlines if "CI must run this test: jackd is not installed" in line]
    # Once where it fails and once in the summary; no traceback.
    assert len(said) == 2
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize("value", [None, "", "false"])
def test_elsewhere_it_is_skipped_and_says_why(without_jackd, monkeypatch, value):
    monkeypatch.delenv("CI", raising=False)
    if value is not None:
        monkeypatch.setenv("CI", value)
    result = without_jackd.runpytest_inprocess("-ra")
    result.assert_outcomes(passed=1, skipped=1)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines("*SKIPPED*jackd is not installed*")


def test_what_a_fixture_finds_lacking_follows_the_same_rule(monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI must run this test: jackd cannot start here"):
        needs.lacking("jackd cannot start here")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="jackd cannot start here"):
        needs.lacking("jackd cannot start here")
