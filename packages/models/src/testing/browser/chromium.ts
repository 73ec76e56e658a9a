import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { delimiter, join } from 'node:path';
import { build } from 'esbuild';
import { chromium, type Page } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Chromium on this machine: `CONVBASE_CHROMIUM`, else the first one in PATH or where macOS and Windows have it. */
export function findChromium(): string | undefined {
  const given = process.env['CONVBASE_CHROMIUM'];
  if (given) return given;
  const inPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)));
  const elsewhere = [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    join(process.env['PROGRAMFILES'] ?? 'C:/Program Files', 'Google/Chrome/Application/chrome.exe'),
  ];
  return [...inPath, ...elsewhere].find((path) => existsSync(path));
}

/** SwiftShader, Chromium's own software GPU, so that the page finds WebGPU on any machine. */
const flags = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/**
 * Bundles `entry` for the browser from the workspace's sources, opens it in a page on localhost and hands the page
 * over. `files` are served by name beside it. Browser and server are gone when the promise settles.
 */
export async function withPage<T>(
  executablePath: string,
  entry: string,
  files: Readonly<Record<string, Uint8Array>>,
  use: (page: Page) => Promise<T>,
): Promise<T> {
  const served = new Map<string, [type: string, body: string | Uint8Array]>([
    [
      '/',
      ['text/html', '<!doctype html><title>convbase</title><script type="module" src="page.js"></script>'],
    ],
    ['/page.js', ['text/javascript', await bundle(entry)]],
    ...Object.entries(files).map(([name, body]): [string, [string, Uint8Array]] => [
      `/${name}`,
      ['application/octet-stream', body],
    ]),
  ]);
  const server = createServer((request, response) => {
    const [type, body] = served.get(request.url ?? '') ?? [];
    if (type === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': type }).end(body);
  });
  const address = await listen(server);
  const browser = await chromium.launch({ executablePath, args: flags });
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(address);
    const ready = page.waitForFunction(() => 'convbase' in globalThis, undefined, { timeout: 30_000 });
    await ready.catch((error: unknown) => {
      throw new Error(`the page did not start: ${errors.join('; ') || String(error)}`, { cause: error });
    });
    return await use(page);
  } finally {
    await browser.close();
    server.close();
  }
}

/** Opens a page from a file in light or dark; the addresses it asks for are noted. The browser is gone afterwards. */
export async function withFile<T>(
  executablePath: string,
  url: URL,
  colorScheme: 'light' | 'dark',
  use: (page: Page, requests: readonly string[]) => Promise<T>,
): Promise<T> {
  const browser = await chromium.launch({ executablePath, args: flags });
  try {
    const page = await browser.newPage({ colorScheme });
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(url.href);
    return await use(page, requests);
  } finally {
    await browser.close();
  }
}

async function bundle(entry: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['convbase-source', 'browser'],
    logLevel: 'silent',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  return file.contents;
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(`http://127.0.0.1:${address.port}/`);
    });
  });
}
