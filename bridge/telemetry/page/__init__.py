"""The live page: its parts as they are written, and the one document that they make."""
