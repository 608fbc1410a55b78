"""The GraphQL schema that a catalog gives, and its endpoint over HTTP."""

from server.graphql.schema import build_schema

__all__ = ["build_schema"]
