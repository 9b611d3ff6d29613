// Where the call graph's nodes stand. Worked out from the graph alone: who calls stands
// left of who is called, stores lie below, and what is outside stands at its caller.

export const NODE = { width: 136, height: 56 };
const GAP = { x: 72, y: 34 };
const MARGIN = 14;
const SHELF = { height: 40, gap: 16, above: 46, least: 215 };

/** Positions of nodes by id, of shelves, and the size of it all. */
export function layout(graph) {
  const kind = new Map(graph.nodes.map((node) => [node.id, node.kind]));
  const workloads = graph.nodes.filter((node) => node.kind === 'workload').map((node) => node.id);
  const calls = graph.edges.filter((edge) => kind.get(edge.from) === 'workload' && kind.get(edge.to) === 'workload');
  const rank = ranks(workloads, calls);
  const columns = [['people', 'edge']];
  for (const id of workloads) column(columns, rank.get(id) + 1).push(id);
  const outside = graph.nodes.filter((node) => node.kind === 'external').map((node) => node.id);
  for (const id of outside) {
    const callers = graph.edges.filter((edge) => edge.to === id).map((edge) => rank.get(edge.from) ?? 0);
    column(columns, Math.max(...callers, 0) + 2).push(id);
  }
  settle(columns, graph.edges);
  const rows = Math.max(...columns.map((ids) => ids.length));
  const height = rows * (NODE.height + GAP.y) - GAP.y;
  const places = new Map();
  columns.forEach((ids, x) => {
    const own = ids.length * (NODE.height + GAP.y) - GAP.y;
    ids.forEach((id, y) => {
      places.set(id, {
        x: MARGIN + x * (NODE.width + GAP.x),
        y: MARGIN + (height - own) / 2 + y * (NODE.height + GAP.y),
        column: x,
      });
    });
  });
  const width = MARGIN * 2 + columns.length * (NODE.width + GAP.x) - GAP.x;
  const shelves = shelf(graph, width, MARGIN + height + SHELF.above);
  const bottom = shelves.at(-1);
  return { places, shelves, width, height: (bottom ? bottom.y + bottom.height : height) + MARGIN };
}

function column(columns, at) {
  while (columns.length <= at) columns.push([]);
  return columns[at];
}

// Who calls more than he is called stands first; an edge against that order is drawn
// backwards (Eades' heuristic for feedback arcs). The rank is the longest way there.
function ranks(ids, calls) {
  const weight = (id) =>
    calls.filter((call) => call.from === id).length - calls.filter((call) => call.to === id).length;
  const order = [...ids].sort((a, b) => weight(b) - weight(a) || a.localeCompare(b));
  const rank = new Map();
  for (const id of order) {
    const before = calls.filter((call) => call.to === id && rank.has(call.from));
    rank.set(id, Math.max(-1, ...before.map((call) => rank.get(call.from))) + 1);
  }
  return rank;
}

// A node stands at the height of those to whom it is tied, a few times over.
function settle(columns, edges) {
  const height = new Map();
  const note = () => columns.forEach((ids) => ids.forEach((id, y) => height.set(id, y - (ids.length - 1) / 2)));
  note();
  for (let round = 0; round < 6; round += 1) {
    // Whoever comes in stands above the door.
    for (const ids of columns.slice(1)) {
      const middle = (id) => {
        const tied = edges.filter((edge) => edge.from === id || edge.to === id);
        const heights = tied.map((edge) => height.get(edge.from === id ? edge.to : edge.from)).filter((y) => y !== undefined);
        return heights.length ? heights.reduce((sum, y) => sum + y, 0) / heights.length : 0;
      };
      const wanted = new Map(ids.map((id) => [id, middle(id)]));
      ids.sort((a, b) => wanted.get(a) - wanted.get(b) || a.localeCompare(b));
    }
    note();
  }
}

// The broker and the stores are for many: they lie below as shelves, as wide as all.
function shelf(graph, width, top) {
  const broker = graph.nodes.filter((node) => node.kind === 'broker');
  const stores = graph.nodes.filter((node) => node.kind === 'store');
  const rows = [broker, stores].filter((row) => row.length > 0);
  return rows.flatMap((row, index) => {
    // A store is as wide as many use it, and as wide as its name needs.
    const users = row.map((node) => graph.edges.filter((edge) => edge.to === node.id || edge.from === node.id).length);
    const all = users.reduce((sum, count) => sum + count, 0) || 1;
    const room = width - 2 * MARGIN - GAP.x * (row.length - 1);
    const widths = users.map((count) => Math.max(SHELF.least, (room * count) / all));
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] -= widths.reduce((sum, own) => sum + own, 0) - room;
    let x = MARGIN;
    return row.map((node, at) => {
      const place = { id: node.id, x, y: top + index * (SHELF.height + SHELF.gap), width: widths[at], height: SHELF.height };
      x += widths[at] + GAP.x;
      return place;
    });
  });
}

/** The way of an edge: a path, and places where its label may stand, the best first. */
export function route(edge, plan, lane) {
  const from = plan.places.get(edge.from);
  const to = plan.places.get(edge.to);
  if (!from || !to) return toShelf(edge, plan, from ?? to, lane);
  if (edge.from === 'people') {
    const [x, top, bottom] = [from.x + NODE.width / 2, from.y + NODE.height, to.y - 5];
    return { path: `M${x} ${top} V${bottom}`, labels: [{ x: x + 26, y: (top + bottom) / 2 }] };
  }
  const start = { x: from.x + NODE.width, y: from.y + NODE.height / 2 + lane.out };
  const end = { x: to.x - 5, y: to.y + NODE.height / 2 + lane.in };
  if (to.column > from.column) {
    const bend = Math.max(26, (end.x - start.x) * 0.45);
    const labels = [0.5, 0.38, 0.62, 0.28, 0.74, 0.18, 0.84, 0.1, 0.92].map((t) =>
      pointAt(start, { x: start.x + bend, y: start.y }, { x: end.x - bend, y: end.y }, end, t));
    return { path: `M${start.x} ${start.y} C${start.x + bend} ${start.y} ${end.x - bend} ${end.y} ${end.x} ${end.y}`, labels };
  }
  // Backwards: over the top of both.
  const above = Math.min(from.y, to.y) - 16 - lane.back;
  const [a, b] = [from.x + NODE.width / 2 + lane.out, to.x + NODE.width / 2 + 14 + lane.in];
  return {
    path: `M${a} ${from.y} C${a} ${above} ${b} ${above} ${b} ${to.y - 5}`,
    labels: [{ x: (a + b) / 2, y: above + 10 }],
  };
}

// Down through the gap right of the node, so that no other node is crossed.
function toShelf(edge, plan, node, lane) {
  const down = plan.places.has(edge.from);
  const shelf = plan.shelves.find((place) => place.id === (down ? edge.to : edge.from));
  if (!shelf || !node) return null;
  const gutter = Math.min(node.x + NODE.width + 10 + lane.gutter, shelf.x + shelf.width - 8);
  const x = Math.max(gutter, shelf.x + 8);
  const [side, y] = [node.x + NODE.width, node.y + NODE.height - 9 - (down ? 0 : 7)];
  const top = down ? shelf.y - 5 : shelf.y;
  const turn = Math.min(9, Math.abs(x - side));
  const path = down
    ? `M${side} ${y} H${x - turn} Q${x} ${y} ${x} ${y + turn} V${top}`
    : `M${x} ${top} V${y + turn} Q${x} ${y} ${x - turn} ${y} H${side + 5}`;
  return { path, labels: [12, 34, 56].map((up) => ({ x, y: shelf.y - up })) };
}

function pointAt(a, b, c, d, t) {
  const mix = (p, q, r, s) =>
    (1 - t) ** 3 * p + 3 * (1 - t) ** 2 * t * q + 3 * (1 - t) * t ** 2 * r + t ** 3 * s;
  return { x: mix(a.x, b.x, c.x, d.x), y: mix(a.y, b.y, c.y, d.y) };
}
