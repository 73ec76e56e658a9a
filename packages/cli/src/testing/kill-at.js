import { watchFileOperations } from '@convbase/base/node';

// Preloaded (`node --import`) by tests that run a command on the build: kills its process as it is about to make the
// change to a file of the number CONVBASE_KILL_AT, as a power cut or the system's out-of-memory killer would.

const at = Number(process.env['CONVBASE_KILL_AT']);
let count = 0;
watchFileOperations(() => {
  count += 1;
  if (count === at) process.kill(process.pid, 'SIGKILL');
});
