"""What packages say of samples: reads a list of {name, before, now} from a file, prints by name what each tool scores and decides.

drift_rules.py packages FILE: SciPy, feature-engine and Evidently. drift_rules.py tfdv FILE: TensorFlow Data Validation."""

import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def is_numeric(sample):
    return all(value is None or not isinstance(value, str) for value in sample["before"] + sample["now"])


def verdict(score, drifts):
    return {"score": float(score), "drift": bool(drifts)}


def textbook(sample):
    import pandas as pd
    from scipy import stats

    before, now = (pd.Series(sample[side]).dropna() for side in ("before", "now"))
    if is_numeric(sample):
        chance = stats.ks_2samp(before, now).pvalue
    else:
        keys = sorted(set(before) | set(now))
        chance = stats.chi2_contingency([[(side == key).sum() for key in keys] for side in (before, now)]).pvalue
    return verdict(chance, chance < 0.05)


def stability(sample):
    import pandas as pd
    from feature_engine.selection import DropHighPSIFeatures

    kind = float if is_numeric(sample) else object
    values = pd.Series(sample["before"] + sample["now"], dtype=kind)
    side = [0] * len(sample["before"]) + [1] * len(sample["now"])
    frame = pd.DataFrame({"side": side, "value": values})
    chosen = DropHighPSIFeatures(split_col="side", cut_off=[0], threshold=0.1, bins=10, variables=["value"], missing_values="ignore").fit(frame)
    return verdict(chosen.psi_values_["value"], "value" in chosen.features_to_drop_)


def evidently(sample):
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    numeric = is_numeric(sample)
    columns = DataDefinition(**{"numerical_columns" if numeric else "categorical_columns": ["value"]})
    kind = float if numeric else object
    before, now = (
        Dataset.from_pandas(pd.DataFrame({"value": pd.Series(sample[side], dtype=kind)}), columns) for side in ("before", "now")
    )
    told = json.loads(Report([ValueDrift(column="value")]).run(now, before).json())["metrics"][0]
    method, limit, score = told["config"]["method"], told["config"]["threshold"], told["value"]
    # Of the tests with p-values, Kolmogorov's alone counts the limit itself as drift.
    drifts = score >= limit if "p_value" not in method else score <= limit if method.startswith("K-S") else score < limit
    return verdict(score, drifts) | {"method": method}


def tfdv(sample):
    import pandas as pd
    import tensorflow_data_validation as tfdv

    kind = float if is_numeric(sample) else object
    before, now = (
        tfdv.generate_statistics_from_dataframe(pd.DataFrame({"value": pd.Series(sample[side], dtype=kind)})) for side in ("before", "now")
    )
    schema = tfdv.infer_schema(before)
    comparator = tfdv.get_feature(schema, "value").drift_comparator
    norm = comparator.jensen_shannon_divergence if is_numeric(sample) else comparator.infinity_norm
    norm.threshold = 0.01
    told = tfdv.validate_statistics(now, schema, previous_statistics=before).drift_skew_info[0].drift_measurements[0]
    answer = verdict(told.value, told.value > told.threshold)
    if is_numeric(sample):
        answer["histograms"] = [histogram_of(side) for side in (before, now)]
    return answer


def histogram_of(statistics):
    buckets = statistics.datasets[0].features[0].num_stats.histograms[0].buckets
    return {
        "edges": [bucket.low_value for bucket in buckets] + [buckets[-1].high_value],
        "counts": [bucket.sample_count for bucket in buckets],
    }


tools = {
    "packages": {"KS, chi-squared p < .05": textbook, "PSI > .1": stability, "Evidently (Wasserstein, JS distance > .1)": evidently},
    "tfdv": {"TFDV (L-infinity, JS > .01)": tfdv},
}[sys.argv[1]]
samples = json.load(open(sys.argv[2], encoding="utf8"))
print(json.dumps({sample["name"]: {name: judge(sample) for name, judge in tools.items()} for sample in samples}))
