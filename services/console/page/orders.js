// Orders on their way through the saga.

import { h } from './dom.js';
import { card, empty, link } from './parts.js';
import { clock, count, nanos, seconds } from './format.js';

export function orders(page) {
  const moment = page.moment;
  const known = page.ask('/api/orders');
  if (!moment) return empty('Waiting for the first figures …');
  const sagas = moment.sagas;
  return [
    h('div', { class: 'title' }, [h('h1', {}, 'Orders'), h('p', {}, 'where they stand in the saga, and the latest of them')]),
    h('dl', { class: 'facts' }, [
      ['under way', sagas.standing.length ? count(sagas.standing.reduce((sum, one) => sum + one.count, 0)) : '–'],
      ['overdue', count(sagas.overdue), sagas.overdue > 0],
      ['oldest', sagas.oldest ? seconds(sagas.oldest) : sagas.oldest === 0 ? 'none' : '–'],
      ...sagas.ended.map((end) => [`${end.kind} ${end.outcome.replaceAll('_', ' ')}, 5 min`, count(end.count)]),
    ].map(([name, value, bad]) => h('div', { key: name, class: bad ? 'bad' : null }, [h('dt', {}, name), h('dd', {}, value)]))),
    card('Steps', { aside: h('span', { class: 'source' }, 'sagas that stand there now') }, steps(sagas)),
    card('Latest orders', { aside: h('span', { class: 'source' }, 'from the traces that are kept') }, latest(known)),
  ];
}

function steps(sagas) {
  if (!sagas.standing.length) return empty('Nobody counts sagas: Prometheus or orders is away.');
  const order = ['reserve', 'pay', 'confirm', 'settle'];
  const row = (direction, text) => {
    const own = sagas.standing.filter((one) => one.direction === direction)
      .sort((a, b) => order.indexOf(a.step) - order.indexOf(b.step));
    return h('div', { class: `steps ${direction}`, key: direction }, [
      h('h3', {}, text),
      h('ol', {}, own.map((one) => h('li', { key: one.step, class: one.count > 0 ? 'busy' : null }, [h('strong', {}, count(one.count)), h('span', {}, one.step)]))),
    ]);
  };
  return [row('forward', 'Forward'), row('backward', 'Being undone')];
}

function latest(known) {
  const list = known.answer ?? [];
  if (!list.length) return empty(known.error ?? 'No order is among the traces yet.');
  return h('ol', { class: 'orders' }, list.map((order) => h('li', { key: order.trace }, link(`/traces/${order.trace}`, { class: order.failed ? 'order failed' : 'order' }, [
    h('time', {}, clock(order.start)),
    h('span', { class: 'order-id' }, [order.failed && h('span', { class: 'flag' }, '✕ '), h('code', {}, order.order ?? order.trace.slice(0, 13))]),
    h('span', { class: 'passed' }, order.steps.map((step, at) => h('span', { key: at, class: step.failed ? 'step failed' : step.name.startsWith('process ') ? 'step fact' : 'step', title: `${step.name}, ${nanos(step.duration)}` },
      `${step.failed ? '✕ ' : ''}${step.name.replace(/^process [a-z]+\.v\d+\./, '⇢ ')}`))),
    h('span', { class: 'took' }, [nanos(order.answered), h('small', {}, ` all in ${nanos(order.duration)}`)]),
  ]))));
}
