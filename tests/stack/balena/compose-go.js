#!/usr/bin/env node
// Stands where @balena/compose-parser looks for its program around compose-go, which its package would fetch from elsewhere. Compose is
// built on the same library: -f FILE... PROJECT in, the whole composition as JSON out, an error as one line of JSON on stderr.
const { spawnSync } = require('node:child_process');

const files = process.argv.slice(2, -1);
const project = `p${process.argv.at(-1)}`;
const done = spawnSync('docker', ['compose', '-p', project, ...files, '--profile', '*', 'config', '--format', 'json'], { encoding: 'utf8' });
if (done.status !== 0) {
	process.stderr.write(`${JSON.stringify({ error: true, name: 'ParseError', message: done.stderr.trim() })}\n`);
	process.exit(1);
}
process.stdout.write(done.stdout.replaceAll(project, process.argv.at(-1)));
