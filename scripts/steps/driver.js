/**
 * Finds an adapter, or fetches the software driver; see packages/driver. Runs as a process of its own,
 * so that what native code prints can be filtered, and tells its parent where the driver is.
 */
import { ensureDriver } from '@convbase/driver';

try {
  const state = await ensureDriver({
    install: true,
    onProgress: (message) => console.log(`software driver: ${message}`),
  });
  process.send?.(state);
} catch (error) {
  console.error(error instanceof Error && error.name === 'ConvbaseError' ? error.message : error);
  process.exitCode = 1;
}
process.disconnect?.();
