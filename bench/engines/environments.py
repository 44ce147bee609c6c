"""Virtual environments that hold the other engines.

Each engine has its own, because their dependencies exclude one another (numpy 1 and 2), and because one that cannot be
installed shall not take the others along. A failed installation leaves its reason behind: the comparison shows it.
"""

import json
import pathlib
import shutil
import subprocess

# Exact versions: other versions are other competitors. TensorFlow 2.15 is the last one whose Keras models the converter
# of Larq Compute Engine reads; it has packages for Python 3.9 to 3.11.
PACKAGES: dict[str, list[str]] = {
    "openvino": ["openvino==2026.4.1", "nncf==3.4.0", "onnx==1.23.2"],
    "onnxruntime": ["onnxruntime==1.31.1", "onnx==1.23.2"],
    "larq": [
        "larq-compute-engine==0.16.0",
        "larq==0.14.0",
        "larq-zoo==2.4.0",
        "tensorflow-cpu==2.15.1",
        "onnx==1.16.2",  # the last ones that allow TensorFlow's protobuf
    ],
}
REASONS_FILE = "unavailable.json"


def setup(folder: pathlib.Path, python: str) -> dict[str, str]:
    """Makes the environments below `folder`. Returns, and keeps in `folder`, the reason for each that failed."""
    folder.mkdir(parents=True, exist_ok=True)
    reasons = {}
    for name, packages in PACKAGES.items():
        print(f"{name}: {' '.join(packages)}", flush=True)
        reason = _install(folder / name, packages, python)
        if reason:
            reasons[name] = reason
            shutil.rmtree(folder / name, ignore_errors=True)
        print(f"{name}: {reason or 'installed'}", flush=True)
    (folder / REASONS_FILE).write_text(json.dumps(reasons, indent=2) + "\n", encoding="utf-8")
    return reasons


def _install(environment: pathlib.Path, packages: list[str], python: str) -> str:
    """Returns "", or why the packages could not be installed."""
    pip = [str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    commands = [[python, "-m", "venv", str(environment)], [*pip, "install", "--quiet", *packages]]
    for command in commands:
        try:
            process = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return str(error)
        if process.returncode != 0:
            lines = (process.stderr.strip() or process.stdout.strip() or "no message").splitlines()
            errors = [line for line in lines if line.startswith("ERROR:")]
            return (errors or lines)[-1]
    return ""


def find_python(folder: pathlib.Path | None, name: str) -> tuple[str, str]:
    """The interpreter of environment `name` and "", or "" and why there is none."""
    if folder is None:
        return "", "no environments given (--engines DIR; --setup DIR makes them)"
    python = folder / name / "bin" / "python"
    if python.exists():
        return str(python), ""
    reasons_file = folder / REASONS_FILE
    if reasons_file.exists():
        reason = json.loads(reasons_file.read_text(encoding="utf-8")).get(name)
        if reason:
            return "", f"installation failed: {reason}"
    return "", f"not installed in {folder} (--setup {folder})"
