"""The engine and the brute-force reading of the contract give the same answers."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from decisions.answer import as_document
from decisions.calendar import Calendar, stretches
from decisions.decision import decide
from decisions.settings_document import line_settings
from decisions.words import fold, occurs
from tenants.rules import rule_errors
from tests.decisions import brute_force
from tests.decisions.strategies import Json, calls, lines, phrases, texts
from tests.decisions.vectors import VECTORS


@pytest.mark.parametrize("vector", VECTORS[::4], ids=lambda vector: vector["id"])
def test_brute_force_reads_the_contract_as_the_vectors_do(vector: dict[str, Any]) -> None:
    at = datetime.fromisoformat(vector["at"])
    assert brute_force.answer(vector["settings"], at, vector["facts"]) == vector["expected"]


@pytest.mark.rounds(70, soak=400)
def test_hours_are_those_of_brute_force(rounds: int) -> None:
    @settings(max_examples=rounds, deadline=None)
    @given(line=lines())
    def compare(line: tuple[Json, datetime]) -> None:
        document, at = line
        answer = as_document(decide(line_settings(document), at=at, facts={}))
        assert answer == brute_force.answer(document, at, {})

    compare()


@pytest.mark.rounds(50, soak=300)
def test_stretches_are_the_union_of_brute_force(rounds: int) -> None:
    @settings(max_examples=rounds, deadline=None)
    @given(line=lines())
    def compare(line: tuple[Json, datetime]) -> None:
        document, at = line
        start, end = at - timedelta(days=4), at + timedelta(days=4)
        week = timedelta(days=7)
        openings = brute_force.openings(document, at.date() - week, at.date() + week)
        shown = [each for each in openings if each.open < end and each.close > start]
        found = stretches(Calendar(line_settings(document)), start, end)
        assert [(stretch.open, stretch.close) for stretch in found] == [
            (max(opens, start), min(closes, end)) for opens, closes in brute_force.union(shown)
        ]
        for stretch in found:
            assert {(row.table, str(row.id)) for row in stretch.rows} == {
                (each.table, each.id)
                for each in shown
                if stretch.open < each.close and each.open < stretch.close
            }

    compare()


@pytest.mark.rounds(60, soak=600)
def test_decisions_are_those_of_brute_force(rounds: int) -> None:
    @settings(max_examples=rounds, deadline=None)
    @given(call=calls())
    def compare(call: tuple[Json, datetime, Json]) -> None:
        document, at, facts = call
        answer = as_document(decide(line_settings(document), at=at, facts=facts))
        assert answer == brute_force.answer(document, at, facts)

    compare()


@settings(max_examples=30, deadline=None)
@given(call=calls())
def test_conditions_made_here_are_valid(call: tuple[Json, datetime, Json]) -> None:
    for rule in call[0]["conversation_rules"]:
        faults = rule_errors("greeting", conditions=rule["conditions"], actions={"say": "Hello"})
        assert [*faults] == []


@pytest.mark.rounds(300, soak=4000)
def test_words_are_those_of_brute_force(rounds: int) -> None:
    @settings(max_examples=rounds, deadline=None)
    @given(phrase=phrases, text=texts)
    def compare(phrase: str, text: str) -> None:
        assert occurs(fold(phrase), fold(text)) == brute_force.is_spoken(phrase, text)

    compare()
