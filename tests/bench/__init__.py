"""Measures the server against its peers: `python -m tests.bench --help`, read notes/performance.md."""
