"""How architectures are proposed: Optuna samplers that share one seam."""
