"""Which masks fit least: measures of each mask, compared with the cohort's, ranked with reasons."""
