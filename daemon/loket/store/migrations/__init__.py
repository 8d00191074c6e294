"""Alembic's home: one file per change of the schema, run by the daemon when it opens the store."""
