// The merges that change most; each can be gone to, and shows a few records of its sides.

const MERGES_AT_FIRST = 5;

class MergesPanel {
  constructor(contents, records, onGo) {
    Object.assign(this, { contents, records, onGo });
    this.list = byId("merges");
    this.more = byId("more-merges");
    this.order = byId("merge-order");
    this.order.addEventListener("change", () => this.fill(MERGES_AT_FIRST));
    this.more.addEventListener("click", () => this.fill(Infinity));
  }

  show(collection) {
    this.collection = collection;
    const leading = this.contents.metrics[0];
    const orders = [["critical", "pairs brought together"]];
    if (collection.merges.some((merge) => merge.telling)) orders.push(["telling", `change of ${leading.label}`]);
    const chosen = this.order.value;
    this.order.replaceChildren(...orders.map(([value, textContent]) => make("option", { value, textContent })));
    if (orders.some(([value]) => value === chosen)) this.order.value = chosen;
    this.fill(MERGES_AT_FIRST);
  }

  fill(limit) {
    const order = this.order.value;
    const by = order === "telling" ? (merge) => Math.abs(merge.change) : (merge) => merge.pairs;
    const merges = this.collection.merges.filter((merge) => merge[order]).sort((a, b) => by(b) - by(a));
    byId("merge-note").textContent = merges.length
      ? `Of the ${plural(this.collection.num_merges, "merge", "merges")} of ${this.collection.name}. ` +
        "The button moves the slider there: from this threshold down they are together."
      : "Nothing ever merges in this collection.";
    this.list.replaceChildren(...merges.slice(0, limit).map((merge) => this.item(merge)));
    this.more.hidden = merges.length <= limit;
    this.more.textContent = `Show all ${merges.length}`;
  }

  item(merge) {
    const go = make("button", { type: "button", class: "go", textContent: thresholdText(merge.threshold) });
    go.setAttribute("aria-label", `Go to threshold ${thresholdText(merge.threshold)}`);
    go.addEventListener("click", () => this.onGo(merge.threshold));
    const sizes = merge.sizes.map(countText).join(" + ") + (merge.num_sides > merge.sizes.length ? " + …" : "");
    let text = `${plural(merge.num_sides, "entity", "entities")} of ${sizes} records become one: ${plural(merge.pairs, "pair", "pairs")}`;
    if (merge.change !== null) {
      const alike = merge.alike > 1 ? ` by all ${countText(merge.alike)} merges at this threshold` : "";
      text += `; ${this.contents.metrics[0].label} ${signedText(merge.change)}${alike}`;
    }
    const about = make("p", {}, go, ` ${text}`);
    if (!merge.sides.some((records) => records.length)) return make("li", {}, about);
    const details = make("details", {}, make("summary", { textContent: "Some of their records" }));
    details.addEventListener("toggle", () => details.open && details.childElementCount === 1 && details.append(this.sides(merge)));
    return make("li", {}, about, details);
  }

  sides(merge) {
    const side = new Map(merge.sides.flatMap((records, number) => records.map((record) => [record, number])));
    const name = (record) => `${side.get(record) + 1} (of ${countText(merge.sizes[side.get(record)])})`;
    return this.records.element([...side.keys()], "Records of the merging entities", [["entity", name]]);
  }
}
