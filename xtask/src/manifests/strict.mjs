// Validates Kubernetes objects against their published schemas; an unknown field is an error.
//
//   node strict.mjs <node_modules>      standard input: [{"place": "…", "object": {…}, "whole": true?}, …]

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const modules = resolve(process.argv[2]);
const documents = JSON.parse(readFileSync(0, 'utf8'));

/** Which package has the schemas of which groups. */
const SOURCES = [
  ['.istio.io', '@kubernetes-models/istio'],
  ['external-secrets.io', '@kubernetes-models/external-secrets'],
  ['bitnami.com', '@kubernetes-models/sealed-secrets'],
  ['argoproj.io', '@kubernetes-models/argo-rollouts'],
  ['cert-manager.io', '@kubernetes-models/cert-manager'],
  ['monitoring.coreos.com', '@kubernetes-models/prometheus-operator'],
  ['cnpg.io', '@kubernetes-models/cloudnative-pg'],
];

/** The class of an object, for example of security.istio.io/v1 AuthorizationPolicy. */
async function modelOf({ apiVersion, kind }) {
  const group = String(apiVersion).split('/')[0];
  const source = SOURCES.find(([end]) => group.endsWith(end))?.[1] ?? 'kubernetes-models';
  const file = join(modules, source, String(apiVersion), `${kind}.js`);
  return (await import(pathToFileURL(file)).catch(() => ({})))[kind];
}

/** What the package wants of the one claim that the operator embeds, and no claim says. */
function completed(object) {
  const claim = object.spec?.storage?.volumeClaimTemplate;
  if (claim && String(object.apiVersion).startsWith('monitoring.coreos.com/')) {
    Object.assign(claim, { apiVersion: 'monitoring.coreos.com/v1', kind: 'EmbeddedPersistentVolumeClaim' });
  }
}

/**
 * Remembers which fields were looked at. The validators are compiled from the schemas and look
 * at every field that these know and at no other: what stays unseen is unknown.
 */
function watch(value) {
  const seen = new Map();
  const proxy = new Proxy(value, {
    get(target, key) {
      const field = target[key];
      if (!seen.has(key)) {
        const inner = typeof field === 'object' && field !== null && Object.hasOwn(target, key);
        seen.set(key, inner ? watch(field) : { proxy: field, unseen: () => [] });
      }
      return seen.get(key).proxy;
    },
  });
  const unseen = (path) => Object.keys(value).flatMap((key) =>
    seen.has(key) ? seen.get(key).unseen(`${path}/${key}`) : [`${path}/${key}`]);
  return { proxy, unseen };
}

/** What is wrong with an object; empty when nothing is. */
function complaints(Model, object) {
  const { proxy, unseen } = watch(new Model(object));
  try {
    Model.prototype.validate.call(proxy);
  } catch (error) {
    return [error.message];
  }
  return unseen('').map((path) => `unknown field ${path}`);
}

/** The object broken in every way that matters: a field too much, a value of the wrong type. */
function* broken(object) {
  const places = [object];
  for (const place of places) {
    if (!Array.isArray(place)) {
      place.notAField = {};
      yield 'a field too much';
      delete place.notAField;
    }
    for (const [key, value] of Object.entries(place)) {
      if (typeof value === 'object' && value !== null) places.push(value);
      place[key] = typeof value === 'object' ? 'text' : {};
      yield `${key} of the wrong type`;
      place[key] = value;
    }
  }
}

let valid = 0;
let refused = 0;
const failures = [];
for (const { place, object, whole } of documents) {
  completed(object);
  const Model = await modelOf(object);
  const found = Model ? complaints(Model, object) : [`no schema for ${object.apiVersion}`];
  failures.push(...found.map((text) => `${place}: ${text}`));
  if (found.length > 0) continue;
  valid += 1;
  if (whole) continue;
  for (const how of broken(object)) {
    if (complaints(Model, object).length > 0) refused += 1;
    else failures.push(`${place}: with ${how} it is still valid`);
  }
}
failures.forEach((text) => console.error(text));
console.log(`${valid} documents valid; ${refused} copies broken on purpose refused`);
process.exit(failures.length > 0 || valid === 0 ? 1 : 0);
