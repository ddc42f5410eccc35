"""A synthetic cohort of chest CTs whose true shapes and correspondence are known."""
