"""Which migrations are new: those after the ones that the last release had."""

from collections.abc import Iterable
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

# The last migration of each of our apps, in the last release: what may be running while a new
# release migrates.
RECORD = Path(__file__).with_name("released.txt")

Key = tuple[str, str]


def our_apps() -> list[str]:
    """The labels of the apps that are ours and have migrations."""
    return sorted(
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).parent == settings.BASE_DIR
        and any(Path(config.path).glob("migrations/0*.py"))
    )


def released() -> list[Key]:
    """The last released migration of each app, (app, name)."""
    lines = RECORD.read_text().split("\n")
    return [(app, name) for app, name in (line.split() for line in lines if line)]


def record_release(loader: MigrationLoader) -> None:
    """All migrations of today belong to the release."""
    leaves = sorted(key for key in loader.graph.leaf_nodes() if key[0] in our_apps())
    RECORD.write_text("".join(f"{app} {name}\n" for app, name in leaves))


def new_migrations(loader: MigrationLoader, labels: Iterable[str]) -> list[Migration]:
    """Those of the apps that are in no release, in the order in which they run."""
    graph = loader.graph
    old = {key for leaf in released() for key in graph.forwards_plan(leaf)}
    found: dict[Key, None] = {}
    for label in labels:
        for leaf in graph.leaf_nodes(label):
            found |= dict.fromkeys(graph.forwards_plan(leaf))
    wanted = set(labels)
    return [graph.nodes[key] for key in found if key not in old and key[0] in wanted]
