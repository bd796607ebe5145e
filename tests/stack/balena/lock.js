// Takes a lock as balena's documentation shows it, and gives it back: node lock.js FILE prints `got`, or the code of the error.
const lockfile = require('lockfile');

const file = process.argv[2];
lockfile.lock(file, (error) => {
	process.stdout.write(error ? error.code : 'got');
	if (!error) lockfile.unlockSync(file);
});
