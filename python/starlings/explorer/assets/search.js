// Finding a record by key as one types, its entity at the cut, and how that grew.

const RESULTS_SHOWN = 20;
const MEMBERS_AT_FIRST = 30;
const MEMBERS_MORE = 200;
const STEPS_SHOWN = 40;
const JOINED_SHOWN = 3;

// In lower case, with accents composed as keyboards do.
function folded(text) {
  return text.normalize("NFC").toLowerCase();
}

class SearchPanel {
  constructor(model, records, onGo) {
    Object.assign(this, { model, records, onGo, record: null, limit: MEMBERS_AT_FIRST });
    this.input = byId("search");
    this.input.addEventListener("input", () => this.search());
    this.input.addEventListener("keydown", (event) => {
      const first = byId("results").querySelector("button");
      if (event.key === "Enter" && first) first.click();
      if (event.key === "ArrowDown" && first) {
        event.preventDefault();
        first.focus();
      }
    });
    byId("results").addEventListener("keydown", (event) => this.walk(event));
  }

  // Keys as they are compared, made when the first search needs them.
  get folded() {
    this.folded_ ??= this.records.keys.map(folded);
    return this.folded_;
  }

  // Records whose key contains the text: those equal to it first, then those that begin with it.
  matches(text) {
    const groups = [[], [], []];
    let count = 0;
    this.folded.forEach((key, record) => {
      const at = key.indexOf(text);
      if (at < 0) return;
      count++;
      const group = groups[at > 0 ? 2 : key.length === text.length ? 0 : 1];
      if (group.length < RESULTS_SHOWN) group.push(record);
    });
    return [groups.flat().slice(0, RESULTS_SHOWN), count];
  }

  search() {
    const text = folded(this.input.value.trim());
    const [found, count] = text ? this.matches(text) : [[], 0];
    const more = count > found.length ? `, the first ${found.length} of them below` : "";
    const where = this.model.isWhole ? "" : " among the records that this page holds";
    byId("found").textContent = text ? `${plural(count, "record", "records")}${where}${more}` : "";
    byId("results").replaceChildren(...found.map((record) => make("li", {}, this.result(record))));
  }

  result(record) {
    const button = make("button", { type: "button", class: "result" });
    button.append(make("bdi", { textContent: shortened(this.records.keys[record]) }));
    const about = [
      ...(this.records.hasSources ? [this.records.source(record)] : []),
      ...(this.records.hasKinds ? [this.records.kind(record)] : []),
    ];
    if (about.length) button.append(" ", make("small", { textContent: about.join(", ") }));
    button.dataset.record = record;
    button.addEventListener("click", () => this.choose(record));
    return button;
  }

  walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...byId("results").querySelectorAll("button")];
    const next = buttons.indexOf(document.activeElement) + step;
    if (next < 0) this.input.focus();
    else buttons[next]?.focus();
  }

  choose(record) {
    [this.record, this.limit] = [record, MEMBERS_AT_FIRST];
    for (const button of byId("results").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.record) === record));
    }
    this.refresh();
  }

  // Where the slider is; shown when it rests.
  aim(collection, threshold) {
    Object.assign(this, { collection, threshold });
  }

  refresh() {
    if (this.record === null) return;
    const hierarchy = this.model.hierarchy(this.collection);
    const [first, last] = hierarchy.slice(this.record, hierarchy.applied(this.threshold));
    const others = hierarchy.order.subarray(first, last);
    const members = [this.record];
    for (let i = 0; i < others.length && members.length < this.limit; i++) {
      if (others[i] !== this.record) members.push(others[i]);
    }
    const more = make("button", { type: "button", id: "more-members", textContent: "Show more", hidden: members.length >= others.length });
    more.addEventListener("click", () => {
      this.limit += MEMBERS_MORE;
      this.refresh();
    });
    const focused = byId("record").contains(document.activeElement) ? document.activeElement.id : "";
    byId("record").hidden = false;
    byId("record").dataset.size = others.length;
    byId("record-key").textContent = shortened(this.records.keys[this.record]);
    byId("record-about").textContent = this.about(others.length, hierarchy);
    byId("record-members").replaceChildren(this.records.element(members, "Members"), more);
    byId("record-growth").replaceChildren(...this.lineage(hierarchy));
    if (focused) byId(focused)?.focus({ preventScroll: true });
  }

  about(size, hierarchy) {
    const held = this.model.isWhole ? "" : " that this page holds";
    const next = hierarchy.lineage(this.record).find(({ threshold }) => hierarchy.applied(threshold) > hierarchy.applied(this.threshold));
    const then = next
      ? ` It next grows at ${thresholdText(next.threshold)}, to ${countText(next.last - next.first)}.`
      : " It does not grow any more.";
    const at = `In ${this.collection.name} at ${thresholdText(this.threshold)}`;
    return `${at} it has ${plural(size, "record", "records")}${held}.${then}`;
  }

  lineage(hierarchy) {
    const steps = hierarchy.lineage(this.record);
    if (!steps.length) return [make("p", { class: "note", textContent: "It is with no other record at any threshold." })];
    const body = make("tbody", {}, ...steps.slice(0, STEPS_SHOWN).map((step, number) => this.step(step, number, hierarchy)));
    const titles = [["Threshold", ""], ["Records", "number"], ["Joined by", ""]];
    const heads = titles.map(([textContent, kind]) => make("th", { scope: "col", class: kind, textContent }));
    const table = make("table", { id: "lineage" }, make("thead", {}, make("tr", {}, ...heads)), body);
    const scroll = make("div", { class: "scroll", tabIndex: 0 }, table);
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", "How it grew");
    const rest = steps.length - STEPS_SHOWN;
    const last = steps[steps.length - 1];
    const note = rest > 0
      ? [make("p", { class: "note", textContent:
          `${countText(rest)} more steps, to ${countText(last.last - last.first)} records at ${thresholdText(last.threshold)}` })]
      : [];
    return [make("h3", { textContent: "How it grew" }), scroll, ...note];
  }

  step({ threshold, first, last, inner }, number, hierarchy) {
    const go = make("button", { type: "button", id: `step-${number}`, class: "go", textContent: thresholdText(threshold) });
    go.addEventListener("click", () => this.onGo(threshold));
    const joined = [];
    for (let i = first; i < last && joined.length < JOINED_SHOWN; i++) {
      if (i < inner[0] || i >= inner[1]) joined.push(shortened(this.records.keys[hierarchy.order[i]]));
    }
    const count = last - first - (inner[1] - inner[0]);
    const text = joined.join(", ") + (count > joined.length ? ` and ${countText(count - joined.length)} more` : "");
    const size = make("td", { class: "number", textContent: countText(last - first) });
    return make("tr", {}, make("td", {}, go), size, make("td", { dir: "auto", textContent: text }));
  }
}
