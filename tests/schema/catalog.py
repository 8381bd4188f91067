"""A schema's catalog as plain facts, one per object, by which two schemas can be compared."""

from collections.abc import Collection

from django.db.backends.utils import CursorWrapper

Facts = dict[str, str]

# Each query yields a fact's name and value, for the tables %(tables)s of the schema %(schema)s.
# Both schemas are read with themselves in the search path, so no value contains the schema.
TABLES = """
SELECT 'table ' || relname, coalesce('partitioned by ' || pg_get_partkeydef(oid), 'whole')
FROM pg_class WHERE relnamespace = %(schema)s::regnamespace AND relname = ANY(%(tables)s)
AND relkind IN ('r', 'p')
"""
VIEWS = """
SELECT CASE relkind WHEN 'v' THEN 'view ' ELSE 'materialized view ' END || relname,
    regexp_replace(
        -- PostgreSQL 15 names the table of each column, later versions where there are several.
        CASE relkind WHEN 'm' THEN
            regexp_replace(pg_get_viewdef(oid), '\\m(calls|calls_archive|counted)\\.', '', 'g')
        ELSE pg_get_viewdef(oid) END, '\\s+', ' ', 'g')
FROM pg_class WHERE relnamespace = %(schema)s::regnamespace AND relname = ANY(%(tables)s)
AND relkind IN ('v', 'm')
"""
COLUMNS = """
SELECT 'column ' || relname || '.' || attname, concat_ws(' ',
    format_type(atttypid, atttypmod),
    'COLLATE ' || nullif(attcollation, typcollation)::regcollation,
    CASE WHEN attnotnull THEN 'NOT NULL' END,
    'DEFAULT ' || pg_get_expr(adbin, adrelid),
    'GENERATED ' || nullif(attgenerated::text || attidentity::text, ''))
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN pg_type ON pg_type.oid = atttypid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = %(schema)s::regnamespace AND relname = ANY(%(tables)s)
AND attnum > 0 AND NOT attisdropped ORDER BY relname, attnum
"""
# PostgreSQL 18 lists NOT NULL here too ('n'): the columns say it already.
CONSTRAINTS = """
SELECT 'constraint ' || relname || '.' || conname, pg_get_constraintdef(pg_constraint.oid)
FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
WHERE relnamespace = %(schema)s::regnamespace AND relname = ANY(%(tables)s) AND contype <> 'n'
"""
INDEXES = """
SELECT 'index ' || t.relname || '.' || i.relname, concat_ws(' ',
    CASE WHEN indisunique THEN 'UNIQUE' END,
    substring(pg_get_indexdef(indexrelid) FROM ' USING (.*)'),
    CASE WHEN NOT indisvalid THEN 'INVALID' END)
FROM pg_index JOIN pg_class AS t ON t.oid = indrelid JOIN pg_class AS i ON i.oid = indexrelid
WHERE t.relnamespace = %(schema)s::regnamespace AND t.relname = ANY(%(tables)s)
"""
TRIGGERS = """
SELECT 'trigger ' || relname || '.' || tgname, concat_ws(' ',
    substring(pg_get_triggerdef(pg_trigger.oid, true) FROM '(?:BEFORE|AFTER) .*'),
    CASE WHEN tgenabled <> 'O' THEN 'NOT ENABLED' END)
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace = %(schema)s::regnamespace AND relname = ANY(%(tables)s) AND NOT tgisinternal
"""
FUNCTIONS = """
SELECT 'function ' || p.oid::regprocedure, concat_ws(' ',
    pg_get_function_result(p.oid), lanname, provolatile,
    CASE WHEN prosecdef THEN 'SECURITY DEFINER' END, proconfig,
    lower(btrim(regexp_replace(prosrc, '\\s+', ' ', 'g'), ' ;')))
FROM pg_proc AS p JOIN pg_language ON pg_language.oid = prolang
WHERE pronamespace = %(schema)s::regnamespace
AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')  -- an extension's
AND proname NOT LIKE 'procrastinate%%'  -- the job queue's own
"""
# What the document leaves to others: row level security and grants.
SECURITY = """
SELECT 'security ' || relname, concat_ws(' ', relrowsecurity, relforcerowsecurity, relacl)
FROM pg_class WHERE relnamespace = %(schema)s::regnamespace AND relname = ANY(%(tables)s)
UNION ALL SELECT 'policy ' || tablename || '.' || policyname,
    concat_ws(' ', permissive, cmd, roles, qual, with_check)
FROM pg_policies WHERE schemaname = %(schema)s AND tablename = ANY(%(tables)s)
UNION ALL SELECT 'security ' || oid::regprocedure, proacl::text FROM pg_proc
WHERE pronamespace = %(schema)s::regnamespace AND proacl IS NOT NULL
"""
IN_THE_DOCUMENT = (TABLES, VIEWS, COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS, FUNCTIONS)


def read(
    cursor: CursorWrapper,
    schema: str,
    *,
    tables: Collection[str],
    queries: Collection[str] = IN_THE_DOCUMENT,
) -> Facts:
    """The facts of those tables, views and of every function of the schema, by name."""
    facts: Facts = {}
    cursor.execute(f"SET LOCAL search_path = {schema}, public")
    for query in queries:
        cursor.execute(query, {"schema": schema, "tables": list(tables)})
        facts.update(cursor.fetchall())
    return facts


def tables_in(cursor: CursorWrapper, schema: str) -> list[str]:
    """Every table and view of a schema."""
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace"
        " AND relkind IN ('r', 'p', 'v', 'm') ORDER BY 1",
        [schema],
    )
    return [name for (name,) in cursor.fetchall()]
