// What differs between two cuts, of one collection or of two, found among the records that the page holds. It takes a
// look at all of them, so it is done once the slider rests, and only while this part of the page is in view or near.

const CHANGES_AT_FIRST = 5;
const CHANGES_MORE = 20;
const RECORDS_OF_A_CHANGE = 40;
const RECORDS_SORTED = 400; // of which those shown are the first by entity
const MODES = [["slider", "at the slider"], ["below", "one step below the slider"], ["fixed", "at a threshold of its own"]];

// One of the two cuts: a collection and how its threshold is found.
class CutChoice {
  constructor(host, model, onChange) {
    this.model = model;
    this.host = byId(host);
    const prefix = `${host}-`;
    this.collection = make("select", { id: `${prefix}collection` });
    this.collection.append(...model.collections.map(({ name }, value) => make("option", { value, textContent: name })));
    this.mode = make("select", { id: `${prefix}mode` });
    this.mode.append(...MODES.map(([value, textContent]) => make("option", { value, textContent })));
    this.threshold = make("input", { id: `${prefix}threshold`, type: "number", step: "any", inputMode: "decimal" });
    this.host.append(
      make("label", {}, "Collection ", this.collection),
      make("label", {}, "Cut ", this.mode),
      make("label", {}, "Threshold ", this.threshold),
    );
    for (const control of [this.collection, this.mode, this.threshold]) control.addEventListener("change", onChange);
  }

  set(collection, mode, threshold) {
    this.collection.value = collection;
    this.mode.value = mode;
    if (threshold !== undefined) this.threshold.value = threshold;
  }

  // Collection, threshold and how many levels apply there. A slider of other units says nothing: then its own threshold.
  cut(slider, axis) {
    const collection = this.model.collections[this.collection.value];
    const hierarchy = this.model.hierarchy(collection);
    const follows = this.mode.value !== "fixed" && collection.axis === axis;
    this.threshold.disabled = follows;
    let threshold = follows ? slider : Number.parseFloat(this.threshold.value);
    if (follows && this.mode.value === "below") {
      threshold = hierarchy.levels[hierarchy.applied(slider)] ?? slider;
    }
    if (Number.isNaN(threshold)) threshold = slider;
    if (follows || this.threshold.value === "") this.threshold.value = threshold;
    return { collection, threshold, hierarchy, applied: hierarchy.applied(threshold) };
  }
}

class DifferencesPanel {
  constructor(model, records) {
    Object.assign(this, { model, records });
    const again = () => this.refresh();
    this.sides = [new CutChoice("before", model, again), new CutChoice("after", model, again)];
    this.kind = byId("diff-kind");
    const kinds = ["any change", ...KINDS_OF_CHANGE.slice(1)];
    this.kind.append(...kinds.map((textContent, i) => make("option", { value: i ? textContent : "", textContent })));
    this.kind.addEventListener("change", () => this.list(CHANGES_AT_FIRST));
    this.more = byId("more-changes");
    this.more.addEventListener("click", () => this.list(this.limit + CHANGES_MORE));
    this.isNear = false;
    this.isStale = false;
    const observer = new IntersectionObserver((entries) => {
      this.isNear = entries[entries.length - 1].isIntersecting;
      this.settle();
    }, { rootMargin: "300px" });
    observer.observe(byId("diff"));
  }

  // By default the slider against the reference, else against one step below it.
  begin(focus) {
    const { reference, collections } = this.model;
    const truth = reference ? collections.findIndex(({ name }) => name === reference.name) : -1;
    this.sides[0].set(focus, "slider");
    if (truth >= 0 && truth !== focus) this.sides[1].set(truth, "fixed", reference.threshold);
    else this.sides[1].set(focus, "below");
  }

  // Where the slider is; shown when it rests.
  aim(threshold, axis) {
    [this.threshold, this.axis, this.isStale] = [threshold, axis, true];
  }

  settle() {
    if (this.isNear && this.isStale) this.refresh();
  }

  refresh() {
    this.isStale = false;
    const [before, after] = this.sides.map((side) => side.cut(this.threshold, this.axis));
    const labels = [before, after].map(({ hierarchy, applied }) => hierarchy.labels(applied));
    this.labels = labels.map((side) => side.labels);
    this.found = differences(...labels);
    const name = ({ collection, threshold }) => `${collection.name} at ${thresholdText(threshold)}`;
    byId("diff-note").textContent =
      `From ${name(before)} to ${name(after)}${this.model.isWhole ? "" : ", among the records that this page holds"}.`;
    byId("diff-counts").tBodies[0].replaceChildren(...this.found.totals.map((total) => {
      const cells = ["changes", "before", "after", "records"].map((field) =>
        make("td", { class: "number", textContent: total.kind === "unchanged" && field === "changes" ? "–" : countText(total[field]) }));
      const row = make("tr", {}, make("th", { scope: "row", textContent: total.kind }), ...cells);
      Object.assign(row.dataset, { ...total });
      return row;
    }));
    this.list(CHANGES_AT_FIRST);
  }

  list(limit) {
    this.limit = limit;
    const wanted = this.kind.value;
    const changes = this.found.changes.filter(({ kind }) => !wanted || kind === wanted);
    const shown = changes.slice(0, limit);
    const members = new Map(shown.map(({ node }) => [node, []]));
    for (let record = 0; record < this.records.count; record++) {
      const list = members.get(this.found.changeOf(record));
      if (list && list.length < RECORDS_SORTED) list.push(record);
    }
    byId("changes").replaceChildren(...shown.map((change) => this.item(change, members.get(change.node))));
    if (!shown.length) byId("changes").replaceChildren(make("li", { class: "note", textContent: "No such change." }));
    this.more.hidden = changes.length <= limit;
  }

  item(change, members) {
    const text =
      `${plural(change.before, "entity", "entities")} → ${plural(change.after, "entity", "entities")}, ` +
      plural(change.records, "record", "records");
    const numbers = this.labels.map((labels) => this.numbered(members, labels));
    const number = (side, record) => numbers[side].get(this.labels[side][record]);
    const sorted = [...members].sort((a, b) => number(0, a) - number(0, b) || number(1, a) - number(1, b));
    const groups = [["before", (record) => `A${number(0, record)}`], ["after", (record) => `B${number(1, record)}`]];
    const item = make("li", {}, make("p", {}, make("span", { class: `tag ${change.kind}`, textContent: change.kind }), ` ${text}`));
    item.append(this.records.element(sorted.slice(0, RECORDS_OF_A_CHANGE), "Records of this change", groups));
    if (change.records > RECORDS_OF_A_CHANGE) {
      item.append(make("p", { class: "note", textContent: `${countText(change.records - RECORDS_OF_A_CHANGE)} more records` }));
    }
    return item;
  }

  // The entities of these records, numbered 1, 2, ... as they come.
  numbered(members, labels) {
    const numbers = new Map();
    for (const record of members) {
      if (!numbers.has(labels[record])) numbers.set(labels[record], numbers.size + 1);
    }
    return numbers;
  }
}
