"""config.yaml, rules/*.yaml, templates and secrets as frozen models; every error has its file, line and column."""
