"""Several processes of one machine as one mirror: started, watched, restarted and drained by a supervisor."""
