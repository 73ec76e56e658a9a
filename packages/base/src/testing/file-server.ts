import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a server does with a request. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** A web server of this machine that behaves as a test wants. */
export class FileServer {
  /** The address of the only file. */
  readonly url: string;
  readonly requests: IncomingMessage[] = [];
  /** What the next requests meet; the last one stays. */
  behaviours: Behaviour[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights.h5`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.requests.push(request);
      const behaviour = this.behaviours.length > 1 ? this.behaviours.shift() : this.behaviours[0];
      behaviour?.(request, response);
    });
  }

  static async start(): Promise<FileServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FileServer(server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** An ordinary file server with ranges; `breakAt` cuts the connection after that many bytes of the file. */
export function serve(data: Uint8Array, { etag = '"1"', breakAt = Infinity } = {}): Behaviour {
  return (request, response) => {
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const start = range !== null && request.headers['if-range'] === etag ? Number(range[1]) : 0;
    if (start >= data.length) {
      response.writeHead(416, { 'content-range': `bytes */${data.length}` }).end();
      return;
    }
    response.writeHead(start > 0 ? 206 : 200, {
      etag,
      'content-length': data.length - start,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${data.length - 1}/${data.length}` } : {}),
    });
    if (breakAt >= data.length) response.end(data.subarray(start));
    else response.write(data.subarray(start, breakAt), () => setTimeout(() => response.destroy(), 50));
  };
}
