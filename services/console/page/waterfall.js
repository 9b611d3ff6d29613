// One trace: who waited for whom, from the edge over the broker to the mail.

import { h } from './dom.js';
import { card, copy, empty, hue, link } from './parts.js';
import { clock, count, nanos, plain } from './format.js';

const MOST = 1500;
const SIGNS = { server: 'server', client: 'call', producer: 'send', consumer: 'consume', internal: '' };
let zoomed = false;

export function waterfall(page) {
  const id = location.pathname.slice('/traces/'.length);
  const known = page.ask(`/api/traces/${encodeURIComponent(id)}`);
  const trace = known.answer;
  if (!trace) {
    return [h('p', { class: 'crumb' }, link('/traces', {}, '← Traces')), known.error ? empty(known.error) : empty('Looking …')];
  }
  const root = trace.rows[0];
  const chosen = new URLSearchParams(location.hash.slice(1)).get('span');
  const choose = (span) => page.go(`/traces/${id}${span === chosen ? '' : `#span=${span}`}`, true);
  const span = trace.rows.find((row) => row.id === chosen);
  const answered = root.offset + root.duration;
  const scale = zoomed ? answered : trace.duration;
  const failed = trace.rows.filter((row) => row.error !== null).length;
  return [
    h('p', { class: 'crumb' }, link('/traces', {}, '← Traces')),
    h('div', { class: 'title' }, [
      h('h1', {}, plain(root.name)),
      h('p', {}, [h('code', {}, trace.trace), copy(trace.trace, 'the trace id')]),
    ]),
    h('dl', { class: 'facts' }, [
      ['began', clock(trace.start)],
      ['answered after', nanos(root.duration)],
      ['all done after', nanos(trace.duration)],
      ['spans', count(trace.rows.length)],
      ['failed', failed ? `✕ ${failed}` : 'none'],
    ].map(([name, value]) => h('div', { key: name, class: name === 'failed' && failed ? 'bad' : null }, [h('dt', {}, name), h('dd', {}, value)]))),
    work(trace),
    h('div', { class: span ? 'trace-split' : '' }, [
      card('Waterfall', { class: 'fall-card', aside: h('label', { class: 'check' }, [h('input', { type: 'checkbox', checked: zoomed, onchange: (event) => { zoomed = event.currentTarget.checked; page.draw(); } }), 'Only until answered']) },
        fall(trace, scale, chosen, choose)),
      span && details(span, trace, choose),
    ]),
  ];
}

function work(trace) {
  const all = trace.work.reduce((sum, [, own]) => sum + own, 0) || 1;
  return h('div', { class: 'work' }, [
    h('h2', {}, 'Where the work was'),
    h('div', { class: 'work-bar', 'aria-hidden': 'true' }, trace.work.map(([service, own]) => h('i', { key: service, class: hue(service), at: { width: `${(own / all) * 100}%` } }))),
    h('ul', {}, trace.work.map(([service, own]) => h('li', { key: service }, [h('i', { class: `swatch ${hue(service)}`, 'aria-hidden': 'true' }), service || '?', ' ', h('strong', {}, nanos(own))]))),
  ]);
}

function fall(trace, scale, chosen, choose) {
  const at = (value) => `${Math.min(100, (value / scale) * 100)}%`;
  const rows = trace.rows.slice(0, MOST).filter((row) => row.offset <= scale);
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return h('div', { class: 'fall scroll', tabindex: '0', role: 'region', 'aria-label': 'Waterfall' }, [
    h('div', { class: 'axis', 'aria-hidden': 'true' }, [h('span', {}, ''), h('span', { class: 'ticks' }, ticks.map((tick) => h('i', { key: tick, at: { left: `${tick * 100}%` } }, nanos(scale * tick))))]),
    h('ol', {}, rows.map((row) => h('li', { key: row.trace + row.id }, line(row, at, scale, chosen, choose)))),
    trace.rows.length > MOST && empty(`${count(trace.rows.length - MOST)} more spans are not drawn.`),
  ]);
}

function line(row, at, scale, chosen, choose) {
  const failed = row.error !== null;
  const sql = row.attributes.some(([name]) => name.startsWith('db.'));
  const late = row.offset / scale > 0.72;
  return h('button', { type: 'button', class: `row ${failed ? 'failed' : ''} ${row.id === chosen ? 'here' : ''}`, 'aria-pressed': row.id === chosen ? 'true' : 'false', onclick: () => choose(row.id) }, [
    h('span', { class: 'label', at: { 'padding-left': `${Math.min(row.depth, 14) * 12 + 8}px` } }, [
      h('i', { class: `swatch ${hue(row.service)}` }),
      h('b', {}, row.service || '?'),
      ' ',
      h('span', { class: 'span-name', title: row.name }, plain(row.name)),
      failed && h('em', { class: 'flag' }, ['✕', h('span', { class: 'unseen' }, ' failed')]),
      row.orphan && h('em', { title: 'Its parent did not come' }, 'orphan'),
      row.linked && h('em', { title: 'Another trace that points at this one' }, 'linked'),
    ]),
    ' ',
    h('span', { class: 'lane' }, [
      row.gap && h('i', { class: `gap ${row.gap.place}`, at: { left: at(row.gap.offset), width: at(row.gap.duration) } }, row.gap.duration / scale > 0.12 ? `${nanos(row.gap.duration)} in the ${row.gap.place}` : ''),
      h('i', { class: `span ${hue(row.service)} kind-${sql ? 'sql' : row.kind}`, at: { left: at(row.offset), width: `max(3px, ${at(row.duration)})` } }),
      h('span', { class: late ? 'took before' : 'took', at: late ? { right: `calc(${100 - (row.offset / scale) * 100}% + 5px)` } : { left: `calc(${Math.min(100, ((row.offset + row.duration) / scale) * 100)}% + 5px)` } }, nanos(row.duration)),
    ]),
  ]);
}

function details(row, trace, choose) {
  const pairs = [
    ['span', row.id],
    ['service', [row.service, row.version && ` ${row.version}`].filter(Boolean).join('')],
    ['process', row.instance],
    ['kind', SIGNS[row.kind] || 'internal'],
    ['began', `${nanos(row.offset)} after the start`],
    ['took', `${nanos(row.duration)}, ${nanos(row.own)} of it by itself`],
    ['waited', row.gap && `${nanos(row.gap.duration)} in the ${row.gap.place}`],
    ['clock', row.shifted ? `put right by ${nanos(Math.abs(row.shifted))}` : null],
    ['failed', row.error === null ? null : row.error || 'yes'],
  ].filter(([, value]) => value);
  const pair = ([name, value]) => h('div', { key: name }, [h('dt', {}, name), h('dd', {}, value)]);
  return h('aside', { class: 'span-details', 'aria-label': 'The chosen span' }, card(row.name, { aside: h('button', { class: 'quiet', type: 'button', onclick: () => choose(row.id) }, 'Close') }, [
    h('dl', { class: 'pairs' }, pairs.map(pair)),
    row.attributes.length > 0 && [h('h3', {}, 'Attributes'), h('dl', { class: 'pairs mono' }, row.attributes.map(pair))],
    row.events.length > 0 && [h('h3', {}, 'Events'), h('ul', { class: 'events' }, row.events.map((event, at) => h('li', { key: at }, [h('b', {}, event.name), ` ${nanos(Math.max(0, event.at - trace.start))} after the start`, h('dl', { class: 'pairs mono' }, event.attributes.map(pair))])))],
  ]));
}
