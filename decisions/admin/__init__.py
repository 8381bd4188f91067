"""What the pages of the admin show of decisions."""
