"""Triggers that hold a row to the tenant of the row that it refers to."""

from typing import Any

import pgtrigger

from database.triggers import Trigger


class MatchParentTenant(Trigger):
    """Holds a row on the line of the row that `column` names, and fills in phone_id if missing.

    A foreign key alone does not: PostgreSQL checks it past every policy. One over (phone_id, id)
    would, for as much per row, but it wants another unique index on the table it names.
    """

    when = pgtrigger.Before

    def __init__(self, *, name: str, column: str, references: str, message: str) -> None:
        keys = pgtrigger.UpdateOf(column, "phone_id")  # type: ignore[no-untyped-call]
        super().__init__(name=name, operation=pgtrigger.Insert | keys, declare=[("line", "text")])
        self.column = column
        self.references = references
        self.message = message

    def get_func(self, model: Any) -> str:
        table, column = self.references, self.column
        return f"""
                    SELECT phone_id INTO line FROM public.{table} WHERE id = NEW.{column};
                    IF NEW.phone_id IS NULL THEN
                        NEW.phone_id = line;
                    ELSIF NEW.phone_id IS DISTINCT FROM line THEN
                        RAISE EXCEPTION '{self.message}'
                            USING ERRCODE = 'check_violation',
                            TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
                    END IF;
                    RETURN NEW;
                """
