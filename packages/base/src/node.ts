/// <reference types="node" preserve="true" />
export { afterFailure, doEach, withTidying } from './node/after-failure.ts';
export {
  AtomicFile,
  type AtomicFileOptions,
  refuseExisting,
  type WriteOptions,
  writeFileAtomic,
} from './node/atomic-file.ts';
export { cacheFolder, homeFolder } from './node/cache-folder.ts';
export { PREFIX_KEY, REMOVED } from './node/cache-names.ts';
export {
  type CacheEntry,
  type CacheKind,
  cacheKinds,
  clearCache,
  type ClearCacheOptions,
  type ClearedCache,
  listCache,
} from './node/cache-contents.ts';
export { fileChecksum } from './node/checksum.ts';
export { downloadFile, type DownloadOptions, type DownloadProgress, tidyDownload } from './node/download.ts';
export { fileError, systemCode, systemError } from './node/file-error.ts';
export {
  exists,
  fileSize,
  freeBytes,
  type FileOperation,
  isFile,
  isFolder,
  linkStatusOf,
  listEntries,
  listFolder,
  listIfThere,
  makeFolder,
  remove,
  removeEmptyFolder,
  removeFile,
  rename,
  statusOf,
  syncFolder,
  touch,
  watchFileOperations,
  WritableFile,
} from './node/file-operations.ts';
export {
  isLockName,
  lockFolder,
  lockHolder,
  LOCK_FILE,
  type LockOptions,
  refuseLocked,
  type Release,
  takeLock,
  withLock,
} from './node/lock.ts';
export { withNewFolders } from './node/new-folders.ts';
export { npmPackage, type NpmPackageOptions } from './node/npm-package.ts';
export { pathInside } from './node/path-inside.ts';
export { openPlainFile, READ_FLAGS, readBounded } from './node/read-file.ts';
export {
  abandonedPath,
  checkPlace,
  isAbandoned,
  isTemporaryName,
  removeAbandoned,
  removeAtOnce,
  systemTemporaryFolder,
  temporaryFolder,
  temporaryPath,
} from './node/temporary.ts';
export { type ProgramOptions, type ProgramRun, runProgram } from './node/run-program.ts';
export { tidyFolder } from './node/tidy.ts';
export { appendText, withWritableFile } from './node/with-file.ts';
