import json

from tests.unit.cli.conftest import Howdah


def test_templates_are_listed_with_what_they_are(howdah: Howdah) -> None:
    shown = howdah.well("templates")
    assert "small" in shown
    assert "single" in shown
    assert {each["name"] for each in json.loads(howdah.well("templates", "--json"))} >= {"small", "single"}


def test_a_template_is_shown_with_its_parameters_and_text(howdah: Howdah) -> None:
    shown = howdah.well("templates", "show", "small")
    assert "worker_memory" in shown
    assert "from 1 to 1000" in shown
    assert "{{ workers }}" in shown
    found = json.loads(howdah.well("templates", "show", "small", "--json"))
    assert sorted(found) == ["description", "name", "parameters", "text"]
    workers = next(each for each in found["parameters"] if each["name"] == "workers")
    assert (workers["type"], workers["default"], workers["minimum"]) == ("integer", 2, 1)
    memory = next(each for each in found["parameters"] if each["name"] == "worker_memory")
    assert memory["default"] == "2 GiB"


def test_a_template_that_is_not_there_is_answered_with_the_nearest(howdah: Howdah) -> None:
    result = howdah("templates", "show", "smal")
    assert result.exit_code == 2
    assert "small" in result.stderr
