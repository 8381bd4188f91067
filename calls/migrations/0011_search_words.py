"""How words are told apart in a search: unaccented, in lower case, in no language.

Lines answer in any language, and a transcript may mix two: a stemmer of one language would mangle
the others, so words are kept whole. unaccent lets "jose" find "José".
"""

from django.db import migrations

# The dictionary is named where its extension lives: not always in public.
WORDS = """
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE TEXT SEARCH CONFIGURATION app.words (COPY = pg_catalog.simple);
DO $$
BEGIN
    EXECUTE format(
        'ALTER TEXT SEARCH CONFIGURATION app.words'
        ' ALTER MAPPING FOR hword, hword_part, word WITH %I.unaccent, pg_catalog.simple',
        (SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
         WHERE extname = 'unaccent'));
END
$$;
"""
# The extensions stay: others may have come to use them.
DROP = "DROP TEXT SEARCH CONFIGURATION app.words"


class Migration(migrations.Migration):
    dependencies = [("calls", "0011_calls_archive")]

    operations = [migrations.RunSQL(WORDS, DROP)]
