"""What the models of the tests' tables are called."""

from massm.report.naming import Names

NAMES = Names(
    labels={
        "massm": "MASSM",
        "mean_shape": "Mean shape",
        "pca_oracle": "PCA projection",
        "truth": "True particles",
    },
    bounds=("mean_shape", "pca_oracle", "truth"),
    knowing=("pca_oracle", "truth"),
    order=("massm", "mean_shape", "pca_oracle", "truth"),
)
