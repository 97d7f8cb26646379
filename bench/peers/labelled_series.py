"""Labelled series that ship in packages, or that packages generate, and what river's detectors say of them.

labelled_series.py FOLDER: writes one JSON file a series: its columns, the rows from which on it is labelled to be another than before, and the
rows at which each detector alarms, value by value, in any column."""

import importlib.util
import itertools
import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")
import pandas as pd
import ruptures
from menelaus.datasets import fetch_circle_data, fetch_rainfall_data, make_example_batch_data
from river import drift
from river.datasets import synth

# Windows that every detector may learn from.
LEARNED = 20
# Values that KSWIN is shown of a column, evenly taken: it needs 0.2 ms for each.
KSWIN_MOST = 2000


def inside(package, *path):
    return os.path.join(importlib.util.find_spec(package).submodule_search_locations[0], *path)


def menelaus():
    batches = make_example_batch_data()
    year = batches.pop("year")
    # There and back three times, then to stay: with it the column named "confidence".
    changes = [int((year < changed).sum()) for changed in (2009, 2010, 2012, 2013, 2015, 2016, 2019, 2021)]
    yield "menelaus: batches of 2007 to 2021", 2000, batches.drop(columns=["drift"]), changes
    yield "menelaus: circle", 50, fetch_circle_data(), [1000, 1250]
    rain = fetch_rainfall_data().drop(columns=["index"], errors="ignore")
    yield "menelaus: rainfall of fifty years", 365, rain, [12_000]


def nannyml():
    for name, stem in {"car loan": "synthetic_car_loan", "work from home": "synthetic_sample", "products": "mc", "car price": "regression_synthetic"}.items():
        parts = [pd.read_csv(inside("nannyml", "datasets", "data", f"{stem}_{part}.csv")) for part in ("reference", "analysis")]
        shared = [
            column
            for column in parts[1].columns
            if column in parts[0].columns and not any(word in column for word in ("id", "timestamp", "period", "y_true"))
        ]
        frame = pd.concat([part[shared] for part in parts], ignore_index=True)
        # The guide of each: what changes does so in the second half of the analysed period.
        yield f"NannyML: {name}", 1000, frame, [len(parts[0]) + len(parts[1]) // 2]


def aeon():
    folder = ("datasets", "data", "segmentation")
    devices = pd.read_csv(inside("aeon", *folder, "ElectricDevices.csv"), index_col=0, header=None).reset_index(drop=True)
    yield "aeon: electric devices", 50, devices.rename(columns=str), [1090, 4436, 5712, 7923]


def river():
    def stream(name, before, after, at=50_000, rows=100_000):
        taken = itertools.chain(before.take(at), after.take(rows - at))
        frame = pd.DataFrame([{**{str(key): value for key, value in x.items()}, "label": y} for x, y in taken])
        return f"river: {name}", 1000, frame, [at]

    yield stream("SEA, function 0 to 3", synth.SEA(variant=0, seed=1), synth.SEA(variant=3, seed=2))
    yield stream("Agrawal, function 0 to 4", synth.Agrawal(classification_function=0, seed=1), synth.Agrawal(classification_function=4, seed=2))
    yield stream("random RBF, other centroids", synth.RandomRBF(seed_model=1, seed_sample=1), synth.RandomRBF(seed_model=2, seed_sample=2))
    yield stream("sine, labels reversed", synth.Sine(classification_function=0, seed=1), synth.Sine(classification_function=1, seed=2))
    friedman = synth.FriedmanDrift(drift_type="lea", position=(50_000, 65_000, 80_000), seed=1)
    yield "river: Friedman, local drift in three steps", 1000, stream("", friedman, friedman, 100_000)[2], [50_000, 65_000, 80_000]


def generated():
    for name, noise, (signal, ends) in (
        ("steps of the mean", 2, ruptures.pw_constant(60_000, 3, 5, noise_std=2, delta=(1, 3), seed=3)),
        ("steps of the mean, half the noise's deviation", 6, ruptures.pw_constant(60_000, 3, 5, noise_std=6, delta=(3, 3), seed=4)),
        ("steps of the correlation", 0, ruptures.pw_normal(60_000, 5, seed=5)),
    ):
        yield f"ruptures: {name}", 500, pd.DataFrame(signal).rename(columns=str), ends[:-1]


def numbers_of(column, learned):
    if column.dtype == bool or not pd.api.types.is_numeric_dtype(column):
        return (column == column.iloc[:learned].mode()[0]).astype(float)
    return column.astype(float).ffill().bfill()


def alarms_of(detector, values, step=1):
    found = []
    for row in range(0, len(values), step):
        detector.update(values[row])
        if detector.drift_detected:
            found.append(row)
    return found


def peers_of(frame, window):
    """Defaults; values scaled by the first windows, as each detector asks for: to 0 to 1, or to deviations from the mean."""
    learned = LEARNED * window
    found = {"ADWIN": set(), "Page-Hinkley": set(), "KSWIN": set()}
    for name in frame:
        column = numbers_of(frame[name], learned)
        known = column.iloc[:learned]
        width, deviation = known.max() - known.min() or 1.0, known.std() or 1.0
        found["ADWIN"].update(alarms_of(drift.ADWIN(), ((column - known.min()) / width).tolist()))
        normed = ((column - known.mean()) / deviation).tolist()
        found["Page-Hinkley"].update(alarms_of(drift.PageHinkley(), normed))
        found["KSWIN"].update(alarms_of(drift.KSWIN(seed=1), normed, max(1, len(normed) // KSWIN_MOST)))
    return {name: sorted(rows) for name, rows in found.items()}


def plain(column):
    if column.dtype == bool:
        return column.map({True: "true", False: "false"}).tolist()
    if pd.api.types.is_numeric_dtype(column):
        return [None if pd.isna(value) else float(f"{value:.7g}") for value in column.astype(float)]
    return [None if pd.isna(value) else str(value) for value in column]


for number, (name, window, frame, changes) in enumerate(itertools.chain(menelaus(), nannyml(), aeon(), river(), generated())):
    series = {
        "name": name,
        "windowRows": window,
        "columns": {str(column): plain(frame[column]) for column in frame},
        "changes": [int(row) for row in changes],
        "peers": peers_of(frame, window),
    }
    with open(os.path.join(sys.argv[1], f"{number:02}.json"), "w", encoding="utf8") as file:
        json.dump(series, file)
