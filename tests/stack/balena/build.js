// Parses and builds a tree as balena's own tools do, on the engine at hand: node build.js TREE ARCH DEVICE_TYPE [BASE_IMAGE]
// Prints what came out as one line of JSON, the end of a failed build's output in it. BASE_IMAGE takes the place of python:... where no
// registry can be asked for the base of another platform.
const { spawn } = require('node:child_process');
const { readFileSync, readdirSync } = require('node:fs');
const path = require('node:path');
const { multibuild, parse } = require('@balena/compose');
const Docker = require('dockerode');
const yaml = require('js-yaml');
const TarUtils = require('tar-utils');

async function main([tree, architecture, deviceType, base]) {
	const written = yaml.load(readFileSync(path.join(tree, 'docker-compose.yml'), 'utf8'));
	const composition = parse.normalize(written);
	const tar = spawn('tar', ['-C', tree, '-cf', '-', ...readdirSync(tree)], { stdio: ['ignore', 'pipe', 'inherit'] });
	const tasks = await multibuild.splitBuildStream(composition, tar.stdout);
	const errors = [];
	const output = {};
	const hook = (content) => (base ? content.replace(/^FROM python:\S+/gm, `FROM ${base}`) : content);
	multibuild.performResolution(tasks, architecture, deviceType, { error: [(error) => errors.push(String(error))] }, {}, hook);
	for (const task of tasks) {
		// As balena's command line does: nothing is resolved before its stream is read.
		task.buildStream = await TarUtils.cloneTarStream(task.buildStream);
		output[task.serviceName] = '';
		task.streamHook = (stream) => stream.on('data', (data) => {
			output[task.serviceName] = (output[task.serviceName] + data).slice(-3000);
		});
	}
	// One after the other: the second finds the first one's layers.
	const images = [];
	for (const task of tasks) {
		images.push(...await multibuild.performBuilds([task], new Docker(), '/tmp'));
	}
	const found = images.map(({ serviceName, name, successful, error }) => ({
		service: serviceName, image: name, successful, error: error ? `${error}\n${output[serviceName]}` : null,
	}));
	const contracts = Object.fromEntries(tasks.map(({ serviceName, contract }) => [serviceName, contract ?? null]));
	process.stdout.write(`${JSON.stringify({ composition, images: found, contracts, errors })}\n`);
}

main(process.argv.slice(2)).catch((error) => {
	process.stderr.write(`${error.stack}\n`);
	process.exitCode = 1;
});
