// The page: what is chosen, and what is shown for it. A step of the slider looks numbers up at once; what has to be
// found among the records follows when the slider has come to rest.

const REST = 150; // milliseconds
const SLIDER_UNITS = 1_000_000;
const PAGE = 0.05; // of the range
const BANDS_AT_MOST = 3;

class Model {
  constructor(contents) {
    this.contents = contents;
    this.collections = contents.collections;
    this.reference = contents.reference;
    this.isWhole = contents.records.count === contents.records.all;
    this.hierarchies = new Map();
    this.axes = contents.axes.map((axis) => ({ ...axis, stops: contents.section(axis.stops) }));
  }

  hierarchy(collection) {
    if (!this.hierarchies.has(collection)) {
      const [order, join, levels] = ["order", "join", "levels"].map((name) => this.contents.section(collection[name]));
      this.hierarchies.set(collection, new Hierarchy(order, join, levels, collection.exact));
    }
    return this.hierarchies.get(collection);
  }

  values(collection, label) {
    const number = collection.values[label];
    return number === undefined ? null : this.contents.section(number);
  }

  // The bounds of an estimate, or null.
  band(collection, metric) {
    const bounds = ["low", "high"].map((bound) => this.values(collection, `${metric.label}_${bound}`));
    return bounds.includes(null) ? null : bounds;
  }

  // The curves that a curve is the mean of, with their labels; none of an estimate, which has its band.
  parts(collection, metric) {
    const parts = metric.between.map((label) => ({ label, values: this.values(collection, label) }));
    return parts.every(({ values }) => values !== null) ? parts : [];
  }
}

// The stop nearest to a threshold.
function nearestStop(stops, threshold) {
  let low = 0;
  let high = stops.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (stops[middle] < threshold) low = middle + 1;
    else high = middle;
  }
  return low > 0 && threshold - stops[low - 1] < stops[low] - threshold ? low - 1 : low;
}

class Explorer {
  constructor(contents) {
    this.model = new Model(contents);
    this.contents = contents;
    this.records = new Records(contents);
    const judged = contents.collections.findIndex((collection) => collection.judged);
    this.focus = Math.max(0, judged);
    this.axis = contents.collections.length ? contents.collections[this.focus].axis : 0;
    this.metric = contents.metrics[0];
    this.hidden = new Set(contents.collections.filter(({ name }) => name === contents.reference?.name && judged >= 0));
    this.describe();
    if (!contents.collections.length) return;
    this.chart = new Chart(byId("chart"), (threshold) => this.goTo(threshold));
    this.sizes = new SizesPanel(contents);
    this.merges = new MergesPanel(contents, this.records, (threshold) => this.reach(threshold));
    this.differences = new DifferencesPanel(this.model, this.records);
    this.search = new SearchPanel(this.model, this.records, (threshold) => this.reach(threshold));
    this.connect();
    byId("main").hidden = false;
    this.differences.begin(this.focus);
    this.stop = this.firstStop();
    this.showAxis();
  }

  get stops() {
    return this.model.axes[this.axis].stops;
  }

  get range() {
    return [this.stops[0], this.stops[this.stops.length - 1]];
  }

  get collection() {
    return this.contents.collections[this.focus];
  }

  // Collections of the axis, with their numbers.
  get members() {
    return this.contents.collections.map((collection, number) => ({ collection, number })).filter(({ collection }) => collection.axis === this.axis);
  }

  describe() {
    const { records, collections, reference, sample } = this.contents;
    const parts = [plural(records.all, "record", "records"), plural(collections.length, "collection", "collections")];
    if (reference) parts.push(`compared with ${reference.name} at ${thresholdText(reference.threshold)}`);
    if (sample) parts.push(`metrics estimated from a sample of true entities, with ${thresholdText(100 * sample.level)} % confidence bands`);
    if (!reference && !sample) parts.push("no reference");
    byId("summary").textContent = parts.join(" · ");
    const notes = [];
    if (!records.count && records.all) {
      notes.push("This page holds figures alone and none of the records: they can be neither searched nor compared here.");
    } else if (!this.model.isWhole) {
      notes.push(
        `This page holds ${countText(records.count)} of the ${countText(records.all)} records: ${records.told}. ` +
        "Curves, sizes and merges are of all records; search, entities and differences are of those held, so that an entity may have more records than are shown.");
    }
    if (records.omitted.length) notes.push(`Attributes left out for their size: ${records.omitted.join(", ")}.`);
    byId("choice").textContent = notes.join(" ");
    byId("choice").hidden = !notes.length;
    for (const id of ["diff", "find"]) byId(id).hidden = !records.count && records.all > 0;
  }

  // The best cut of the first metric, else the middle.
  firstStop() {
    const best = this.collection.best[this.metric.label];
    return nearestStop(this.stops, best ? best[0] : between(...this.range, 0.5));
  }

  connect() {
    const slider = byId("threshold");
    slider.addEventListener("input", () => this.goTo(this.thresholdOf(Number(slider.value))));
    slider.addEventListener("keydown", (event) => this.onKey(event));
    byId("number").addEventListener("change", () => this.goTo(Number.parseFloat(byId("number").value), true));
    byId("earlier").addEventListener("click", () => this.moveTo(this.stop - 1));
    byId("later").addEventListener("click", () => this.moveTo(this.stop + 1));
    byId("to-best").addEventListener("click", () => this.goTo(this.collection.best[this.metric.label][0]));
    const metrics = this.contents.metrics.map(({ label }, value) => make("option", { value, textContent: label }));
    byId("metric").append(...metrics);
    byId("metric").addEventListener("change", () => {
      this.metric = this.contents.metrics[byId("metric").value];
      this.redraw();
    });
    byId("axis").append(...this.model.axes.map(({ scale }, value) => make("option", { value, textContent: scale })));
    byId("axis-choice").hidden = this.model.axes.length < 2;
    byId("axis").addEventListener("change", () => {
      this.axis = Number(byId("axis").value);
      this.focus = this.members[0].number;
      this.stop = this.firstStop();
      this.showAxis();
    });
    let width = window.innerWidth;
    window.addEventListener("resize", () => {
      if (window.innerWidth === width) return;
      width = window.innerWidth;
      this.redraw();
    });
  }

  onKey(event) {
    const [low, high] = this.range;
    const share = shareOf(low, high, this.stops[this.stop]);
    const near = (page) => nearestStop(this.stops, between(low, high, share + page));
    const moves = {
      ArrowRight: () => this.moveTo(this.stop + 1),
      ArrowUp: () => this.moveTo(this.stop + 1),
      ArrowLeft: () => this.moveTo(this.stop - 1),
      ArrowDown: () => this.moveTo(this.stop - 1),
      PageUp: () => this.moveTo(Math.max(this.stop + 1, near(PAGE))),
      PageDown: () => this.moveTo(Math.min(this.stop - 1, near(-PAGE))),
      Home: () => this.moveTo(0),
      End: () => this.moveTo(this.stops.length - 1),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  }

  thresholdOf(units) {
    return between(...this.range, units / SLIDER_UNITS);
  }

  goTo(threshold, isTyped = false) {
    if (Number.isNaN(threshold)) {
      this.moveTo(this.stop);
      return;
    }
    const stop = nearestStop(this.stops, threshold);
    this.moveTo(stop);
    if (isTyped && this.stops[stop] !== threshold) {
      byId("snapped").textContent = `nearest measured threshold to ${thresholdText(threshold)}`;
    }
  }

  // Go where something has merged: to the threshold, or the first measured one below it.
  reach(threshold) {
    const stop = nearestStop(this.stops, threshold);
    this.moveTo(this.stops[stop] > threshold ? stop - 1 : stop);
  }

  showAxis() {
    byId("axis").value = this.axis;
    this.showFocus();
    this.redraw();
  }

  showFocus() {
    for (const element of document.querySelectorAll(".focus-name")) element.textContent = this.collection.name;
    this.sizes.show(this.collection);
    this.merges.show(this.collection);
  }

  redraw() {
    const { metric } = this;
    byId("definition").textContent = metric.definition;
    const shown = this.members
      .filter(({ collection }) => !this.hidden.has(collection) && this.model.values(collection, metric.label))
      .sort((a, b) => (a.number === this.focus) - (b.number === this.focus));
    this.chart.draw(this.stops, shown.map(({ collection, number }) => ({
      number,
      name: collection.name,
      values: this.model.values(collection, metric.label),
      band: this.shadesAll(shown) || number === this.focus ? this.model.band(collection, metric) : null,
      parts: number === this.focus ? this.model.parts(collection, metric) : [],
      best: collection.best[metric.label] || null,
      isFocus: number === this.focus,
    })), metric);
    byId("band").textContent = this.bandText(shown);
    byId("to-best").hidden = !this.collection.best[metric.label];
    this.makeTable();
    this.makeMetrics();
    this.moveTo(this.stop);
  }

  // Bands of many curves hide each other; those of a few overlap just where that says something.
  shadesAll(shown) {
    return shown.length <= BANDS_AT_MOST;
  }

  bandText(shown) {
    const { metric, contents, collection: chosen } = this;
    const parts = [];
    const shaded = this.shadesAll(shown) ? shown : shown.filter(({ number }) => number === this.focus);
    if (shaded.some(({ collection }) => this.model.band(collection, metric))) {
      const whose = this.shadesAll(shown) ? "" : `, of ${chosen.name}`;
      parts.push(`Shaded${whose}: ${thresholdText(100 * contents.sample.level)} % confidence band of the estimate.`);
    }
    if (shown.some(({ collection }) => collection === chosen) && this.model.parts(chosen, metric).length) {
      parts.push(`Thin lines: ${metric.between.join(" and ")} of ${chosen.name}, between which ${metric.label} lies.`);
    }
    if (shown.some(({ collection }) => collection.best[metric.label])) {
      parts.push(`Diamonds: ${metric.lower ? "lowest" : "highest"} ${metric.label}, the best cut${contents.sample ? " by the estimate" : ""}.`);
    }
    if (this.chart.isLog) parts.push("The axis of values is logarithmic.");
    if (!this.model.axes[this.axis].complete) {
      const best = this.contents.metrics[0].judges ? "every best cut, " : "";
      parts.push(`Measured at ${countText(this.stops.length)} thresholds: ${best}the peaks of every curve and many between.`);
    }
    return parts.join(" ");
  }

  makeTable() {
    byId("value-head").textContent = this.metric.label;
    byId("best-head").textContent = this.metric.judges ? `Best ${this.metric.label}` : "";
    const rows = this.members.map(({ collection, number }) => this.tableRow(collection, number));
    this.rows = rows;
    byId("values").tBodies[0].replaceChildren(...rows.map(({ element }) => element));
  }

  tableRow(collection, number) {
    const check = make("input", { type: "checkbox", checked: !this.hidden.has(collection), id: `shown-${number}` });
    check.setAttribute("aria-label", `Show ${collection.name} in the chart`);
    check.addEventListener("change", () => {
      if (check.checked) this.hidden.delete(collection);
      else this.hidden.add(collection);
      this.redraw();
      byId(check.id).focus();
    });
    const choose = make("button", { type: "button", class: "name", id: `focus-${number}` }, make("bdi", { textContent: collection.name }));
    choose.setAttribute("aria-pressed", String(number === this.focus));
    choose.addEventListener("click", () => {
      this.focus = number;
      this.showFocus();
      this.redraw();
      byId(choose.id).focus();
    });
    const cells = ["value", "entities", "largest"].map(() => make("td", { class: "number" }));
    const name = make("th", { scope: "row" }, make("div", { class: "named" }, swatch(number), choose));
    const element = make("tr", {}, make("td", {}, check), name, ...cells, this.bestCell(collection));
    element.dataset.collection = collection.name;
    const labels = [this.metric.label, "entity_count", "largest_entity"];
    return { element, cells, arrays: labels.map((label) => this.model.values(collection, label)), band: this.model.band(collection, this.metric) };
  }

  bestCell(collection) {
    const best = collection.best[this.metric.label];
    const cell = make("td", { class: "number" });
    if (!best) return cell;
    const go = make("button", { type: "button", class: "go", textContent: thresholdText(best[0]) });
    go.setAttribute("aria-label", `Go to the best cut of ${collection.name}, ${thresholdText(best[0])}`);
    go.addEventListener("click", () => this.goTo(best[0]));
    cell.append(`${valueText(this.metric, best[1])} at `, go);
    cell.dataset.threshold = best[0];
    cell.dataset.value = best[1];
    return cell;
  }

  makeMetrics() {
    this.cells = [];
    const pairs = this.contents.metrics.flatMap((metric) => {
      const array = this.model.values(this.collection, metric.label);
      if (!array) return [];
      const cell = make("dd", { title: metric.definition });
      cell.dataset.metric = metric.label;
      this.cells.push({ cell, metric, array, band: this.model.band(this.collection, metric) });
      return [make("div", {}, make("dt", { textContent: metric.label }), cell)];
    });
    byId("all-metrics").replaceChildren(...pairs);
  }

  moveTo(stop) {
    this.stop = Math.min(this.stops.length - 1, Math.max(0, stop));
    const threshold = this.stops[this.stop];
    const slider = byId("threshold");
    slider.value = Math.round(shareOf(...this.range, threshold) * SLIDER_UNITS);
    slider.setAttribute("aria-valuetext", thresholdText(threshold));
    byId("number").value = threshold;
    byId("snapped").textContent = "";
    byId("earlier").disabled = this.stop === 0;
    byId("later").disabled = this.stop === this.stops.length - 1;
    this.chart.moveTo(this.stop);
    this.fillTable();
    this.sizes.moveTo(this.stop);
    this.differences.aim(threshold, this.axis);
    this.search.aim(this.collection, threshold);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), REST);
    document.body.dataset.settled = "false";
  }

  fillTable() {
    const count = { count: true };
    for (const { cells, arrays, band } of this.rows) {
      arrays.forEach((array, i) => {
        const value = array[this.stop];
        cells[i].textContent = valueText(i ? count : this.metric, value);
        cells[i].dataset.value = value;
      });
      if (band) cells[0].textContent += ` (${this.bandAt(band, this.metric)})`;
    }
    for (const { cell, metric, array, band } of this.cells) {
      cell.textContent = valueText(metric, array[this.stop]) + (band ? ` (${this.bandAt(band, metric)})` : "");
      cell.dataset.value = array[this.stop];
    }
  }

  bandAt(band, metric) {
    return band.map((bound) => valueText(metric, bound[this.stop])).join(" – ");
  }

  // What is found among the records.
  settle() {
    this.differences.settle();
    this.search.refresh();
    document.body.dataset.settled = "true";
  }
}

async function start() {
  const loading = byId("loading");
  try {
    const contents = await readContents(byId("data").textContent);
    byId("data").remove();
    const explorer = new Explorer(contents);
    document.body.dataset.ready = "true";
    if (explorer.chart) loading.hidden = true;
    else loading.textContent = "There is no collection to show.";
  } catch (error) {
    loading.textContent = `This page cannot be shown: ${error.message}`;
    throw error;
  }
}

start();
