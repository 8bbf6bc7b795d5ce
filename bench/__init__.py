"""What is measured, and how: one module a subject, each with ``figures(...) -> list[Figure]``."""
