// The chart of curves: steps over the threshold, drawn once for a metric. The slider moves a line and dots in a drawing
// of their own above it, so that the curves need not be painted again.

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { left: 52, right: 18, top: 12, bottom: 30 };
const COLOURS = 8;
const DASHES = 4;
const LOG_FROM = 1000; // highest over lowest value
const TICK = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Colour and dashes of the collection of that number: never both the same for two of the first 32.
function strokeClass(number) {
  return `c${number % COLOURS} d${Math.floor(number / COLOURS + number) % DASHES}`;
}

function swatch(number) {
  const line = svg("line", { x1: 1, x2: 27, y1: 5, y2: 5, class: `curve ${strokeClass(number)}` });
  return svg("svg", { width: 28, height: 10, class: "swatch", "aria-hidden": "true" }, line);
}

// Where a value is in a range, and the value at such a share; the range of weights may itself be no number.
function shareOf(low, high, value) {
  return high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : 0;
}

function between(low, high, share) {
  return low * (1 - share) + high * share;
}

function niceTicks(low, high, about) {
  const rough = (high - low) / Math.max(1, about);
  if (!(rough > 0 && rough < Infinity)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((each) => each >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const ticks = Array.from({ length: 2 * Math.ceil(about) + 2 }, (_, i) => (first + i) * step);
  return ticks.filter((tick, i) => tick <= high + step * 1e-9 && tick !== ticks[i - 1]);
}

function tickText(value) {
  const size = Math.abs(value);
  const [unit, letter] = size >= 1e9 ? [1e9, "G"] : size >= 1e6 ? [1e6, "M"] : size >= 1e4 ? [1e3, "k"] : [1, ""];
  return (TICK.format(value / unit) + letter).replace("-", MINUS);
}

class Chart {
  constructor(host, onMove) {
    this.host = host;
    this.curves = [];
    this.drawing = svg("svg", { role: "img" });
    this.overlay = svg("svg", { class: "overlay", "aria-hidden": "true" });
    host.append(this.drawing, this.overlay);
    const move = (event) => {
      if (event.type === "pointerdown") this.drawing.setPointerCapture(event.pointerId);
      else if (!this.drawing.hasPointerCapture(event.pointerId)) return;
      const box = this.drawing.getBoundingClientRect();
      onMove(this.thresholdAt(event.clientX - box.left));
    };
    this.drawing.addEventListener("pointerdown", move);
    this.drawing.addEventListener("pointermove", move);
  }

  // `curves`, later ones above: number, name, values, band ([low, high] or null), parts (curves that it is the mean of:
  // label and values), best ([threshold, value] or null), isFocus.
  draw(stops, curves, metric) {
    this.stops = stops;
    this.curves = curves;
    this.metric = metric;
    this.width = Math.max(240, this.host.clientWidth);
    this.height = Math.round(Math.min(360, Math.max(220, this.width * 0.42)));
    this.low = stops[0];
    this.high = stops[stops.length - 1];
    this.setRange();
    this.drawing.replaceChildren(...this.axes(), ...this.bands(), ...this.parts(), ...this.lines(), ...this.marks());
    this.overlay.replaceChildren(...this.cursor());
    for (const drawing of [this.drawing, this.overlay]) {
      drawing.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
      drawing.setAttribute("height", this.height);
    }
    this.drawing.setAttribute("aria-label", `${metric.label} over the threshold, ${plural(curves.length, "curve", "curves")}`);
  }

  setRange() {
    let low = Infinity;
    let high = -Infinity;
    for (const { values, band, parts } of this.curves) {
      for (const array of [values, ...(band || []), ...parts.map((part) => part.values)]) {
        for (const value of array) {
          if (value < low) low = value;
          if (value > high) high = value;
        }
      }
    }
    if (!(low <= high)) [low, high] = [0, 1];
    const isShare = this.metric.judges && low >= 0 && high <= 1;
    this.isLog = !this.metric.judges && low > 0 && high / low >= LOG_FROM;
    if (isShare) [low, high] = [0, 1];
    else if (this.isLog) [low, high] = [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high))];
    else {
      low = Math.min(0, low);
      if (low === high) high = low + 1;
      const ticks = niceTicks(low, high, 5);
      if (ticks.length > 1 && ticks[ticks.length - 1] < high) high = ticks[ticks.length - 1] + ticks[1] - ticks[0];
    }
    [this.bottom, this.top] = [low, high];
  }

  x(threshold) {
    return MARGIN.left + shareOf(this.low, this.high, threshold) * (this.width - MARGIN.left - MARGIN.right);
  }

  y(value) {
    const scale = this.isLog ? Math.log10 : (number) => number;
    const share = (scale(value) - scale(this.bottom)) / (scale(this.top) - scale(this.bottom));
    return this.height - MARGIN.bottom - share * (this.height - MARGIN.top - MARGIN.bottom);
  }

  thresholdAt(x) {
    const share = (x - MARGIN.left) / (this.width - MARGIN.left - MARGIN.right);
    return between(this.low, this.high, Math.min(1, Math.max(0, share)));
  }

  axes() {
    const [left, right] = [MARGIN.left, this.width - MARGIN.right];
    const below = this.height - MARGIN.bottom;
    const parts = [];
    let ticks = niceTicks(this.bottom, this.top, 5);
    if (this.isLog) {
      ticks = niceTicks(Math.log10(this.bottom), Math.log10(this.top), 5).filter(Number.isInteger).map((power) => 10 ** power);
    }
    for (const tick of ticks) {
      const y = this.y(tick);
      parts.push(svg("line", { x1: left, x2: right, y1: y, y2: y, class: "grid" }));
      const text = svg("text", { x: left - 8, y: y + 4, "text-anchor": "end", class: "tick" });
      text.textContent = tickText(tick);
      parts.push(text);
    }
    for (const tick of niceTicks(this.low, this.high, this.width / 90)) {
      const text = svg("text", { x: this.x(tick), y: below + 18, "text-anchor": "middle", class: "tick" });
      text.textContent = tickText(tick);
      parts.push(svg("line", { x1: this.x(tick), x2: this.x(tick), y1: below, y2: below + 4, class: "grid" }), text);
    }
    return parts;
  }

  // What holds at a stop holds down to the stop before it.
  steps(values) {
    let path = "";
    let previous = NaN;
    let x = this.x(this.stops[0]);
    for (let i = 0; i < values.length; i++) {
      const next = this.x(this.stops[i]);
      if (!Number.isNaN(values[i])) {
        const y = this.y(values[i]).toFixed(2);
        path += Number.isNaN(previous) ? `M${x.toFixed(2)} ${y}` : values[i] === previous ? "" : `V${y}`;
        path += `H${next.toFixed(2)}`;
      }
      previous = values[i];
      x = next;
    }
    return path;
  }

  // The area between two curves: along the one, and back along the other, for every stretch where both are known.
  area(low, high) {
    const known = (i) => !Number.isNaN(low[i] + high[i]);
    const left = (i) => this.x(this.stops[Math.max(0, i - 1)]).toFixed(2);
    const right = (i) => this.x(this.stops[i]).toFixed(2);
    let path = "";
    for (let start = 0; start < low.length; start++) {
      if (!known(start)) continue;
      let end = start;
      while (end + 1 < low.length && known(end + 1)) end++;
      path += `M${left(start)} ${this.y(high[start]).toFixed(2)}`;
      for (let i = start; i <= end; i++) path += `V${this.y(high[i]).toFixed(2)}H${right(i)}`;
      for (let i = end; i >= start; i--) path += `V${this.y(low[i]).toFixed(2)}H${left(i)}`;
      path += "Z";
      start = end;
    }
    return path;
  }

  bands() {
    return this.curves.filter(({ band }) => band).map(({ number, band: [low, high] }) =>
      svg("path", { d: this.area(low, high), class: `band c${number % COLOURS}` }));
  }

  parts() {
    return this.curves.flatMap(({ number, values, parts }) => parts.flatMap((part) => [
      svg("path", { d: this.steps(part.values), class: `part c${number % COLOURS}` }),
      this.partName(part, values),
    ]));
  }

  // At the end at which a part is farther from its mean; inside, whichever way there is room.
  partName(part, mean) {
    const last = this.stops.length - 1;
    const apart = (stop) => Math.abs(part.values[stop] - mean[stop]) || 0;
    const isLeft = apart(0) > apart(last);
    const y = this.y(part.values[isLeft ? 0 : last] || 0);
    const x = isLeft ? MARGIN.left + 6 : this.width - MARGIN.right - 6;
    const text = svg("text", { x, y: y < MARGIN.top + 18 ? y + 15 : y - 6, "text-anchor": isLeft ? "start" : "end", class: "tick" });
    text.textContent = part.label;
    return text;
  }

  lines() {
    return this.curves.map(({ number, values, isFocus }) =>
      svg("path", { d: this.steps(values), class: `curve ${strokeClass(number)}${isFocus ? " focus" : ""}` }));
  }

  marks() {
    return this.curves.filter(({ best }) => best).map(({ number, name, best: [threshold, value], isFocus }) => {
      const [x, y, r] = [this.x(threshold), this.y(value), isFocus ? 9 : 7];
      const title = svg("title");
      title.textContent = `best cut of ${name}: ${valueText(this.metric, value)} at ${thresholdText(threshold)}`;
      return svg("path", { d: `M${x} ${y - r}L${x + r - 1} ${y}L${x} ${y + r}L${x - r + 1} ${y}Z`, class: `best c${number % COLOURS}` }, title);
    });
  }

  cursor() {
    this.line = svg("line", { y1: MARGIN.top, y2: this.height - MARGIN.bottom, class: "cursor" });
    this.dots = this.curves.map(({ number }) => svg("circle", { r: 3.5, class: `dot c${number % COLOURS}` }));
    return [this.line, ...this.dots];
  }

  moveTo(stop) {
    const x = this.x(this.stops[stop]);
    this.line.setAttribute("x1", x);
    this.line.setAttribute("x2", x);
    this.curves.forEach(({ values }, i) => {
      const isThere = !Number.isNaN(values[stop]);
      this.dots[i].setAttribute("cx", x);
      this.dots[i].setAttribute("cy", isThere ? this.y(values[stop]) : -20);
    });
  }
}
