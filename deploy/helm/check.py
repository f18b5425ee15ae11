"""Reads the chart as Helm and Kubernetes do: `make charts`. Ends with status 1 where either finds anything."""

import sys
from pathlib import Path

import helm_python
import kubernetes_validate
import yaml

CHART = Path(__file__).parent / "troubadour"
WARNING = 2  # of Helm's severities
KUBERNETES = "1.30"  # the oldest that is tried; the newest is what kubernetes-validate has
VALUES: dict[str, dict[str, object]] = {
    "as it is": {},
    "without the bot": {"bot": {"enabled": False}},
    "with autoscaling": {"worker": {"autoscaling": {"enabled": True}}},
    "with a class of storage": {"storage": {"className": "fast"}},
}


def main() -> int:
    found = helm_python.lint(CHART, strict=True)["messages"]
    faults = [f"lint: {each}" for each in found if each["severity"] >= WARNING]
    for name, values in VALUES.items():
        with helm_python.Chart.load(CHART) as chart:
            rendered = chart.render(values, name="troubadour", namespace="music")
        for path, text in rendered.items():
            for manifest in filter(None, yaml.safe_load_all(text)):
                for version in (KUBERNETES, kubernetes_validate.latest_version()):
                    try:
                        kubernetes_validate.validate(manifest, version, strict=True)
                    except kubernetes_validate.ValidationError as error:
                        faults.append(f"{name}, Kubernetes {version}, {path}: {error.message}")
    sys.stdout.write("\n".join(faults) + "\n" if faults else f"{CHART.name}: fine in {len(VALUES)} ways\n")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
