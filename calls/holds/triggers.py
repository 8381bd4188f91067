"""Triggers that keep the evidence of a call under legal hold, for each table that has some."""

from collections.abc import Sequence

import pgtrigger

from database.triggers import RejectUpdate, RunFunction

HELD = (
    "The call is under legal hold: what is known of it cannot be changed or deleted until staff"
    " release the hold."
)


class EvidenceStays(RejectUpdate):
    """Refuses to change what a row of a call under legal hold already has."""

    def __init__(self, *, name: str, condition: str) -> None:
        super().__init__(name=name, condition=condition, message=HELD)


class HeldTrigger(RunFunction):
    """Refuses what the function finds to concern a call under legal hold."""

    when = pgtrigger.Before
    message = HELD


class TruncateNothingHeld(HeldTrigger):
    """Refuses TRUNCATE while any call is under legal hold."""

    operation = pgtrigger.Truncate
    level = pgtrigger.Statement
    func = "app.refuse_truncate_under_hold"


def changed(columns: Sequence[str]) -> str:
    """The condition that an UPDATE replaces a value; it may still fill in what was not known."""
    replaced = " OR ".join(
        f"OLD.{column} IS NOT NULL AND OLD.{column} IS DISTINCT FROM NEW.{column}"
        for column in columns
    )
    return f"({replaced})"


def moved_back(column: str, progress: str) -> str:
    """The condition that an UPDATE gives another word that is not further by this function."""
    return (
        f"(OLD.{column} IS DISTINCT FROM NEW.{column}"
        f" AND {progress}(NEW.{column}) <= {progress}(OLD.{column}))"
    )


def parts_changed(column: str, table: str) -> str:
    """The condition that a JSON array of rows of a table lost one, or something known of one."""
    return f"NOT app.keeps_parts(NULL::public.{table}, OLD.{column}, NEW.{column})"


def keep_evidence(
    table: str,
    columns: Sequence[str],
    *,
    moving: tuple[str, str] | None = None,
    func: str = "app.refuse_change_under_hold",
) -> list[RunFunction]:
    """The triggers of a table whose rows belong to a call by their call_id.

    While the call is held its rows are not deleted, and these columns keep the values they have.
    moving is a column with the provider's word for a status, which only moves forward, and the
    function that gives its progress. func looks whether the call is held;
    app.refuse_change_of_held_part finds it by call_sid.
    """
    condition = changed(columns)
    if moving is not None:
        condition = f"({condition} OR {moved_back(*moving)})"
    return [
        HeldTrigger(name=f"{table}_hold_keeps_rows", operation=pgtrigger.Delete, func=func),
        HeldTrigger(
            name=f"{table}_hold_keeps_evidence",
            operation=pgtrigger.Update,
            condition=pgtrigger.Condition(condition),
            func=func,
        ),
        TruncateNothingHeld(name=f"{table}_hold_refuses_truncate"),
    ]


def hold_is_recorded(table: str) -> list[RunFunction]:
    """The triggers by which legal_hold is what the table legal_holds makes it."""
    return [
        RunFunction(
            name=f"{table}_hold_is_recorded",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert,
            condition=pgtrigger.Condition("NEW.legal_hold"),
            func="app.require_legal_hold",
        ),
        RunFunction(
            name=f"{table}_hold_follows_record",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            condition=pgtrigger.Condition("OLD.legal_hold IS DISTINCT FROM NEW.legal_hold"),
            func="app.require_legal_hold",
        ),
    ]
