"""A transfer to the line's own number is refused in either form of that number."""

import pgtrigger.migrations
from django.db import migrations

import database.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0005_voices_of_the_installation"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="conversationrule",
            name="conversation_rules_transfer_target",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="transferplace",
            name="transfer_places_number_is_not_own",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="conversationrule",
            trigger=database.triggers.CompiledTrigger(
                name="conversation_rules_transfer_target",
                sql=database.triggers.TriggerSql(
                    condition="WHEN (NEW.rule_type = 'transfer' AND NEW.actions ->> 'transfer_to' IS NOT NULL)",
                    func="\n                    IF (CASE WHEN NEW.actions ->> 'transfer_to' ~ '^\\+[1-9][0-9]{6,14}$' THEN\n                    EXISTS (SELECT FROM public.phone_numbers\n                        WHERE id = NEW.phone_id AND app.one_number(number)\n                            = app.one_number(NEW.actions ->> 'transfer_to'))\n                ELSE\n                    NOT EXISTS (SELECT FROM public.transfer_places\n                        WHERE phone_id = NEW.phone_id AND name = NEW.actions ->> 'transfer_to'\n                        FOR SHARE)\n                END) THEN\n                        RAISE EXCEPTION 'transfer_to must be a number in E.164 format other than the line''s own, or the name of a transfer place of the line.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;\n                    END IF;\n                    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;\n                ",
                    hash="e8095e4d7f67c4fd02124522046a666a3aba7ee0",
                    operation='INSERT OR UPDATE OF "rule_type", "actions", "phone_id"',
                    pgid="conversation_rules_transfer_target",
                    table="conversation_rules",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="transferplace",
            trigger=database.triggers.CompiledTrigger(
                name="transfer_places_number_is_not_own",
                sql=database.triggers.TriggerSql(
                    func="\n                    IF (EXISTS (SELECT FROM public.phone_numbers\n                        WHERE id = NEW.phone_id\n                            AND app.one_number(number) = app.one_number(NEW.number))) THEN\n                        RAISE EXCEPTION 'This is the line''s own number, where the AI would answer again. Write the number of a person.' USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;\n                    END IF;\n                    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;\n                ",
                    hash="a3e8be8efa07dad2d8f45f189d8c0ebad857fec4",
                    operation='INSERT OR UPDATE OF "number", "phone_id"',
                    pgid="transfer_places_number_is_not_own",
                    table="transfer_places",
                    when="BEFORE",
                ),
            ),
        ),
    ]
