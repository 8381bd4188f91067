"""Moving calls between `calls`, `calls_archive` and files: each call is in exactly one place.

moving.py archives, restoring.py brings back, dropping.py exports a month and drops it, loading.py
reads such a file in again. All of them keep a ledger (ledger.py) and work in batches (batches.py).
"""
