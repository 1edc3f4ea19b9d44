"""What AWS takes for what: a table that comes with the package, and what replaces it."""
