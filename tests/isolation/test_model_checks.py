"""Each way to forget the tenancy in a model or the settings is found, and its hint cures it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps.registry import Apps
from django.conf import settings
from django.core.checks import CheckMessage
from django.db import models
from django.db.models.functions import Lower
from django.test.utils import isolate_apps

from calls.models import Call
from tenancy.checks import check_models, check_settings, problems_of, problems_of_database
from tenancy.constraints import TenantKeyConstraint, TenantRLS
from tenancy.models import TenantForeignKey, TenantModel
from tenancy.triggers import MatchParentTenant
from tenants.models import PhoneNumber


@pytest.fixture(autouse=True)
def _registry() -> Iterator[None]:
    """Models made by a test stay unknown to Django."""
    with isolate_apps("tenants") as registry:
        assert isinstance(registry, Apps)
        registry.all_models["tenants"]["phonenumber"] = PhoneNumber
        yield


def only(model: type[models.Model]) -> CheckMessage:
    [problem] = problems_of(model)
    assert problem.hint
    return problem


def test_the_product_has_no_problems() -> None:
    assert check_models() == []
    assert check_settings() == []


def test_a_model_of_no_line_says_why_all_share_it() -> None:
    class Tariff(models.Model):  # noqa: DJ008
        class Meta:
            app_label = "tenants"

    problem = only(Tariff)
    assert problem.id == "tenancy.E001"
    assert "shared_because" in str(problem.hint)
    Tariff.shared_because = "the same prices for everybody"  # type: ignore[attr-defined]
    assert not list(problems_of(Tariff))


def test_an_automatic_table_between_two_models_is_found() -> None:
    class Tariff(models.Model):  # noqa: DJ008
        shared_because = "the same prices for everybody"
        lines = models.ManyToManyField(PhoneNumber, related_name="+")

        class Meta:
            app_label = "tenants"

    assert only(Tariff.lines.through).id == "tenancy.E001"


class Meta(TenantModel.Meta):
    """What the models of these tests share."""

    app_label = "tenants"
    indexes = [models.Index(fields=["phone"], name="idx_notes_phone")]


def test_a_tenant_model_has_no_problems() -> None:
    class Note(TenantModel):
        id = models.UUIDField(primary_key=True)
        phone = TenantForeignKey(related_name="+")
        text = models.TextField()

        class Meta(Meta):
            pass

    assert not list(problems_of(Note))


@pytest.mark.parametrize(
    ("number", "constraints"),
    [
        ("E002", [TenantKeyConstraint()]),
        ("E002", [TenantKeyConstraint(), TenantRLS(column="text")]),
        ("E007", [TenantRLS()]),
    ],
)
def test_a_missing_constraint_is_found(number: str, constraints: list[Any]) -> None:
    given = constraints

    class Note(TenantModel):
        phone = TenantForeignKey(related_name="+")
        text = models.TextField()

        class Meta(Meta):
            constraints = given

    problem = only(Note)
    assert problem.id == f"tenancy.{number}"
    assert "*TenantModel.Meta.constraints" in str(problem.hint)


def test_a_row_that_may_outlive_its_line_says_why() -> None:
    class Note(TenantModel):
        outlives_line = "a ledger"
        phone = TenantForeignKey(related_name="+")

        class Meta(Meta):
            constraints = [TenantRLS()]

    assert not list(problems_of(Note))


@pytest.mark.parametrize(
    ("index", "serves"),
    [
        (models.Index(fields=["text", "phone"], name="i"), False),
        (models.Index(fields=["phone"], name="i", condition=models.Q(text="")), False),
        (models.Index(fields=["-phone", "text"], name="i"), True),
        (models.Index("phone", "text", name="i"), True),
    ],
)
def test_a_table_needs_an_index_that_begins_with_the_line(
    index: models.Index, serves: bool
) -> None:
    class Note(TenantModel):
        phone = TenantForeignKey(related_name="+")
        text = models.TextField()

        class Meta(Meta):
            indexes = [index]

    problems = list(problems_of(Note))
    assert [problem.id for problem in problems] == ([] if serves else ["tenancy.E003"])
    assert all("begin" in problem.msg and problem.hint for problem in problems)


@pytest.mark.parametrize("fields", [["phone", "text"], ["text", "phone"]])
def test_what_is_unique_within_a_line_is_fine(fields: list[str]) -> None:
    unique = fields

    class Note(TenantModel):
        phone = TenantForeignKey(related_name="+")
        text = models.TextField()

        class Meta(Meta):
            constraints = [
                *TenantModel.Meta.constraints,
                models.UniqueConstraint(fields=unique, name="u"),
            ]

    assert not list(problems_of(Note))


def test_what_is_unique_over_all_lines_says_why() -> None:
    class Note(TenantModel):
        phone = TenantForeignKey(related_name="+")
        text = models.TextField(unique=True)

        class Meta(Meta):
            pass

    problem = only(Note)
    assert problem.id == "tenancy.E004"
    assert 'unique_over_all_lines = {"text": "…"}' in str(problem.hint)
    Note.unique_over_all_lines = {"text": ""}  # type: ignore[attr-defined]
    assert only(Note).id == "tenancy.E004"
    Note.unique_over_all_lines = {"text": "drawn at random"}  # type: ignore[attr-defined]
    assert not list(problems_of(Note))


@pytest.mark.parametrize("names", [("text",), ("text", "phone")])
def test_what_an_expression_makes_unique_is_seen_too(names: tuple[str, ...]) -> None:
    class Note(TenantModel):
        phone = TenantForeignKey(related_name="+")
        text = models.TextField()

        class Meta(Meta):
            constraints = [
                *TenantModel.Meta.constraints,
                models.UniqueConstraint(Lower("text"), *names[1:], name="u"),
            ]

    found = [problem.id for problem in problems_of(Note)]
    assert found == ([] if "phone" in names else ["tenancy.E004"])


def test_a_key_that_can_be_guessed_says_why() -> None:
    class Note(TenantModel):
        code = models.TextField(primary_key=True)
        phone = TenantForeignKey(related_name="+")

        class Meta(Meta):
            pass

    assert only(Note).id == "tenancy.E004"


def test_a_manager_that_does_not_filter_is_found() -> None:
    class Note(TenantModel):
        phone = TenantForeignKey(related_name="+")
        everything = models.Manager()

        class Meta(Meta):
            pass

    problem = only(Note)
    assert problem.id == "tenancy.E005"
    assert "TenantManager" in str(problem.hint)


def test_a_foreign_key_that_could_leave_the_line_is_found() -> None:
    class Note(TenantModel):
        phone = TenantForeignKey(related_name="+")
        call = models.ForeignKey(Call, models.DO_NOTHING, related_name="+")

        class Meta(Meta):
            triggers: list[MatchParentTenant] = []

    problem = only(Note)
    assert problem.id == "tenancy.E006"
    assert 'MatchParentTenant(name="…", column="call_id"' in str(problem.hint)
    held = MatchParentTenant(name="notes_line", column="call_id", references="calls", message="no")
    Note._meta.triggers = [held]  # type: ignore[attr-defined]
    assert not list(problems_of(Note))


def test_a_foreign_key_that_no_line_may_write_is_fine() -> None:
    class Note(TenantModel):
        phone = TenantForeignKey(related_name="+")
        call = models.ForeignKey(Call, models.DO_NOTHING, related_name="+")

        class Meta(Meta):
            constraints = [TenantRLS(tenant_may="SELECT"), TenantKeyConstraint()]

    assert not list(problems_of(Note))


@pytest.mark.parametrize(
    ("number", "change"),
    [
        ("E008", {"OPTIONS": {"server_side_binding": True}}),
        ("E009", {"DISABLE_SERVER_SIDE_CURSORS": False}),
    ],
)
def test_settings_that_stop_the_scope_from_travelling_are_found(
    number: str, change: dict[str, Any]
) -> None:
    database = settings.DATABASES["default"] | change
    [problem] = problems_of_database("default", database)
    assert problem.id == f"tenancy.{number}"
    assert next(iter(change.get("OPTIONS", change))) in str(problem.hint)
