// Service level objectives: what is left of each budget, and alerts.

import { h } from './dom.js';
import { card, empty, num, table, td, together } from './parts.js';
import { clock, count, seconds, share, short } from './format.js';

export function promises(page) {
  const moment = page.moment;
  const told = page.ask('/api/alerts').answer ?? [];
  if (!moment) return empty('Waiting for the first figures …');
  const used = moment.budgets.filter((budget) => budget.requests >= 0.5);
  const quiet = moment.budgets.length - used.length;
  return [
    h('div', { class: 'title' }, [h('h1', {}, 'SLOs'), h('p', {}, `promises of the contract, counted over the last ${moment.sources.budget_window}`)]),
    card('Alerts', { aside: h('span', { class: 'source' }, `${together(moment.alerts).filter((alert) => alert.state === 'firing').length} firing`) }, alerts(moment)),
    card('Error budgets', { aside: h('span', { class: 'source' }, quiet ? `${quiet} methods were not called` : '') },
      used.length ? table('Error budgets', ['method', 'service', '#requests', '#promised', 'answered: budget left', '#burn 5 min', '#burn 1 h', '#within', 'in time: budget left', '#burn 5 min', '#burn 1 h'], used.map(row)) : empty(moment.sources.prometheus ? 'Prometheus is away: nobody counts.' : 'Nobody has called a method with a promise yet.')),
    told.length > 0 && card('What people were told', {}, h('ul', { class: 'items' }, told.slice(0, 20).map((notice, at) => h('li', { key: `${notice.at} ${at}` }, [h('strong', {}, [notice.status === 'resolved' ? '● resolved ' : '▲ firing ', notice.name]), h('p', {}, [notice.summary, ' ', h('small', {}, clock(notice.at * 1e6, false))])])))),
  ];
}

function alerts(moment) {
  if (!moment.alerts.length) return empty(moment.sources.prometheus ? 'Prometheus is away: nobody watches.' : 'None fires, none is about to.');
  return h('ul', { class: 'items alert-list' }, together(moment.alerts).map((alert) => h('li', { key: alert.key, class: alert.state }, [
    h('strong', {}, [h('span', { class: `tag ${alert.state}` }, alert.state === 'firing' ? (alert.severity === 'page' ? '✕ page' : '▲ ticket') : '… pending'), ' ', alert.name]),
    h('p', {}, alert.summary),
    h('p', { class: 'fine' }, [`since ${clock(Date.parse(alert.since) * 1e6, false)}${alert.windows.length ? `, seen over ${alert.windows.join(', ')}` : ''} · `, alert.runbook && h('a', { href: `/runbooks/${alert.runbook}` }, 'What to do')]),
  ])));
}

function row(budget) {
  return h('tr', { key: budget.method }, [
    h('th', { scope: 'row', title: budget.method }, short(budget.method)),
    td(budget.workload),
    num(count(Math.round(budget.requests))),
    num(share(budget.availability, 2)),
    td(left(budget.failures.left)),
    num(burn(budget.failures.burn_5m)),
    num(burn(budget.failures.burn_1h)),
    num(seconds(budget.latency)),
    td(left(budget.slowness.left)),
    num(burn(budget.slowness.burn_5m)),
    num(burn(budget.slowness.burn_1h)),
  ]);
}

function left(value) {
  if (value === null) return '–';
  const level = value < 0 ? 'spent' : value < 0.25 ? 'low' : 'fine';
  const sign = { spent: '✕', low: '▲', fine: '●' }[level];
  return h('span', { class: `budget is-${level}` }, [
    h('span', { class: 'meter', 'aria-hidden': 'true' }, h('i', { at: { width: `${Math.max(0, Math.min(1, value)) * 100}%` } })),
    h('span', {}, `${sign} ${value < -9.99 ? '< −999 %' : share(value, 0)}`),
  ]);
}

// One is as fast as allowed; 14.4 for an hour wakes somebody up.
function burn(value) {
  if (value === null) return '–';
  return h('span', { class: value > 14.4 ? 'fast' : value > 1 ? 'quick' : null }, `${value > 14.4 ? '✕ ' : value > 1 ? '▲ ' : ''}${value >= 100 ? Math.round(value) : value.toFixed(1)}×`);
}
