"""Handlers that were written for AWS Lambda, called with the events they know (docs: lambda)."""
