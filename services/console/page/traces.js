// The latest traces, as a list.

import { h } from './dom.js';
import { empty, hue, link } from './parts.js';
import { bytes, clock, count, nanos, plain } from './format.js';

let paused = false;

export function traces(page) {
  const query = page.query();
  const known = page.ask(`/api/traces?${query}`, paused);
  const list = known.answer?.traces ?? [];
  const longest = Math.max(...list.map((trace) => trace.duration), 1);
  return [
    h('div', { class: 'title' }, [
      h('h1', {}, 'Traces'),
      known.answer && h('p', {}, holding(known.answer.holding)),
    ]),
    filter(page, query),
    known.error && h('p', { class: 'notice' }, known.error),
    list.length
      ? h('ol', { class: 'traces' }, list.map((trace) => row(trace, longest)))
      : known.answer && empty('No trace passes. Traces come within seconds of a request; all of them, until they make room.'),
  ];
}

function holding({ traces, spans, bytes: size, gone }) {
  return `${count(traces)} traces with ${count(spans)} spans in ${bytes(size)}${gone ? `; ${count(gone)} have made room` : ''}`;
}

function filter(page, query) {
  const change = (event) => {
    const form = event.currentTarget.form ?? event.currentTarget;
    const wanted = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) wanted.set(name, value);
    page.go(wanted.size ? `/traces?${wanted}` : '/traces', true);
  };
  const services = page.moment?.graph.nodes.filter((node) => ['workload', 'edge'].includes(node.kind)).map((node) => node.id) ?? [];
  const value = (name) => query.get(name) ?? '';
  return h('form', { class: 'filter', role: 'search', 'aria-label': 'Traces', onsubmit: (event) => { event.preventDefault(); change(event); } }, [
    h('label', {}, ['Service', h('select', { name: 'service', onchange: change }, [
      h('option', { value: '', key: '', selected: value('service') === '' }, 'any'),
      ...services.map((name) => h('option', { value: name, key: name, selected: value('service') === name }, name)),
    ])]),
    h('label', {}, ['RPC or span', h('input', { name: 'name', value: value('name'), placeholder: 'PlaceOrder', oninput: change, autocomplete: 'off', spellcheck: 'false' })]),
    h('label', {}, ['Longer than', h('select', { name: 'slower', onchange: change }, [['', 'any time'], ['50', '50 ms'], ['200', '200 ms'], ['500', '500 ms'], ['1000', '1 s'], ['5000', '5 s']].map(([ms, text]) =>
      h('option', { value: ms, key: ms, selected: value('slower') === ms }, text)))]),
    h('label', {}, ['Trace id', h('input', { name: 'id', value: value('id'), placeholder: '0af7651916cd…', oninput: change, autocomplete: 'off', spellcheck: 'false', class: 'id' })]),
    h('label', { class: 'check' }, [h('input', { type: 'checkbox', name: 'errors', value: '1', checked: value('errors') === '1', onchange: change }), 'Errors only']),
    h('label', { class: 'check' }, [h('input', { type: 'checkbox', checked: !paused, onchange: (event) => { paused = !event.currentTarget.checked; page.draw(); } }), 'Live']),
  ]);
}

function row(trace, longest) {
  const answered = Math.min(trace.answered, trace.duration);
  const wide = (value) => `${Math.max(0.4, (value / longest) * 100)}%`;
  return h('li', { key: trace.trace }, link(`/traces/${trace.trace}`, { class: trace.errors ? 'trace failed' : 'trace' }, [
    h('time', {}, clock(trace.start)),
    h('span', { class: 'what' }, [
      trace.errors > 0 && h('span', { class: 'flag' }, `✕ ${trace.errors} failed`),
      h('strong', {}, plain(trace.name)),
      h('span', { class: 'who' }, trace.services.map((service) => h('span', { key: service, class: `chip ${hue(service)}` }, service || '?'))),
    ]),
    h('span', { class: 'long' }, [
      h('span', { class: 'bar', 'aria-hidden': 'true' }, [h('i', { class: 'all', at: { width: wide(trace.duration) } }), h('i', { class: 'front', at: { width: wide(answered) } })]),
      h('span', { class: 'took' }, [nanos(answered), trace.facts && trace.duration > answered * 1.05 ? h('small', {}, ` all in ${nanos(trace.duration)}`) : null]),
    ]),
    h('span', { class: 'spans' }, `${count(trace.spans)} ${trace.spans === 1 ? 'span' : 'spans'}`),
  ]));
}
