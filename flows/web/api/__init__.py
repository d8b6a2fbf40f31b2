"""The API under /api/v1, one module a group of routes; the pages use the same."""
