"""Faults injected on purpose, with real servers."""
