"""Pictures of the client, drawn from real sessions: see `tests.pictures.__main__`."""
