"""What a running mirror tells the outside: logs, metrics, health and status."""
