// Reads compose files with both of balena's parsers: node parse.js FILE... prints one line of JSON, a list of {old, new} with what each says
// of a file: null when it takes it. The newer one starts a program around compose-go, which its package fetches from elsewhere; `bin/` of
// the package gets Compose itself in its place, which is the same library.
const { readFileSync } = require('node:fs');
const { parse: old } = require('@balena/compose');
const current = require('@balena/compose-parser');
const yaml = require('js-yaml');

async function said(read) {
	try {
		await read();
		return null;
	} catch (error) {
		return String(error.message).split('\n')[0];
	}
}

async function main(files) {
	const answers = [];
	for (const file of files) {
		let images = null;
		const answer = {
			old: await said(() => old.normalize(yaml.load(readFileSync(file, 'utf8')))),
			new: await said(async () => { images = current.toImageDescriptors(await current.parse(file)); }),
		};
		answers.push({ ...answer, contracts: images === null ? [] : images.map(({ contract }) => contract ?? null) });
	}
	process.stdout.write(`${JSON.stringify({
		answers,
		denied: {
			service: require('@balena/compose-parser/dist/compose').SERVICE_CONFIG_DENY_LIST,
			build: require('@balena/compose-parser/dist/compose').BUILD_CONFIG_DENY_LIST,
			network: require('@balena/compose-parser/dist/compose').NETWORK_CONFIG_DENY_LIST,
			volume: require('@balena/compose-parser/dist/compose').VOLUME_CONFIG_DENY_LIST,
			fresh: require('@balena/compose-parser/dist/legacy').NEW_COMPOSE_SERVICE_FIELDS,
		},
		schema: require('@balena/compose/dist/parse/schemas/config_schema_v2.4.json'),
	})}\n`);
}

main(process.argv.slice(2)).catch((error) => {
	process.stderr.write(`${error.stack}\n`);
	process.exitCode = 1;
});
