// The call graph, what needs attention, and the figures of the whole.

import { h } from './dom.js';
import { NODE, layout, route } from './layout.js';
import { card, copy, empty, entries, health, healthWord, link, path, spark, state, stateSign, stateWord, together } from './parts.js';
import { bytes, count, rate, seconds, share } from './format.js';

let plan = null;

export function overview(page) {
  const moment = page.moment;
  if (!moment) return empty('Waiting for the first figures …');
  const chosen = page.query().get('at') ?? '';
  const choose = (what) => page.go(what && what !== chosen ? `/?at=${encodeURIComponent(what)}` : '/', true);
  return [
    headline(moment),
    figures(moment),
    h('div', { class: 'split' }, [
      h('div', { class: 'side' }, [
        card('Call graph', { class: 'graph-card', aside: legend(moment) }, graph(moment, chosen, choose)),
        card('Every call, as a table', { class: 'edges' }, edgeTable(moment, choose)),
      ]),
      h('aside', { class: 'side', 'aria-label': 'Details' }, details(moment, chosen, choose) ?? attention(moment, choose)),
    ]),
  ];
}

function headline({ headline }) {
  const sign = { good: '●', warn: '▲', bad: '✕' }[headline.level];
  return h('div', { class: `headline is-${headline.level}`, role: 'status' }, [
    h('span', { class: 'sign', 'aria-hidden': 'true' }, sign),
    h('div', {}, [
      h('h1', {}, headline.text),
      headline.more.length > 0 && h('p', {}, headline.more.slice(0, 3).join(' · ') + (headline.more.length > 3 ? ` · and ${headline.more.length - 3} more` : '')),
    ]),
  ]);
}

function figures(moment) {
  const line = (name) => moment.history.find((one) => one.name === name)?.values ?? [];
  const people = moment.graph.edges.find((edge) => edge.from === 'people');
  const waiting = moment.queues.reduce((sum, queue) => sum + (queue.waiting ?? 0), 0);
  const dead = moment.queues.reduce((sum, queue) => sum + (queue.dead ?? 0), 0);
  const ended = moment.sagas.ended.filter((end) => end.kind === 'checkout');
  const orders = ended.reduce((sum, end) => sum + end.count, 0) / 5;
  const known = !moment.sources.prometheus;
  const all = [
    ['Requests', rate(people?.rate), `at the edge, over ${moment.sources.window}`, line('requests')],
    ['Errors', share(people?.errors), 'of them failed', line('errors')],
    ['Slowest 1 %', seconds(people?.p99), 'take longer than this', line('p99')],
    ['Orders', known ? `${count(Math.round(orders * 10) / 10)}/min` : '–', 'over five minutes', line('orders')],
    ['Facts waiting', known ? count(waiting) : '–', !known ? 'nobody counts' : dead ? `and ${count(dead)} dead letters` : 'no dead letters', line('waiting')],
  ];
  return h('dl', { class: 'figures' }, all.map(([name, value, note, values]) =>
    h('div', { class: 'figure', key: name }, [
      h('dt', {}, name),
      h('dd', {}, [h('strong', {}, value), h('span', {}, note)]),
      h('dd', { class: 'trend' }, spark(values, `${name} over the last quarter of an hour`)),
    ])));
}

function legend({ sources }) {
  const source = sources.traffic === 'prometheus' ? `measured over ${sources.window}` : 'from traces of the last minute';
  return h('p', { class: 'legend' }, [
    ...['good', 'slow', 'failing', 'open', 'idle'].map((name) => health(name)),
    h('span', { class: 'source' }, source),
  ]);
}

function graph(moment, chosen, choose) {
  const shape = moment.graph.nodes.map((node) => node.id).join() + moment.graph.edges.length;
  if (plan?.shape !== shape) plan = { shape, ...layout(moment.graph) };
  const touches = (edge) => !chosen || chosen === edge.from || chosen === edge.to || chosen === `${edge.from}>${edge.to}`;
  const seen = new Map();
  const edges = moment.graph.edges.map((edge) => ({ edge, way: route(edge, plan, lane(edge, moment.graph.edges, seen)) }))
    .filter(({ way }) => way);
  // What is busy is drawn over what is not.
  edges.sort((a, b) => (a.edge.rate > 0) - (b.edge.rate > 0));
  return h('div', { class: 'graph scroll', tabindex: '0', role: 'region', 'aria-label': 'Call graph' },
    h('svg', { viewBox: `0 0 ${plan.width} ${plan.height}`, class: chosen ? 'graph-svg chosen' : 'graph-svg', role: 'group', 'aria-label': 'Who calls whom' }, [
      h('defs', {}, ['good', 'slow', 'failing', 'open', 'idle', 'fact'].map((name) =>
        h('marker', { id: `tip-${name}`, key: name, viewBox: '0 0 8 8', refX: 5, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: 'userSpaceOnUse', orient: 'auto' },
          h('path', { class: `tip is-${name}`, d: 'M0 0.500 7.500 4 0 7.500z' })))),
      // The ways to the stores pass below the broker.
      ...edges.filter(({ edge }) => edge.kind === 'store').map(({ edge, way }) => drawEdge(edge, way, touches(edge), choose)),
      ...plan.shelves.map((place) => shelfNode(moment, place, chosen, choose)),
      ...edges.filter(({ edge }) => edge.kind !== 'store').map(({ edge, way }) => drawEdge(edge, way, touches(edge), choose)),
      ...moment.graph.nodes.filter((node) => plan.places.has(node.id)).map((node) => drawNode(node, chosen, choose)),
      ...labels(edges.filter(({ edge }) => edge.rate > 0 && touches(edge)), chosen),
    ]));
}

// Edges of one node leave and come at heights of their own.
function lane(edge, all, seen) {
  const place = (list) => {
    const at = list.indexOf(edge);
    return (at - (list.length - 1) / 2) * Math.min(8, 36 / Math.max(list.length, 1));
  };
  const inside = (e) => plan.places.has(e.from) && plan.places.has(e.to);
  const height = (id) => plan.places.get(id)?.y ?? 0;
  const column = (id) => plan.places.get(id)?.column ?? 0;
  const forward = (e) => inside(e) && column(e.to) > column(e.from);
  const sorted = (list, id) => list.sort((a, b) => height(a[id]) - height(b[id]) || column(a[id]) - column(b[id]));
  const back = seen.get('back') ?? 0;
  if (inside(edge) && !forward(edge)) seen.set('back', back + 1);
  const outs = sorted(all.filter((e) => forward(e) && e.from === edge.from), 'to');
  const ins = sorted(all.filter((e) => forward(e) && e.to === edge.to), 'from');
  const downs = all.filter((e) => !inside(e) && [e.from, e.to].some((id) => column(id) === column(plan.places.has(edge.from) ? edge.from : edge.to) && plan.places.has(id)));
  return {
    out: forward(edge) ? place(outs) : 0,
    in: forward(edge) ? place(ins) : 0,
    back: forward(edge) ? 0 : (back % 4) * 7,
    gutter: Math.max(0, downs.indexOf(edge)) * 6,
  };
}

function drawEdge(edge, way, shown, choose) {
  const most = edge.kind === 'store' ? 1.6 : 5;
  const width = edge.rate > 0 ? Math.min(most, 1.4 + Math.log10(1 + edge.rate) * 1.7) : 1;
  const tip = edge.kind === 'fact' && edge.health === 'good' ? 'fact' : edge.health;
  const text = `${edge.from} to ${edge.to}: ${rate(edge.rate)}, ${share(edge.errors)} errors, p99 ${seconds(edge.p99)}, ${healthWord(edge.health)}`;
  return h('g', { key: `e${edge.from}>${edge.to}`, class: `edge is-${edge.health} kind-${edge.kind} ${shown ? '' : 'away'}`, ...button(text, () => choose(`${edge.from}>${edge.to}`)) }, [
    h('path', { class: 'hit', d: way.path }),
    h('path', { class: 'wire', d: way.path, 'stroke-width': width.toFixed(1), 'marker-end': `url(#tip-${tip})` }),
    h('title', {}, text),
  ]);
}

// A label stands where no other and no node does; where there is no such place the edge
// has none, and says it when it is pointed at.
function labels(edges, chosen) {
  const taken = [...plan.places.values()].map((place) => ({ x: place.x - 3, y: place.y - 3, width: NODE.width + 6, height: NODE.height + 6 }));
  const drawn = [];
  for (const { edge, way } of [...edges].sort((a, b) => b.edge.rate - a.edge.rate)) {
    // With everything shown there is no room for what is small.
    if (!chosen && (edge.kind === 'store' || edge.kind === 'fact')) continue;
    const box = way.labels.map(({ x, y }) => ({ x: x - 21, y: y - 13, width: 42, height: 25 }))
      .find((box) => taken.every((other) => apart(box, other)));
    if (!box) continue;
    taken.push(box);
    drawn.push(label(edge, { x: box.x + 21, y: box.y + 13 }));
  }
  return drawn;
}

function apart(a, b) {
  return a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
}

function label(edge, at) {
  return h('g', { key: `l${edge.from}>${edge.to}`, class: `edge-label is-${edge.health}`, 'aria-hidden': 'true' }, [
    h('text', { x: at.x.toFixed(1), y: (at.y - 1).toFixed(1) }, rate(edge.rate)),
    edge.p99 !== null && h('text', { class: 'minor', x: at.x.toFixed(1), y: (at.y + 9).toFixed(1) }, edge.errors > 0.001 ? `${share(edge.errors)} ✕` : seconds(edge.p99)),
  ]);
}

function button(text, act) {
  return {
    role: 'button',
    tabindex: '0',
    'aria-label': text,
    onclick: act,
    onkeydown: (event) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); act(); } },
  };
}

function drawNode(node, chosen, choose) {
  const place = plan.places.get(node.id);
  const bad = node.served.some((entry) => ['failing', 'slow'].includes(entry.health));
  const known = node.state !== 'unknown';
  const well = node.errors > 0.001 ? `${share(node.errors)} ✕` : seconds(node.p99);
  const note = node.kind === 'people' ? 'REST, gRPC' : node.rate > 0 ? `${rate(node.rate)} · ${well}` : node.state === 'down' ? 'down' : 'quiet';
  return h('g', { key: `n${node.id}`, class: `node kind-${node.kind} is-${node.state} ${chosen === node.id ? 'here' : ''} ${bad ? 'hot' : ''}`, transform: `translate(${place.x} ${place.y})`, ...button(`${node.id} ${note}: ${stateWord(node.state)}`, () => choose(node.id)) }, [
    h('rect', { width: NODE.width, height: NODE.height, rx: node.kind === 'people' ? NODE.height / 2 : 9 }),
    known && h('text', { class: 'sign', x: 14, y: 22 }, stateSign(node.state)),
    ' ',
    h('text', { class: node.id.length > 13 ? 'name long' : 'name', x: known ? 27 : 14, y: 22 }, node.id),
    ' ',
    h('text', { class: 'minor', x: 14, y: 41 }, note),
  ]);
}

function shelfNode(moment, place, chosen, choose) {
  const node = moment.graph.nodes.find((one) => one.id === place.id);
  const note = node.kind === 'broker' ? brokerNote(moment) : node.rate > 0 ? `${rate(node.rate)} · p99 ${seconds(node.p99)}` : 'quiet';
  return h('g', { key: `n${node.id}`, class: `node shelf kind-${node.kind} is-${node.state} ${chosen === node.id ? 'here' : ''}`, transform: `translate(${place.x} ${place.y})`, ...button(`${node.id} ${note}: ${stateWord(node.state)}`, () => choose(node.id)) }, [
    h('rect', { width: place.width, height: place.height, rx: 9 }),
    h('text', { class: 'sign', x: 14, y: 25 }, stateSign(node.state)),
    ' ',
    h('text', { class: 'name', x: 27, y: 25 }, node.id),
    ' ',
    h('text', { class: 'minor', x: place.width - 14, y: 25, 'text-anchor': 'end' }, note),
  ]);
}

function brokerNote(moment) {
  const sent = moment.graph.edges.filter((edge) => edge.to === 'rabbitmq').reduce((sum, edge) => sum + edge.rate, 0);
  const waiting = moment.queues.reduce((sum, queue) => sum + (queue.waiting ?? 0), 0);
  return `facts: ${rate(sent)} in · ${moment.sources.prometheus ? '?' : count(waiting)} waiting`;
}

function details(moment, chosen, choose) {
  if (!chosen) return null;
  const close = h('button', { class: 'quiet', type: 'button', onclick: () => choose('') }, 'Close');
  const edge = moment.graph.edges.find((one) => `${one.from}>${one.to}` === chosen);
  if (edge) return card(`${edge.from} → ${edge.to}`, { key: chosen, aside: close }, edgeDetails(edge));
  const node = moment.graph.nodes.find((one) => one.id === chosen);
  return node ? card(node.id, { key: chosen, aside: close }, nodeDetails(moment, node, choose)) : null;
}

function facts(pairs) {
  return h('dl', { class: 'pairs' }, pairs.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) =>
    h('div', { key: name }, [h('dt', {}, name), h('dd', {}, value)])));
}

function edgeDetails(edge) {
  const breaker = edge.breaker;
  return [
    facts([
      ['state', health(edge.health)],
      ['rate', rate(edge.rate)],
      ['errors', share(edge.errors)],
      ['p50 · p99', `${seconds(edge.p50)} · ${seconds(edge.p99)}`],
      ['breaker', breaker ? `${breaker.state}; ${rate(breaker.refused)} refused, ${rate(breaker.retries)} made again` : null],
    ]),
    edge.entries.length ? entries(`What ${edge.from} asks of ${edge.to}`, edge.entries) : empty('Nobody has called yet.'),
    link(`/traces?service=${encodeURIComponent(edge.kind === 'call' ? edge.to : plan.places.has(edge.from) ? edge.from : edge.to)}`, { class: 'more' }, 'Latest traces'),
  ];
}

function nodeDetails(moment, node, choose) {
  const process = moment.processes.find((one) => one.name === node.process);
  const edges = moment.graph.edges.filter((edge) => (edge.from === node.id || edge.to === node.id));
  return [
    facts([
      ['state', [state(node.state), process?.detail ? ` ${process.detail}` : '']],
      ['served', node.kind === 'workload' ? `${rate(node.rate)}, ${share(node.errors)} errors, p99 ${seconds(node.p99)}` : null],
      ['process', process ? `${process.name}${process.pid ? `, pid ${process.pid}` : ''}, ${bytes(process.memory)}, up ${seconds(process.uptime)}` : null],
      ['log', process?.log ? path(process.log) : null],
      ['metrics', process?.metrics ? h('a', { href: process.metrics, target: '_blank', rel: 'noreferrer' }, process.metrics) : null],
    ]),
    node.served.length > 0 && entries(`What ${node.id} serves`, node.served),
    h('ul', { class: 'ties' }, edges.map((edge) => h('li', { key: `${edge.from}>${edge.to}` }, [
      h('button', { class: 'tie', type: 'button', onclick: () => choose(`${edge.from}>${edge.to}`) }, [health(edge.health, false), ` ${edge.from} → ${edge.to} `, h('span', {}, rate(edge.rate))]),
    ]))),
    link(`/traces?service=${encodeURIComponent(node.id)}`, { class: 'more' }, 'Latest traces'),
  ];
}

function attention(moment, choose) {
  const bad = moment.graph.edges.filter((edge) => ['open', 'failing', 'slow'].includes(edge.health));
  const down = moment.processes.filter((process) => ['down', 'degraded'].includes(process.state));
  const busiest = [...moment.graph.edges].filter((edge) => edge.kind === 'call' && edge.rate > 0 && edge.from !== 'people')
    .sort((a, b) => (b.p99 ?? 0) - (a.p99 ?? 0)).slice(0, 6);
  const firing = together(moment.alerts.filter((alert) => alert.state === 'firing'));
  const none = !bad.length && !down.length && !firing.length;
  return [
    card('Needs attention', { class: 'attention' }, none
      ? empty('Nothing. Choose a node or an edge to see more.')
      : h('ul', { class: 'items' }, [
        ...down.map((process) => h('li', { key: `p${process.name}` }, [h('strong', {}, [state(process.state, false), ' ', process.name, ` ${process.state === 'down' ? 'is down' : ''}`]), h('p', {}, process.detail), process.log && path(process.log)])),
        ...firing.slice(0, 5).map((alert) => h('li', { key: alert.key }, [h('strong', {}, [alert.severity === 'page' ? '✕ ' : '▲ ', alert.name]), h('p', {}, alert.summary), alert.runbook && h('a', { href: `/runbooks/${alert.runbook}` }, 'What to do')])),
        firing.length > 5 && h('li', { key: 'more' }, link('/promises', {}, `${firing.length - 5} more alerts`)),
        ...bad.slice(0, 8).map((edge) => h('li', { key: `e${edge.from}>${edge.to}` }, h('button', { class: 'tie', type: 'button', onclick: () => choose(`${edge.from}>${edge.to}`) }, [health(edge.health, false), ` ${edge.from} → ${edge.to} `, h('span', {}, edge.health === 'slow' ? slowest(edge) : share(edge.errors))]))),
      ])),
    card('Slowest calls', {}, busiest.length
      ? h('ul', { class: 'ties' }, busiest.map((edge) => h('li', { key: `${edge.from}>${edge.to}` }, h('button', { class: 'tie', type: 'button', onclick: () => choose(`${edge.from}>${edge.to}`) }, [health(edge.health, false), ` ${edge.from} → ${edge.to} `, h('span', {}, `p99 ${seconds(edge.p99)}`)]))))
      : empty('Nobody calls anybody at the moment.')),
  ];
}

function slowest(edge) {
  const entry = edge.entries.find((one) => one.health === 'slow') ?? edge;
  return `p99 ${seconds(entry.p99)}`;
}

function edgeTable(moment, choose) {
  const rows = moment.graph.edges.filter((edge) => edge.rate > 0 || edge.health === 'open').sort((a, b) => b.rate - a.rate);
  if (!rows.length) return empty('Nobody calls anybody at the moment.');
  const cells = (edge) => [rate(edge.rate), share(edge.errors), seconds(edge.p50), seconds(edge.p99)].map((text) => h('td', { class: 'num' }, text));
  return h('div', { class: 'scroll', role: 'region', 'aria-label': 'Every call', tabindex: '0' }, h('table', {}, [
    h('thead', {}, h('tr', {}, ['from → to', 'state', 'rate', 'errors', 'p50', 'p99'].map((head, at) => h('th', { scope: 'col', class: at > 1 ? 'num' : null }, head)))),
    h('tbody', {}, rows.map((edge) => h('tr', { key: `${edge.from}>${edge.to}` }, [
      h('th', { scope: 'row' }, h('button', { class: 'tie', type: 'button', onclick: () => choose(`${edge.from}>${edge.to}`) }, `${edge.from} → ${edge.to}`)),
      h('td', {}, health(edge.health)),
      ...cells(edge),
    ]))),
  ]));
}

export { copy };
