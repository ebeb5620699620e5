"""Throws random and mutated input at every part that reads what strangers send; see __main__.py."""
