// What runs, since when, and where its log is.

import { h } from './dom.js';
import { empty, num, path, state, table, td } from './parts.js';
import { bytes, count, seconds } from './format.js';

const RANK = { down: 0, degraded: 1, unknown: 2, up: 3 };

export function processes(page) {
  const moment = page.moment;
  if (!moment) return empty('Waiting for the first figures …');
  const list = moment.processes.map((process, at) => ({ ...process, at })).sort((a, b) => RANK[a.state] - RANK[b.state] || a.at - b.at);
  const memory = list.reduce((sum, process) => sum + (process.memory ?? 0), 0);
  return [
    h('div', { class: 'title' }, [h('h1', {}, 'Processes'), h('p', {}, `${list.filter((process) => process.state === 'up').length} of ${list.length} up, ${bytes(memory)} of memory`)]),
    h('section', { class: 'card' }, table('Processes', ['process', 'state', 'says', '#up for', '#restarts', '#memory', 'version', 'address', 'log', 'metrics'], list.map((process) => h('tr', { key: process.name, class: `is-${process.state}` }, [
      h('th', { scope: 'row' }, process.name),
      td(state(process.state)),
      td(process.detail),
      num(process.uptime === null ? '–' : seconds(process.uptime)),
      num(process.restarts ? `▲ ${count(process.restarts)}` : '0'),
      num(bytes(process.memory)),
      td(process.version ?? '–'),
      td(h('code', {}, process.address ?? '–')),
      td(path(process.log)),
      td(process.metrics ? h('a', { href: process.metrics, target: '_blank', rel: 'noreferrer' }, 'metrics') : '–'),
    ])))),
  ];
}
