import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolveFile } from '@convbase/models';

// A process of a test: finds or downloads the file that its argument describes (a RemoteFile as JSON), looks whether what
// it was told is there is right, and says where it is from.

/** @type {import('@convbase/models').RemoteFile} */
const file = JSON.parse(process.argv[2] ?? '');
const { path, origin } = await resolveFile(file, {
  onWait: ({ holder }) => {
    process.stderr.write(`waiting for ${holder}\n`);
  },
});
const md5 = createHash('md5').update(readFileSync(path)).digest('hex');
if (md5 !== file.md5) throw new Error(`it was said to be done, but its MD5 is ${md5}`);
process.stdout.write(origin);
