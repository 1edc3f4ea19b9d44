"""The main job shown on one machine: two embedded servers, a mirror between them, and the proof that it worked."""
