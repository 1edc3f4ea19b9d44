"""Records whose schema is in a registry, made readable by those who ask another registry.

A *frame* is what a serializer puts around a body so that readers find its schema. Frames are made anew here, bodies
stay.
"""
