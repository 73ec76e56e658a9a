export { AtomicFile, type AtomicFileOptions, writeFileAtomic } from './node/atomic-file.ts';
export { cacheFolder } from './node/cache-folder.ts';
export { downloadFile, type DownloadOptions, type DownloadProgress } from './node/download.ts';
export { fileError } from './node/file-error.ts';
export { npmPackage, type NpmPackageOptions } from './node/npm-package.ts';
export { pathInside } from './node/path-inside.ts';
export { openPlainFile, readBounded } from './node/read-file.ts';
