"""The toolkit of management commands: arguments, progress bars and interrupts."""
