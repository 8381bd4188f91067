"""PostgreSQL tools that know no business: columns, triggers, prepared statements, migrations."""
