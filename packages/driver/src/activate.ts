import { readFileSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { exists, fileError, systemCode } from '@convbase/base/node';
import { findDriver, libraryFolders, manifestName } from './cache.ts';

/** glibc: the library stays loaded although Node, which finds that it is no addon, closes it again. */
const RTLD_NODELETE = 0x1000;

/**
 * Makes this process use the driver unpacked in `folder`: tells the Vulkan loader about it and loads the libraries
 * that the system lacks. Dawn reads the environment whenever it makes an instance, so this works also after an
 * attempt that found no adapter. Child processes find the same driver through `CONVBASE_DRIVER`.
 */
export async function activateDriver(folder: string): Promise<void> {
  const manifest = join(folder, manifestName);
  if ((await findDriver(folder)) === undefined) throw unloadable(folder, `there is no ${manifestName}`);
  const folders = await libraryFolders(folder);
  await loadLibrary('libvulkan.so.1', folders);
  await loadLibrary('libvulkan_lvp.so', folders);
  process.env['VK_DRIVER_FILES'] = manifest;
  process.env['VK_ICD_FILENAMES'] = manifest; // the name that loaders before 1.3.207 know
  process.env['CONVBASE_DRIVER'] = folder;
}

/**
 * Loads a shared library by name into the process: the system's copy, else the one in `folders`, and the libraries it
 * needs in the same way. The dynamic linker finds what is loaded by its soname, which is how Dawn and the driver later
 * get these copies without LD_LIBRARY_PATH (read only when a process starts).
 */
async function loadLibrary(
  name: string,
  folders: readonly string[],
  asking: readonly string[] = [],
): Promise<void> {
  let own: string | undefined;
  for (const path of folders.map((folder) => join(folder, name))) if (await exists(path)) own ??= path;
  for (const path of own === undefined ? [name] : [name, own]) {
    const loaded = new Set<string>();
    for (let needed = tryLoading(path); needed !== name; needed = tryLoading(path)) {
      if (needed === undefined) return;
      if (asking.includes(needed)) throw unloadable(name, `${needed} and ${name} need each other`);
      // A file may call itself otherwise than it is called.
      if (loaded.has(needed)) throw unloadable(name, `${needed} is there, but ${name} does not find it`);
      await loadLibrary(needed, folders, [...asking, name]);
      loaded.add(needed);
    }
  }
  throw unloadable(asking.at(-1) ?? name, `${name} is not installed`);
}

/** Whether the system has the Vulkan loader. Asking first spares the user Dawn's complaint where it has not. */
export function hasVulkanLoader(): boolean {
  return tryLoading('libvulkan.so.1') === undefined;
}

/** Loads one file. Returns the name of the library that was missing (perhaps itself), or nothing when it is loaded. */
function tryLoading(path: string): string | undefined {
  try {
    process.dlopen(
      { exports: {} },
      path,
      constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | RTLD_NODELETE,
    );
    return undefined;
  } catch (error) {
    // Node always throws, since no such library registers itself as an addon; only the linker's own words matter.
    const message = error instanceof Error ? error.message : String(error);
    if (message.includes('did not self-register') || isLoaded(path)) return undefined;
    const [, file, why] = /^([^\s:]+): cannot open shared object file: (.*)/.exec(message) ?? [];
    if (file === undefined) throw unloadable(path, message, error);
    if (why === 'No such file or directory') return file;
    // The linker has the system's code only in words.
    const code = why === 'Too many open files' ? 'EMFILE' : why === 'Permission denied' ? 'EACCES' : 'EIO';
    throw fileError(Object.assign(new Error(message), { code }), file, 'cannot load this library');
  }
}

function isLoaded(path: string): boolean {
  if (!path.startsWith('/')) return false;
  try {
    return readFileSync('/proc/self/maps', 'utf8').includes(realpathSync(path));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw fileError(error, path, 'cannot load this library');
  }
}

function unloadable(where: string, what: string, cause?: unknown): ConvbaseError {
  return new ConvbaseError('driver/broken', `the software driver cannot be loaded: ${what}`, {
    where,
    fix: "Delete the drivers folder in convbase's cache and run `convbase doctor --install-driver`.",
    cause,
  });
}
