"""The admin toolkit: lists of millions of rows, search, deletion, database errors."""
