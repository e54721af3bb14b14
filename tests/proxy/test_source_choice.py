"""Who is asked by itself, who on demand, and who never."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from indexgate import config
from indexgate.config import Given
from indexgate.source_choice import Standing, choose_sources, on_loopback
from indexgate.source_offers import OFFERS
from indexgate.upstream_choice import UpstreamChoice

FREE = {"deps-dev", "scorecard", "pypistats"}


def standings(
    environ: Mapping[str, str] | None = None, *, public: bool = True, **given: Given
) -> dict[str, Standing]:
    settings = config.load(given, environ or {}, config.read_bounded, default_state=Path("state"))
    upstream = UpstreamChoice(
        url="https://index.example.test/simple/", index_id="0" * 16, public=public, origin="test"
    )
    found = choose_sources(settings, upstream)
    assert [standing.offer for standing in found] == list(OFFERS)
    assert all(standing.why for standing in found)
    return {standing.offer.name: standing for standing in found}


def third_parties(found: Mapping[str, Standing]) -> set[str]:
    return {name for name, standing in found.items() if standing.third_party}


def test_on_a_laptop_those_are_asked_that_need_no_account() -> None:
    found = standings()
    assert third_parties(found) == FREE
    assert found["project-json"].on
    assert found["osv"].on


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "gate.example.test"])
def test_beyond_loopback_nobody_is_asked_by_itself(host: str) -> None:
    found = standings(host=host)
    assert third_parties(found) == set()
    assert "beyond loopback" in found["deps-dev"].why
    assert third_parties(standings(host=host, sources="deps-dev")) == {"deps-dev"}
    assert third_parties(standings(host=host, sources="auto,deps-dev")) == {"deps-dev"}


def test_names_of_an_index_that_is_not_public_are_told_to_nobody_whatever_is_set() -> None:
    environ = {"INDEXGATE_GITHUB_TOKEN": "t", "INDEXGATE_BIGQUERY_PROJECT": "p"}
    found = standings(environ, public=False, sources="auto,deps-dev,github,ecosystems,clickhouse")
    assert third_parties(found) == set()
    assert [name for name, standing in found.items() if standing.on] == ["project-json"]


def test_offline_nobody_is_asked_at_all() -> None:
    found = standings({"INDEXGATE_PEPY_KEY": "k"}, offline=True, sources="auto,deps-dev")
    assert not any(standing.on for standing in found.values())
    assert {standing.why for standing in found.values()} == {"the gate is offline"}


def test_a_key_turns_its_source_on_and_without_it_a_name_does_not() -> None:
    assert third_parties(standings({"INDEXGATE_PEPY_KEY": "k"})) == FREE | {"pepy"}
    found = standings(sources="pepy")
    assert third_parties(found) == set()
    assert "`pepy_key` is not set" in found["pepy"].why
    assert "INDEXGATE_PEPY_KEY" in found["pepy"].hint
    assert third_parties(standings({"INDEXGATE_PEPY_KEY": "k"}, sources="none")) == set()
    company = standings({"INDEXGATE_BIGQUERY_PROJECT": "p"}, host="0.0.0.0")
    assert third_parties(company) == {"bigquery"}


def test_a_list_is_all_that_is_asked_and_may_add_to_what_goes_by_itself() -> None:
    assert third_parties(standings(sources="pypistats")) == {"pypistats"}
    assert third_parties(standings(sources="auto,ecosystems")) == FREE | {"ecosystems"}
    assert third_parties(standings(sources="auto,github")) == FREE | {"github"}
    assert third_parties(standings(sources="none")) == set()


def test_a_source_that_is_off_says_how_to_turn_it_on() -> None:
    found = standings(sources="pypistats")
    assert found["scorecard"].hint == "Name it: `--sources pypistats,scorecard`."
    assert "flag `--sources` does not name it" in found["scorecard"].why


def test_without_an_address_advisories_are_not_fetched() -> None:
    assert not standings({"INDEXGATE_OSV_URL": ""})["osv"].on


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("192.168.1.4", False),
        ("localhost.example.test", False),
    ],
)
def test_loopback_is_told_from_what_others_can_reach(host: str, here: bool) -> None:
    assert on_loopback(host) is here
