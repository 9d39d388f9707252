// Sizes of entities at the cut: a row for each class that the collection ever has, up to the largest entity at the cut, of
// which the slider changes numbers and lengths of bars.

class SizesPanel {
  constructor(contents) {
    this.contents = contents;
    this.body = byId("sizes").tBodies[0];
  }

  show(collection) {
    const section = (name) => this.contents.section(collection[name]);
    [this.entities, this.records] = [section("entities"), section("class_records")];
    const width = this.contents.classes.length;
    const most = new Array(width).fill(0);
    for (let i = 0; i < this.entities.length; i++) most[i % width] = Math.max(most[i % width], this.entities[i]);
    const all = this.contents.records.all;
    this.scale = Math.log1p(Math.max(1, ...most));
    this.all = Math.max(1, all);
    this.rows = most.flatMap((count, number) => (count ? [this.row(number)] : []));
    this.body.replaceChildren(...this.rows.map(({ element }) => element));
  }

  row(number) {
    const [low, high] = this.contents.classes[number];
    const bar = () => make("div", { class: "bar" });
    const row = { number, bars: [bar(), bar()], counts: [make("td", { class: "number" }), make("td", { class: "number" })] };
    const name = low === high ? countText(low) : `${countText(low)} – ${countText(high)}`;
    row.element = make("tr", {}, make("th", { scope: "row", class: "number", textContent: name }));
    for (const side of [0, 1]) row.element.append(row.counts[side], make("td", { class: "bars" }, row.bars[side]));
    row.element.dataset.low = low;
    return row;
  }

  moveTo(stop) {
    const start = stop * this.contents.classes.length;
    const largest = this.rows.findLastIndex(({ number }) => this.entities[start + number]);
    this.rows.forEach(({ number, bars, counts, element }, row) => {
      const [entities, records] = [this.entities[start + number], this.records[start + number]];
      counts[0].textContent = countText(entities);
      counts[1].textContent = countText(records);
      bars[0].style.width = `${(100 * Math.log1p(entities)) / this.scale}%`;
      bars[1].style.width = `${(100 * records) / this.all}%`;
      element.classList.toggle("empty", entities === 0);
      element.dataset.entities = entities;
      element.dataset.records = records;
      element.hidden = row > largest;
    });
  }
}
