// Parts that several views share.

import { h } from './dom.js';
import { count, rate, seconds, share, short } from './format.js';

/** A link inside the page. */
export function link(to, props, ...children) {
  return h('a', { href: to, ...props }, children);
}

const STATES = {
  up: ['●', 'up'],
  degraded: ['▲', 'degraded'],
  down: ['✕', 'down'],
  unknown: ['?', 'unknown'],
};
const HEALTH = {
  idle: ['○', 'idle'],
  good: ['●', 'good'],
  slow: ['◆', 'slower than promised'],
  failing: ['▲', 'failing'],
  open: ['✕', 'breaker open'],
};

/** A state told by shape, colour and word. */
export function state(name, word = true) {
  const [sign, text] = STATES[name] ?? STATES.unknown;
  return badge(name, sign, text, word);
}

/** The same of an edge. */
export function health(name, word = true) {
  const [sign, text] = HEALTH[name] ?? HEALTH.idle;
  return badge(name, sign, text, word);
}

export const healthWord = (name) => HEALTH[name]?.[1] ?? name;
export const stateSign = (name) => STATES[name]?.[0] ?? '?';
export const stateWord = (name) => STATES[name]?.[1] ?? name;

function badge(name, sign, text, word) {
  return h('span', { class: `state is-${name}`, title: word ? null : text }, [
    h('span', { class: 'sign', 'aria-hidden': 'true' }, sign),
    h('span', { class: word ? null : 'unseen' }, text),
  ]);
}

/** A box with a title. */
export function card(title, props, ...children) {
  const { aside, ...rest } = props ?? {};
  return h('section', { ...rest, class: `card ${rest.class ?? ''}` }, [
    h('header', { class: 'card-head' }, [h('h2', {}, title), aside]),
    children,
  ]);
}

export const empty = (...text) => h('p', { class: 'empty' }, text);

/** A table in a box that scrolls by itself. */
export function table(label, heads, rows) {
  return h('div', { class: 'scroll', role: 'region', 'aria-label': label, tabindex: '0' }, [
    h('table', {}, [
      h('thead', {}, h('tr', {}, heads.map((head) => h('th', { scope: 'col', class: head.startsWith('#') ? 'num' : null }, head.replace('#', ''))))),
      h('tbody', {}, rows),
    ]),
  ]);
}

export const td = (...children) => h('td', {}, children);
export const num = (...children) => h('td', { class: 'num' }, children);

/** A table of methods, topics or operations. */
export function entries(label, list) {
  const rows = list.map((entry) =>
    h('tr', { key: entry.name }, [
      h('th', { scope: 'row', title: entry.name }, [health(entry.health, false), ' ', short(entry.name)]),
      num(rate(entry.rate)),
      num(share(entry.errors)),
      num(seconds(entry.p50)),
      num(seconds(entry.p99)),
      num(entry.promised ? seconds(entry.promised) : '–'),
    ]),
  );
  return table(label, ['what', '#rate', '#errors', '#p50', '#p99', '#promised'], rows);
}

/** A line of the last quarter of an hour. */
export function spark(values, label) {
  // What was before the first figure is not shown: it says nothing.
  values = values.slice(Math.max(0, values.findIndex((value) => value !== null)));
  const known = values.filter((value) => value !== null);
  const [width, height] = [132, 30];
  if (known.length < 2) return h('svg', { class: 'spark', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
  const top = Math.max(...known, 1e-9);
  const x = (at) => (at / (values.length - 1)) * width;
  const y = (value) => height - 3 - (value / top) * (height - 6);
  let path = '';
  let pen = 'M';
  values.forEach((value, at) => {
    if (value === null) { pen = 'M'; return; }
    path += `${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = 'L';
  });
  const first = values.findIndex((value) => value !== null);
  const last = values.findLastIndex((value) => value !== null);
  const area = `${path}L${x(last).toFixed(1)} ${height}L${x(first).toFixed(1)} ${height}Z`;
  return h('svg', { class: 'spark', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label, preserveAspectRatio: 'none' }, [
    h('path', { class: 'spark-area', d: area }),
    h('path', { class: 'spark-line', d: path, 'vector-effect': 'non-scaling-stroke' }),
  ]);
}

/** One colour for each service, always the same. */
export function hue(service) {
  const known = ['edge', 'orders', 'cart', 'catalog', 'inventory', 'payments', 'notifications', 'identity', 'sandbox', 'prober'];
  const at = known.indexOf(service);
  if (at >= 0) return `svc-${at}`;
  let sum = 0;
  for (const c of service) sum = (sum * 31 + c.codePointAt(0)) % 997;
  return `svc-${sum % 10}`;
}

/** Alerts that say the same for several windows, as one. */
export function together(alerts) {
  const groups = new Map();
  for (const alert of alerts) {
    const { window, ...labels } = alert.labels;
    const key = JSON.stringify([alert.name, alert.state, alert.summary, labels]);
    const group = groups.get(key) ?? { ...alert, key, windows: [] };
    if (window && !group.windows.includes(window)) group.windows.push(window);
    if (alert.severity === 'page') group.severity = 'page';
    if (alert.since < group.since) group.since = alert.since;
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Copies a text; says so. */
export function copy(text, what) {
  return h('button', {
    class: 'copy',
    type: 'button',
    'aria-label': `Copy ${what}`,
    title: `Copy ${what}`,
    onclick: async (event) => {
      const button = event.currentTarget;
      await navigator.clipboard?.writeText(text);
      button.classList.add('copied');
      setTimeout(() => button.classList.remove('copied'), 1200);
    },
  }, 'copy');
}

export function path(text) {
  return text ? h('span', { class: 'path' }, [h('code', {}, text), copy(text, 'the path')]) : '–';
}

export { count };
