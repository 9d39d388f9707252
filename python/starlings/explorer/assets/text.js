// Elements, numbers and records as text. Whatever comes from the data is set as text, never as markup.

const COUNT = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT_TEXT = 60;
const MOST_COLUMNS = 12;
const MINUS = "\u2212";

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") element.className = value;
    else if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const byId = (id) => document.getElementById(id);

function thresholdText(value) {
  return String(Number(value.toPrecision(12))).replace("-", MINUS);
}

function countText(value) {
  return COUNT.format(value);
}

function valueText(metric, value) {
  if (Number.isNaN(value)) return "undefined";
  if (metric.count) return countText(value);
  const text = Math.abs(value) >= 1000 ? COUNT.format(value) : value.toFixed(Math.abs(value) >= 10 ? 2 : 4);
  return text.replace("-", MINUS);
}

function signedText(value) {
  const size = Math.abs(value);
  const text = size >= 1 ? COUNT.format(size) : size < 0.0001 ? "less than 0.0001" : size.toFixed(4);
  return (value < 0 ? MINUS : "+") + text;
}

function plural(count, one, many) {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

// The first characters of a text that is longer, never half of one.
function beginning(text, length = SHORT_TEXT) {
  const isPair = /[\ud800-\udbff]/.test(text[length - 1]);
  return text.slice(0, isPair ? length - 1 : length);
}

function shortened(text) {
  return text.length > SHORT_TEXT ? `${beginning(text)}…` : text;
}

// A value that may be long: its beginning, and a button for the rest.
function textCell(value, tag = "td") {
  const cell = make(tag);
  if (value === null || value === undefined) {
    cell.append(make("span", { class: "missing", textContent: "–", title: "no value" }));
  } else if (value.length <= SHORT_TEXT) {
    cell.append(make("bdi", { textContent: value }));
  } else {
    cell.append(unfolding(value));
  }
  return cell;
}

function unfolding(value) {
  const text = make("bdi", { textContent: beginning(value) });
  const button = make("button", { type: "button", class: "more", textContent: "… more" });
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    text.textContent = isOpen ? beginning(value) : value;
    button.textContent = isOpen ? "… more" : " less";
    button.setAttribute("aria-expanded", String(!isOpen));
  });
  return make("span", {}, text, button);
}

// The records of the page: names, and attributes from the table that each came in.
class Records {
  constructor(contents) {
    const described = contents.records;
    this.count = described.count;
    this.keys = contents.section(described.keys);
    this.kinds = contents.section(described.kinds);
    this.sources = contents.section(described.sources);
    this.sourceNames = described.names;
    this.hasSources = this.sources.some((source) => source !== this.sources[0]);
    this.hasKinds = this.kinds.some((kind) => kind !== this.kinds[0]);
    this.tables = described.tables.map((table) => ({ ...table, columns: table.columns.map(contents.section) }));
    this.tableOf = new Uint8Array(0);
    this.rowOf = new Uint32Array(0);
    if (this.tables.length) this.place(contents);
  }

  place(contents) {
    this.tableOf = new Uint32Array(this.count);
    this.rowOf = new Uint32Array(this.count);
    this.tables.forEach((table, number) => {
      const places = contents.section(table.places);
      for (let row = 0; row < places.length; row++) {
        this.tableOf[places[row]] = number + 1;
        this.rowOf[places[row]] = row;
      }
    });
  }

  source(record) {
    return this.sourceNames[this.sources[record]];
  }

  kind(record) {
    return ["int", "text", "bytes"][this.kinds[record]];
  }

  table(record) {
    return this.tableOf.length && this.tableOf[record] ? this.tables[this.tableOf[record] - 1] : null;
  }

  // The columns of some records, in order of first appearance; those that only repeat the key are left out.
  columns(records) {
    const tables = new Set(records.map((record) => this.table(record)).filter((table) => table !== null));
    const names = new Set([...tables].flatMap((table) => table.names));
    return [...names].filter((name) => records.some((record) => {
      const value = this.attribute(record, name);
      return value !== undefined && value !== this.keys[record];
    }));
  }

  attribute(record, name) {
    const table = this.table(record);
    const column = table === null ? -1 : table.names.indexOf(name);
    return column < 0 ? undefined : table.columns[column][this.rowOf[record]];
  }

  // A table of records; `groups` are columns before the others: a title, and a function from the record to its text.
  element(records, label, groups = []) {
    const all = this.columns(records);
    const names = all.slice(0, MOST_COLUMNS);
    const heads = [...groups.map(([title]) => title), ...(this.hasSources ? ["source"] : []), "key"];
    const head = make("tr", {}, ...heads.map((title) => make("th", { scope: "col", textContent: title })));
    head.append(...names.map((name) => make("th", { scope: "col", class: "attribute", dir: "auto", textContent: name })));
    const body = make("tbody", {}, ...records.map((record) => this.row(record, names, groups)));
    const table = make("table", { class: "records" }, make("thead", {}, head), body);
    const scroll = make("div", { class: "scroll", tabIndex: 0 }, table);
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", label);
    if (names.length === all.length) return scroll;
    return make("div", {}, scroll, make("p", { class: "note", textContent: `${all.length - names.length} more columns` }));
  }

  row(record, names, groups) {
    const row = make("tr", {}, ...groups.map(([, text]) => make("td", { textContent: text(record) })));
    if (this.hasSources) row.append(textCell(this.source(record)));
    const key = textCell(this.keys[record], "th");
    key.scope = "row";
    if (this.hasKinds) key.append(make("small", { class: "kind", textContent: this.kind(record) }));
    row.append(key, ...names.map((name) => textCell(this.attribute(record, name))));
    return row;
  }
}
