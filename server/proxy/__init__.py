"""A recording reverse proxy before the providers of models: what it forwards is untouched, what it saw is spooled."""
