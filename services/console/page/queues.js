// Facts on their way: outboxes, queues, dead letters.

import { h } from './dom.js';
import { card, empty, num, state, table, td } from './parts.js';
import { count, rate, seconds } from './format.js';

export function queues(page) {
  const moment = page.moment;
  if (!moment) return empty('Waiting for the first figures …');
  const most = Math.max(...moment.queues.map((queue) => queue.waiting ?? 0), 10);
  return [
    h('div', { class: 'title' }, [h('h1', {}, 'Queues'), h('p', {}, 'facts wait in the outbox until the relay sends them, in the queue until a consumer takes them')]),
    card('Outboxes', {}, table('Outboxes', ['service', 'state', '#unsent', '#oldest', '#sent'], moment.outboxes.map((outbox) => h('tr', { key: outbox.service }, [
      h('th', { scope: 'row' }, outbox.service),
      td(outboxState(outbox)),
      num(count(outbox.unsent)),
      num(outbox.unsent ? seconds(outbox.oldest) : '–'),
      num(rate(outbox.sent)),
    ])))),
    card('Queues', {}, table('Queues', ['consumer', 'topic', 'state', '#waiting', '', '#dead letters', '#taken', '#failed'], moment.queues.map((queue) => h('tr', { key: `${queue.consumer} ${queue.topic}` }, [
      h('th', { scope: 'row' }, queue.consumer),
      td(h('code', {}, queue.topic)),
      td(queueState(queue)),
      num(count(queue.waiting)),
      td(h('span', { class: 'meter', 'aria-hidden': 'true' }, h('i', { at: { width: `${((queue.waiting ?? 0) / most) * 100}%` } }))),
      num(count(queue.dead)),
      num(rate(queue.applied)),
      num(rate(queue.failed)),
    ])))),
    h('p', { class: 'hint' }, [h('a', { href: '/runbooks/facts' }, 'What to do about facts that wait, fail or are dead')]),
  ];
}

function outboxState(outbox) {
  if (outbox.unsent === null) return state('unknown');
  if (outbox.relayed === false) return outbox.unsent > 0 ? state('down') : state('degraded');
  return outbox.oldest > 10 && outbox.unsent > 0 ? state('degraded') : state('up');
}

function queueState(queue) {
  if (queue.waiting === null) return state('unknown');
  if (queue.dead > 0 || queue.failed > 0) return state('degraded');
  return queue.waiting > 1000 ? state('degraded') : state('up');
}
