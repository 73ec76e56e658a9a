// Preloaded (`node --import`) by tests that run a command on the build: kills its process as it is about to make the
// change to a file of the number CONVBASE_KILL_AT, counted from 1, as a power cut or the system's out-of-memory killer
// would. The file CONVBASE_OPERATIONS gets a line for each change.
import { appendFileSync } from 'node:fs';
import { watchFileOperations } from '@convbase/base/node';

const at = Number(process.env['CONVBASE_KILL_AT']);
const list = process.env['CONVBASE_OPERATIONS'];
let count = 0;
watchFileOperations(({ kind, path }) => {
  count += 1;
  if (count === at) process.kill(process.pid, 'SIGKILL');
  if (list !== undefined) appendFileSync(list, `${kind} ${path}\n`);
});
