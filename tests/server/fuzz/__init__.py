"""Random operations over the real schema, answered by the fast path and by graphql-core alone: not one byte differs."""
