"""The store: schema, migrations and queries in SQLAlchemy Core, alike on SQLite and PostgreSQL."""
