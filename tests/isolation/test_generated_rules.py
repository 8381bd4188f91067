"""makemigrations alone puts a new tenant table behind both walls."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import ProgrammingError, connections, models, transaction
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter
from django.test.utils import isolate_apps

from tenancy.catalog import problems_of_server
from tenancy.models import TenantForeignKey, TenantModel
from tenants.models import PhoneNumber


def note(**options: Any) -> ModelState:
    """A new tenant model, as migrations see it; options replace those of its Meta."""
    with isolate_apps("tenants") as registry:
        assert registry
        registry.all_models["tenants"]["phonenumber"] = PhoneNumber

        class Note(TenantModel):
            id = models.UUIDField(primary_key=True)
            phone = TenantForeignKey(related_name="+")

            class Meta(TenantModel.Meta):
                app_label = "tenants"
                db_table = "notes"
                indexes = [models.Index(fields=["phone"], name="idx_notes_phone")]

        state = ModelState.from_model(Note)
    state.options |= options
    return state


def state_of(*states: ModelState) -> ProjectState:
    project = ProjectState()
    project.add_model(ModelState.from_model(PhoneNumber))
    for state in states:
        project.add_model(state)
    return project


def migration_between(before: ProjectState, after: ProjectState) -> Any:
    graph = MigrationGraph()
    graph.add_node(("tenants", "0001_initial"), None)
    detector = MigrationAutodetector(before.clone(), after.clone())  # which takes them apart
    [migration] = detector.changes(graph)["tenants"]
    return migration


def apply(migration: Any, before: ProjectState, *, backwards: bool = False) -> None:
    connection = connections["owner"]
    with connection.schema_editor(atomic=False) as editor:
        (migration.unapply if backwards else migration.apply)(before.clone(), editor)


@pytest.fixture
def owner(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """The owner's cursor, in a transaction that is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic(using="owner"):
        with connections["owner"].cursor() as cursor:
            yield cursor
        transaction.set_rollback(True, using="owner")


def problems(owner: Any) -> set[str | None]:
    """Of the table `notes`; the owner serving is a problem of its own."""
    return {problem.id for problem in problems_of_server(owner) if "notes" in problem.msg}


def protected(owner: Any) -> list[Any]:
    owner.execute(
        "SELECT relrowsecurity AND relforcerowsecurity, (SELECT count(*) FROM pg_policy"
        " WHERE polrelid = c.oid), has_table_privilege('replytics_web', c.oid, 'INSERT'),"
        " has_table_privilege('replytics_web', c.oid, 'TRUNCATE'),"
        " (SELECT count(*) FROM pg_constraint WHERE conrelid = c.oid AND contype = 'f')"
        " FROM pg_class c WHERE oid = to_regclass('notes')"
    )
    return list(owner.fetchall())


def test_a_new_table_is_protected_and_its_migration_reversible(owner: Any) -> None:
    before, after = state_of(), state_of(note())
    migration = migration_between(before, after)
    written = MigrationWriter(migration).as_string()
    assert "TenantRLS" in written
    assert "TenantKeyConstraint" in written
    apply(migration, before)
    assert protected(owner) == [(True, 2, True, False, 1)]
    assert problems(owner) == set()
    apply(migration, before, backwards=True)
    assert protected(owner) == []


def test_an_existing_table_is_protected_by_adding_the_rule(owner: Any) -> None:
    bare, ruled = state_of(note(constraints=[])), state_of(note())
    apply(migration_between(state_of(), bare), state_of())
    assert problems(owner) == {"tenancy.E011", "tenancy.E012"}
    owner.execute("INSERT INTO phone_numbers (id, number, business_name) VALUES ('a', '+11', 'A')")
    owner.execute("INSERT INTO notes (id, phone_id) VALUES (gen_random_uuid(), 'a')")
    migration = migration_between(bare, ruled)
    assert {type(operation).__name__ for operation in migration.operations} == {"AddConstraint"}
    apply(migration, bare)
    assert protected(owner) == [(True, 2, True, False, 1)]
    assert problems(owner) == set()


def test_removing_the_rule_leaves_a_table_that_shows_nothing(owner: Any) -> None:
    bare, ruled = state_of(note(constraints=[])), state_of(note())
    apply(migration_between(state_of(), ruled), state_of())
    owner.execute("INSERT INTO phone_numbers (id, number, business_name) VALUES ('a', '+11', 'A')")
    owner.execute("INSERT INTO notes (id, phone_id) VALUES (gen_random_uuid(), 'a')")
    apply(migration_between(ruled, bare), ruled)
    assert protected(owner) == [(True, 0, False, False, 0)]
    owner.execute("SELECT count(*) FROM notes")
    assert owner.fetchone() == (0,), "not even the owner sees a row"


def test_the_rule_of_a_new_table_holds_for_the_serving_login(owner: Any) -> None:
    apply(migration_between(state_of(), state_of(note())), state_of())
    owner.execute("SELECT set_config('app.phone_id', 'a', true)")
    owner.execute("SELECT pg_has_role(current_user, 'replytics_staff', 'USAGE')")
    assert owner.fetchone() == (True,)
    owner.execute("SET LOCAL ROLE replytics_staff")
    owner.execute("INSERT INTO phone_numbers (id, number, business_name) VALUES ('a', '+11', 'A')")
    owner.execute("INSERT INTO notes (id, phone_id) VALUES (gen_random_uuid(), 'a')")
    with pytest.raises(ProgrammingError, match="permission denied"):
        owner.execute("TRUNCATE notes")
