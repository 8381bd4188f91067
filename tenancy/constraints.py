"""What the database enforces for a tenant table, declared in Meta.constraints.

makemigrations writes the migration of these like that of any constraint.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models.constraints import BaseConstraint

from database.roles import API, STAFF, WEB

TENANT_CONDITION = "{column} = (SELECT app.phone())"
READ_WRITE = "SELECT, INSERT, UPDATE, DELETE"


def policies_sql(table: str, column: str) -> str:
    """DDL that puts a table without policies under row level security; table comes quoted."""
    condition = TENANT_CONDITION.format(column=column)
    return "; ".join(
        [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY tenant ON {table} USING ({condition}) WITH CHECK ({condition})",
            f"CREATE POLICY staff ON {table} TO {STAFF} USING (true) WITH CHECK (true)",
        ]
    )


def protect_sql(table: str, column: str, *, tenant_may: str = READ_WRITE) -> str:
    """policies_sql() and the grants: staff may read and write, a line what tenant_may names.

    What the API's login may do in a line's scope is for ApiRights.
    """
    return "; ".join(
        [
            policies_sql(table, column),
            f"REVOKE ALL ON {table} FROM PUBLIC",
            f"GRANT {READ_WRITE} ON {table} TO {STAFF}",
            f"GRANT {tenant_may} ON {table} TO {WEB}",
        ]
    )


def unprotect_sql(table: str) -> str:
    """Takes the policies away and leaves row level security on: the table then shows nothing."""
    return (
        f"DROP POLICY tenant ON {table}; DROP POLICY staff ON {table};"
        f" REVOKE ALL ON {table} FROM {WEB}, {STAFF}"
    )


class DatabaseRule(BaseConstraint):
    """A rule that lives in the database alone: nothing to validate in Python."""

    def validate(self, *args: Any, **kwargs: Any) -> None:
        pass

    def _identity(self) -> tuple[Any, ...]:
        _, args, kwargs = self.deconstruct()
        return type(self), args, tuple(sorted(kwargs.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseRule) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())


class AfterTable(DatabaseRule):
    """SQL that CREATE TABLE cannot carry: it runs after, in the same transaction."""

    create_template: str
    remove_template: str

    def create_sql(
        self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> Any:
        return self._statement(model, schema_editor, self.create_template)

    def remove_sql(
        self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> Any:
        return self._statement(model, schema_editor, self.remove_template)

    def constraint_sql(
        self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> str:
        assert schema_editor is not None
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))
        return ""

    def _statement(self, model: Any, schema_editor: Any, template: str) -> Statement:
        return Statement(template, table=Table(model._meta.db_table, schema_editor.quote_name))


class ApiRights(AfterTable):
    """What the API's login may do with a table in a line's scope: what its endpoints need.

    rights is as GRANT writes it, such as "SELECT, UPDATE (priority, is_active)".
    """

    remove_template = f"REVOKE ALL ON %(table)s FROM {API}"

    def __init__(self, rights: str, *, name: str = "%(app_label)s_%(class)s_api") -> None:
        super().__init__(name=name)
        self.rights = rights
        self.create_template = f"GRANT {rights} ON %(table)s TO {API}"

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "rights": self.rights}


class TenantRLS(AfterTable):
    """Row level security, enabled and forced, with the tenant and staff policies and grants."""

    remove_template = unprotect_sql("%(table)s")

    def __init__(
        self,
        *,
        column: str = "phone_id",
        tenant_may: str = READ_WRITE,
        name: str = "%(app_label)s_%(class)s_rls",
    ) -> None:
        super().__init__(name=name)
        self.column = column
        self.tenant_may = tenant_may
        self.create_template = protect_sql("%(table)s", column, tenant_may=tenant_may)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "column": self.column, "tenant_may": self.tenant_may}


class CascadeForeignKey(DatabaseRule):
    """FOREIGN KEY (column) … ON DELETE CASCADE, executed by PostgreSQL.

    Django 5.2 cannot declare it; with it, deleting a line is one statement whatever hangs on it.
    """

    def __init__(self, *, column: str, references: str, name: str) -> None:
        super().__init__(name=name)
        self.column = column
        self.references = references

    def _constraint_name(self, model: Any) -> str:
        # PostgreSQL's own name for an inline REFERENCES, which is what the schema document has.
        return f"{model._meta.db_table}_{self.column}_fkey"

    def _definition(self, model: Any) -> str:
        return (
            f"CONSTRAINT {self._constraint_name(model)} FOREIGN KEY ({self.column})"
            f" REFERENCES {self.references} ON DELETE CASCADE"
        )

    def constraint_sql(
        self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> str:
        return self._definition(model)

    def create_sql(
        self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> str:
        assert model is not None
        return f"ALTER TABLE {model._meta.db_table} ADD {self._definition(model)}"

    def remove_sql(
        self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> str:
        assert model is not None
        return f"ALTER TABLE {model._meta.db_table} DROP CONSTRAINT {self._constraint_name(model)}"

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "column": self.column, "references": self.references}


class TenantKeyConstraint(CascadeForeignKey):
    """phone_id references the table of the tenants, on every tenant table."""

    def __init__(self, *, name: str = "%(app_label)s_%(class)s_line", **_: Any) -> None:
        super().__init__(column="phone_id", references=settings.TENANT_TABLE, name=name)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {"name": kwargs["name"]}
