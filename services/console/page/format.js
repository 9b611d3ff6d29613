// Figures for people.

const number = (value, digits) =>
  value.toLocaleString('en-GB', { maximumFractionDigits: digits, minimumFractionDigits: digits });

/** `12`, `3.4`, `1,204`; a dash for what nobody knows. */
export function count(value) {
  if (value === null || value === undefined) return '–';
  return number(value, value < 10 && value % 1 !== 0 ? 1 : 0);
}

/** Something a second. */
export function rate(value) {
  if (!value) return '0/s';
  if (value < 0.095) return `${number(value * 60, value * 60 < 9.5 ? 1 : 0)}/min`;
  return `${number(value, value < 9.95 ? 1 : 0)}/s`;
}

/** Seconds. */
export function seconds(value) {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0 ms';
  if (value < 0.001) return `${number(value * 1e6, 0)} µs`;
  if (value < 0.00995) return `${number(value * 1e3, 1)} ms`;
  if (value < 0.9995) return `${number(value * 1e3, 0)} ms`;
  if (value < 59.95) return `${number(value, value < 9.95 ? 2 : 1)} s`;
  if (value < 3570) return `${number(value / 60, 0)} min`;
  if (value < 172_800) return `${number(value / 3600, 0)} h`;
  return `${number(value / 86_400, 0)} d`;
}

/** Nanoseconds. */
export const nanos = (value) => seconds(value === null || value === undefined ? value : value / 1e9);

/** A share of one. */
export function share(value, digits = 1) {
  if (value === null || value === undefined) return '–';
  if (value > 0 && value < 0.001) return '< 0.1 %';
  return `${number(value * 100, value === 0 || value === 1 ? 0 : digits)} %`;
}

export function bytes(value) {
  if (value === null || value === undefined) return '–';
  if (value < 1024 * 1024) return `${number(value / 1024, 0)} KiB`;
  const mib = value / 1024 / 1024;
  return mib < 1024 ? `${number(mib, mib < 9.95 ? 1 : 0)} MiB` : `${number(mib / 1024, 1)} GiB`;
}

/** The time of day of nanoseconds since 1970. */
export function clock(ns, millis = true) {
  const date = new Date(ns / 1e6);
  const time = date.toLocaleTimeString('en-GB');
  return millis ? `${time}.${String(date.getMilliseconds()).padStart(3, '0')}` : time;
}

/** `POST stoa.orders.v1.OrderService/PlaceOrder` → `POST OrderService/PlaceOrder`. */
export const plain = (name) => name.replace(/stoa\.[a-z]+\.v\d+\./, '');

/** `stoa.orders.v1.OrderService/PlaceOrder` → `PlaceOrder`. */
export function short(name) {
  return name.includes('/') && name.startsWith('stoa.') ? name.slice(name.lastIndexOf('/') + 1) : name;
}
