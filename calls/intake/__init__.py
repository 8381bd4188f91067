"""How calls come in: from the provider's files and events to rows of `calls`."""
