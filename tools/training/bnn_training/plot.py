"""The log of a training as a picture: accuracy and learning rate over epochs, the stages marked. Plain SVG."""

import csv
import html

_WIDTH, _LEFT, _RIGHT = 860, 70, 150
_PANELS = ((60, 260, "accuracy, %"), (370, 110, "learning rate"))  # top, height, title
_COLORS = ("#1f6fb4", "#d1602b", "#3a8f4d", "#8454a3")
_BANDS = ("#f6f6f6", "#e4edf6", "#e5f3e6", "#fbeee2")
_STAGES = ("float", "activations binary", "weights binary", "learning rate falls")


def read_log(path):
    """The rows of a log that Trainer wrote."""
    with open(path, newline="", encoding="utf-8") as file:
        return [
            {"stage": int(row["stage"]), "learning_rate": float(row["learning_rate"]), "accuracy": float(row["accuracy"])}
            for row in csv.DictReader(file)
        ]


def draw_logs(title, logs, baseline=None):
    """An SVG document. `logs`: [(name, rows of read_log or Trainer.history)] with the same stages; `baseline`: an
    accuracy in [0,1] to compare with."""
    epochs = max(len(rows) for _, rows in logs)
    values = [100 * row["accuracy"] for _, rows in logs for row in rows] + ([] if baseline is None else [100 * baseline])
    step = 10 if max(values) - min(values) > 25 else 5 if max(values) - min(values) > 10 else 1
    low, high = step * int(min(values) / step), step * -int(-max(values) // step)
    rate = max(row["learning_rate"] for _, rows in logs for row in rows)
    canvas = _Canvas(epochs)
    canvas.text(_LEFT, 24, title, size=16)
    canvas.stages(max((rows for _, rows in logs), key=len))
    canvas.axis(0, low, max(high, low + step), step)
    canvas.axis(1, 0, rate, rate / 2)
    if baseline is not None:
        canvas.level(0, 100 * baseline)
    labels = []  # (accuracy where it ends, text, color)
    for index, (name, rows) in enumerate(logs):
        color = _COLORS[index % len(_COLORS)]
        accuracies = [100 * row["accuracy"] for row in rows]
        canvas.line(0, accuracies, color)
        canvas.line(1, [row["learning_rate"] for row in rows], color)
        labels.append((accuracies[-1], f"{name} {accuracies[-1]:.2f}", color))
    if baseline is not None:
        labels.append((100 * baseline, f"float baseline {100 * baseline:.2f}", "#555"))
    canvas.labels(labels)
    return canvas.document()


class _Canvas:
    def __init__(self, epochs):
        self._epochs, self._parts, self._range = epochs, [], {}

    def x(self, epoch):
        """The middle of an epoch, counted from 0."""
        return _LEFT + (epoch + 0.5) * (_WIDTH - _LEFT - _RIGHT) / self._epochs

    def y(self, panel, value):
        top, height, _ = _PANELS[panel]
        low, high = self._range[panel]
        return top + height * (1 - (value - low) / (high - low))

    def text(self, x, y, text, color="#333", anchor="start", size=12):
        text = html.escape(text)
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}" font-size="{size}">{text}</text>'
        )

    def stages(self, rows):
        start = 0
        for epoch in range(1, len(rows) + 1):
            if epoch < len(rows) and rows[epoch]["stage"] == rows[start]["stage"]:
                continue
            stage = rows[start]["stage"] - 1
            left, right = self.x(start - 0.5), self.x(epoch - 0.5)
            for top, height, _ in _PANELS:
                self._parts.append(
                    f'<rect x="{left:.1f}" y="{top}" width="{right - left:.1f}" height="{height}" fill="{_BANDS[stage]}"/>'
                )
            self.text(left + 3, 42 + 12 * (stage % 2), f"{stage + 1} {_STAGES[stage]}", size=11)
            start = epoch

    def axis(self, panel, low, high, step):
        self._range[panel] = (low, high)
        top, height, title = _PANELS[panel]
        self.text(_LEFT, top + height + 34, f"{title}, after each epoch" if panel == 0 else f"{title} at its start", size=11)
        for index in range(round((high - low) / step) + 1):
            value = low + index * step
            y = self.y(panel, value)
            self._parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#bbb" stroke-width="0.5"/>')
            self.text(_LEFT - 6, y + 4, f"{value:g}" if panel == 0 else f"{value:.1e}", anchor="end")
        for epoch in range(self._epochs):
            self.text(self.x(epoch), top + height + 16, str(epoch + 1), anchor="middle", size=11)

    def level(self, panel, value):
        y = self.y(panel, value)
        self._parts.append(
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#555" stroke-dasharray="5 4" fill="none"/>'
        )

    def line(self, panel, values, color):
        points = " ".join(f"{self.x(i):.1f},{self.y(panel, value):.1f}" for i, value in enumerate(values))
        self._parts.append(f'<polyline points="{points}" stroke="{color}" stroke-width="2" fill="none"/>')

    def labels(self, labels):
        """At the right of the first panel, at the height of their values where they do not lie on one another."""
        free = 0.0
        for value, text, color in sorted(labels, reverse=True):
            free = max(free, self.y(0, value) + 4)
            self.text(_WIDTH - _RIGHT + 8, free, text, color=color)
            free += 14

    def document(self):
        top, height, _ = _PANELS[-1]
        body = "\n".join(self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top + height + 50}" '
            f'font-family="sans-serif">\n<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
        )
