"""The commands: parsing and printing, one file a command."""
