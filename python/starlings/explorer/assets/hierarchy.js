// Entities of the records that the page holds, at any threshold: each is a slice of the order of its collection, cut
// where a join is of a level below the threshold. Finding one walks its own slice; nothing is kept by threshold.

const NEVER = 0xffffffff;

// Half to even at six decimals, as scores and thresholds were rounded when the collection was made.
function rounded(threshold) {
  const units = threshold * 1e6;
  if (!(Math.abs(units) < 2 ** 51)) return threshold;
  const low = Math.floor(units);
  const rest = units - low;
  if (rest !== 0.5) return Math.round(units) / 1e6;
  return (low % 2 === 0 ? low : low + 1) / 1e6;
}

class Hierarchy {
  constructor(order, join, levels, isExact) {
    this.order = order;
    this.join = join;
    this.levels = levels;
    this.isExact = isExact;
    this.position = new Uint32Array(order.length);
    for (let i = 0; i < order.length; i++) this.position[order[i]] = i;
  }

  // How many levels are at the threshold or above it: a join below this number holds.
  applied(threshold) {
    const at = this.isExact ? threshold : rounded(threshold);
    let low = 0;
    let high = this.levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.levels[middle] >= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // First position and the one after the last of a record's entity.
  slice(record, applied) {
    let first = this.position[record];
    let last = first;
    while (first > 0 && this.join[first - 1] < applied) first--;
    while (this.join[last] < applied) last++;
    return [first, last + 1];
  }

  // The entity of every record, and how many entities there are.
  labels(applied) {
    const labels = new Uint32Array(this.order.length);
    let count = 0;
    for (let i = 0; i < this.order.length; i++) {
      labels[this.order[i]] = count;
      if (!(this.join[i] < applied)) count++;
    }
    return { labels, count };
  }

  // How a record's entity grows: for each level at which it does, the slice that it becomes.
  lineage(record) {
    const steps = [];
    let first = this.position[record];
    let last = first;
    for (;;) {
      const before = first > 0 ? this.join[first - 1] : NEVER;
      const level = Math.min(before, this.join[last]);
      if (!(level < NEVER)) return steps;
      const joined = [first, last];
      while (first > 0 && this.join[first - 1] <= level) first--;
      while (this.join[last] <= level) last++;
      steps.push({ threshold: this.levels[level], first, last: last + 1, inner: [joined[0], joined[1] + 1] });
    }
  }
}

const KINDS_OF_CHANGE = ["unchanged", "split", "merged", "rearranged"];

// What changes from one labelling of the records to another. Two entities are of one change if they share a record.
function differences(before, after) {
  const parent = new Uint32Array(before.count + after.count);
  for (let i = 0; i < parent.length; i++) parent[i] = i;
  const root = (node) => {
    while (parent[node] !== node) {
      parent[node] = parent[parent[node]];
      node = parent[node];
    }
    return node;
  };
  for (let record = 0; record < before.labels.length; record++) {
    const a = root(before.labels[record]);
    const b = root(before.count + after.labels[record]);
    if (a < b) parent[b] = a;
    else parent[a] = b;
  }
  const sides = [new Uint32Array(parent.length), new Uint32Array(parent.length)];
  const records = new Uint32Array(parent.length);
  for (let node = 0; node < parent.length; node++) sides[node < before.count ? 0 : 1][root(node)]++;
  for (let record = 0; record < before.labels.length; record++) records[root(before.labels[record])]++;
  const totals = KINDS_OF_CHANGE.map((kind) => ({ kind, changes: 0, before: 0, after: 0, records: 0 }));
  const changes = [];
  for (let node = 0; node < parent.length; node++) {
    if (parent[node] !== node || records[node] === 0) continue;
    const [ours, theirs] = [sides[0][node], sides[1][node]];
    const kind = ours === 1 ? (theirs === 1 ? 0 : 1) : theirs === 1 ? 2 : 3;
    const total = totals[kind];
    total.changes++;
    total.before += ours;
    total.after += theirs;
    total.records += records[node];
    if (kind > 0) changes.push({ node, kind: KINDS_OF_CHANGE[kind], before: ours, after: theirs, records: records[node] });
  }
  changes.sort((a, b) => b.records - a.records || a.node - b.node);
  const changeOf = (record) => root(before.labels[record]);
  return { totals, changes, changeOf };
}
