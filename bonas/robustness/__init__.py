"""How robustly a detector separates forged from genuine faces, condition by condition."""
