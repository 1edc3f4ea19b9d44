"""Sources and sinks: how records leave one system and enter another."""
