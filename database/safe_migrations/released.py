"""Which migrations are new: those after `<app>/migrations/released_migration.txt`.

It names the app's last migration in the last release, which may still run while the next one
migrates. Before the first release there is no such file.
"""

from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader


def records() -> dict[str, Path]:
    """Where each app in this tree that has migrations records its last released one."""
    folders = {config.label: Path(config.path, "migrations") for config in apps.get_app_configs()}
    return {
        label: folder / "released_migration.txt"
        for label, folder in sorted(folders.items())
        if folder.parent.parent == settings.BASE_DIR and any(folder.glob("0*"))
    }


def record_release(loader: MigrationLoader) -> None:
    """From now on all migrations of today are released."""
    for label, record in records().items():
        [(_, name)] = loader.graph.leaf_nodes(label)
        record.write_text(f"{name}\n")


def new_migrations(loader: MigrationLoader, label: str) -> list[Migration]:
    """Those of the app that are in no release, in the order in which they run."""
    graph, record = loader.graph, records()[label]
    released = (label, record.read_text().strip()) if record.exists() else None
    old = graph.forwards_plan(released) if released else []
    plan = [key for leaf in graph.leaf_nodes(label) for key in graph.forwards_plan(leaf)]
    return [graph.nodes[key] for key in plan if key[0] == label and key not in old]
