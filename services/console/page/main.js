// What is shown where, and what changes while one looks.

import { h, render } from './dom.js';
import { link, together } from './parts.js';
import { overview } from './overview.js';
import { traces } from './traces.js';
import { waterfall } from './waterfall.js';
import { orders } from './orders.js';
import { queues } from './queues.js';
import { promises } from './promises.js';
import { processes } from './processes.js';
import { bytes, count } from './format.js';

const VIEWS = [
  ['/', 'Overview', overview],
  ['/traces', 'Traces', traces],
  ['/orders', 'Orders', orders],
  ['/queues', 'Queues', queues],
  ['/promises', 'SLOs', promises],
  ['/processes', 'Processes', processes],
];

/** What all views know. */
const page = {
  moment: null,
  failed: false,
  draw,
  go,
  query: () => new URLSearchParams(location.search),
  fetched: new Map(),
  ask,
};
let drawn = '';

// Asks a question of a view again every two seconds, for as long as the view is shown.
function ask(url, pause = false) {
  const known = page.fetched.get(url) ?? { answer: null, error: null, at: 0, busy: false };
  page.fetched.set(url, known);
  known.wanted = true;
  if (!known.busy && !(pause && known.at) && Date.now() - known.at > 1900) fetchInto(url, known);
  return known;
}

async function fetchInto(url, known) {
  known.busy = true;
  try {
    const answer = await fetch(url);
    const body = await answer.json();
    [known.answer, known.error] = answer.ok ? [body, null] : [known.answer, body.error ?? answer.statusText];
  } catch {
    known.error = 'The console does not answer.';
  }
  known.busy = false;
  known.at = Date.now();
  draw();
}

function go(url, replace = false) {
  history[replace ? 'replaceState' : 'pushState'](null, '', url);
  draw();
}

function draw() {
  const here = location.pathname;
  const view = VIEWS.find(([at]) => at !== '/' && here.startsWith(at)) ?? VIEWS[0];
  const shown = here.startsWith('/traces/') ? waterfall : view[2];
  for (const known of page.fetched.values()) known.wanted = false;
  render(document.getElementById('top'), bar(view));
  render(document.getElementById('view'), h('div', { key: here, class: 'page' }, [banner(), shown(page)]));
  for (const [url, known] of page.fetched) {
    if (!known.wanted && !known.busy) page.fetched.delete(url);
  }
  document.title = `${here.startsWith('/traces/') ? 'Trace' : view[1]} · Stoa console`;
  if (drawn !== '' && drawn !== here) {
    scrollTo(0, 0);
    document.getElementById('view').focus({ preventScroll: true });
  }
  drawn = here;
}

function bar(view) {
  const headline = page.moment?.headline;
  const level = page.failed ? 'bad' : headline?.level ?? 'wait';
  const word = { good: 'all well', warn: 'look', bad: 'trouble', wait: 'starting' }[level];
  return [
    link('/', { class: 'brand' }, [h('img', { src: '/page/icon.svg', alt: '', width: 26, height: 26 }), h('span', {}, ['Stoa ', h('em', {}, 'console')])]),
    h('nav', { 'aria-label': 'Views' }, VIEWS.map(([at, name]) =>
      link(at, { key: at, 'aria-current': view[0] === at ? 'page' : null }, [name, dot(name)]))),
    h('p', { class: `pulse is-${level}` }, [h('span', { class: 'sign', 'aria-hidden': 'true' }, { good: '●', warn: '▲', bad: '✕', wait: '…' }[level]), page.failed ? 'not connected' : word]),
  ];
}

// Something to look at in a view.
function dot(name) {
  const moment = page.moment;
  if (!moment) return null;
  const many = {
    Orders: moment.sagas.overdue ?? 0,
    Queues: moment.queues.reduce((sum, queue) => sum + (queue.dead ?? 0), 0),
    SLOs: together(moment.alerts).filter((alert) => alert.state === 'firing').length,
    Processes: moment.processes.filter((process) => process.state === 'down').length,
  }[name];
  return many ? h('span', { class: 'dot', title: `${many} to look at` }, count(many)) : null;
}

function banner() {
  const moment = page.moment;
  const lines = [];
  if (page.failed && moment) lines.push('The console itself does not answer; this is what it said last.');
  if (moment?.sources.prometheus) {
    lines.push(`${moment.sources.prometheus}. Figures are counted from the traces of the last minute; queues, sagas, SLOs and alerts are unknown.`);
  }
  return lines.map((line) => h('p', { class: 'notice', role: 'status', key: line }, line));
}

document.addEventListener('click', (event) => {
  const anchor = event.target.closest?.('a[href^="/"]');
  const plain = !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0;
  if (!anchor || !plain || anchor.pathname.startsWith('/runbooks/') || anchor.target) return;
  event.preventDefault();
  go(anchor.getAttribute('href'));
});
addEventListener('popstate', draw);
addEventListener('hashchange', draw);

const stream = new EventSource('/api/live');
stream.onmessage = (event) => {
  page.moment = JSON.parse(event.data);
  page.failed = false;
  draw();
};
stream.onerror = () => {
  page.failed = true;
  draw();
};
setInterval(() => { if (document.visibilityState === 'visible') draw(); }, 2000);
draw();

export { bytes };
