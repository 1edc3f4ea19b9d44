"""``python -m bridge.cli``: the command without its script, as a supervisor starts its workers."""

from bridge.cli.main import main

main()
