"""Trigger classes on top of django-pgtrigger, for every app's Meta.triggers.

Unlike pgtrigger's own they cannot be switched off by a session setting, so what they hold is held
for raw SQL too, and a row pays for no look-up of that setting.
"""

from typing import Any

import pgtrigger
from django.db import models
from pgtrigger import compiler


class TriggerSql(compiler.UpsertTriggerSql):
    """A trigger with a function of its own, in schema app; it names tables with their schema."""

    def get_template(self) -> str:
        return """
            CREATE OR REPLACE FUNCTION app.{pgid}() RETURNS trigger LANGUAGE plpgsql
            SET search_path = pg_catalog, pg_temp AS $$
                {declare}
                BEGIN
                    {func}
                END;
            $$;
            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid}
                {when} {operation} ON {table} {timing} {referencing}
                FOR EACH {level} {condition}
                EXECUTE FUNCTION app.{pgid}();
            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class SharedFunctionSql(compiler.UpsertTriggerSql):
    """A trigger that runs a function made by a migration; `func` is that function's name."""

    def get_template(self) -> str:
        return """
            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE TRIGGER {pgid} {when} {operation} ON {table} {referencing}
                FOR EACH {level} {condition}
                EXECUTE FUNCTION {func}();
            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class CompiledTrigger(compiler.Trigger):
    """A trigger as migrations hold it; goes together with the function that it brought."""

    @property
    def uninstall_sql(self) -> str:
        drop: str = super().uninstall_sql
        if isinstance(self.sql, TriggerSql):
            drop += f" DROP FUNCTION IF EXISTS app.{self.sql.pgid}();"
        return drop


class Trigger(pgtrigger.Trigger):
    """Named in the database as it is named on the model."""

    sql_class: type[compiler.UpsertTriggerSql] = TriggerSql

    def get_pgid(self, model: models.Model) -> str:
        assert self.name is not None
        return self.name

    def compile(self, model: models.Model) -> compiler.Trigger:
        assert self.when is not None
        timing = f"DEFERRABLE INITIALLY {self.timing}" if self.timing else ""
        sql = self.sql_class(
            pgid=self.get_pgid(model),
            declare=self.render_declare(model),
            func=self.render_func(model),
            table=model._meta.db_table,
            constraint="CONSTRAINT" if self.timing else "",
            when=self.when,
            operation=str(self.operation),
            timing=timing,
            referencing=str(self.referencing or ""),
            level=str(self.level),
            condition=self.render_condition(model),
        )
        return CompiledTrigger(name=self.name, sql=sql)


class RunFunction(Trigger):
    """Runs a function made by a migration; `func` is that function's name."""

    sql_class = SharedFunctionSql


class StampUpdatedAt(RunFunction):
    """Sets updated_at on every UPDATE; the name and the function are the schema document's."""

    when = pgtrigger.Before
    operation = pgtrigger.Update
    func = "update_updated_at_column"

    def __init__(self, table: str) -> None:
        super().__init__(name=f"update_{table}_updated_at")


class RejectRow(Trigger):
    """Refuses a row of which an SQL expression of NEW and OLD is true, as a CHECK would."""

    when = pgtrigger.Before

    def __init__(self, *, name: str, query: str, message: str, **options: Any) -> None:
        super().__init__(name=name, **options)
        self.query = query
        self.message = message

    def get_func(self, model: Any) -> str:
        return f"""
                    IF ({self.query.strip()}) THEN
                        {_refusal(self.message)}
                    END IF;
                    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
                """


class RejectUpdate(Trigger):
    """Refuses an UPDATE that meets the condition, as a CHECK would (so IntegrityError)."""

    when = pgtrigger.Before
    operation = pgtrigger.Update

    def __init__(self, *, name: str, condition: str, message: str) -> None:
        super().__init__(name=name, condition=pgtrigger.Condition(condition))
        self.message = message

    def get_func(self, model: Any) -> str:
        return _refusal(self.message)


def _refusal(message: str) -> str:
    text = message.replace("'", "''")
    return (
        f"RAISE EXCEPTION '{text}' USING ERRCODE = 'check_violation',"
        f" TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;"
    )
