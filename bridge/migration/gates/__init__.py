"""What several steps measure: each a look that says whether something holds, or waits until it does."""
