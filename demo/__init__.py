"""Made-up lines and calls for a demonstration, a test of load or a developer's machine."""
