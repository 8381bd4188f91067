"""What every page of the admin shares: lists of a million rows, search, deletion, refusals."""
