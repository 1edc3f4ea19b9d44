"""What a migration's gates look at: both systems as they are now, looked at without a trace in either."""
