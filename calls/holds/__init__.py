"""Legal holds: who placed and released them, and what they forbid."""
