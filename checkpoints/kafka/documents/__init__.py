"""Documents in the checkpoint topic, beside the checkpoints and unseen by whoever reads these."""
