"""The steps of a migration, one file each, in the order of ``path``.

A step is asked for nothing that can be measured: its gate holds where its effect is seen.
"""
