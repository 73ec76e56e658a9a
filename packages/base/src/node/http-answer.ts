import { ConvbaseError } from '../errors.ts';

export interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds without a byte after which the connection counts as broken. */
  readonly stallTimeout: number;
  /** Bytes per second that come at least, over each `stallTimeout` of waiting; with less the connection counts as broken. */
  readonly leastRate: number;
  /** What a user may do instead, for messages. */
  readonly fix: string;
  readonly signal?: AbortSignal | undefined;
}

/** Browsers follow twenty; more lead in a circle. */
const MAX_REDIRECTS = 20;

const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * What a server answers to a GET, piece by piece: follows redirects, but not for ever, and waits for the next byte, but
 * not for ever, nor for a trickle.
 */
export class HttpAnswer {
  readonly #response: Response;
  readonly #patience: Patience;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  private constructor(response: Response, patience: Patience) {
    this.#response = response;
    this.#patience = patience;
    this.#reader = response.body?.getReader();
  }

  /** @throws ConvbaseError `download/address`, `download/offline`, `download/stalled`, `download/redirect`; the signal's reason */
  static async get(url: string, options: RequestOptions): Promise<HttpAnswer> {
    checkAddress(url);
    const patience = new Patience(url, options);
    let address = url;
    for (let followed = 0; followed <= MAX_REDIRECTS; followed++) {
      const { headers } = options;
      const { signal } = patience;
      const response = await patience
        .wait(() => fetch(address, { headers, signal, redirect: 'manual' }))
        .catch((error: unknown) => {
          throw patience.reason() ?? offline(url, options.fix, error);
        });
      const location = response.headers.get('location');
      if (!REDIRECTS.includes(response.status) || location === null) {
        return new HttpAnswer(response, patience);
      }
      await response.body?.cancel();
      const next = URL.canParse(location, address) ? new URL(location, address) : undefined;
      if (next === undefined || !/^https?:$/.test(next.protocol) || hasCredentials(next)) {
        throw wrongWay(
          url,
          options.fix,
          'the server sends to what is no web address, or to one with a password',
        );
      }
      address = next.href;
    }
    throw wrongWay(url, options.fix, `the server sends from one address to the next, ${MAX_REDIRECTS} times`);
  }

  get status(): number {
    return this.#response.status;
  }

  header(name: string): string | null {
    return this.#response.headers.get(name);
  }

  /** Whether the bytes here are not those that the server keeps, but were packed for the way. */
  get isEncoded(): boolean {
    return !['', 'identity'].includes(this.header('content-encoding')?.toLowerCase() ?? '');
  }

  /**
   * The next bytes; undefined at the end.
   *
   * @throws ConvbaseError `download/stalled`; what fetch throws where the connection breaks; the signal's reason
   */
  async next(): Promise<Uint8Array | undefined> {
    const reader = this.#reader;
    if (reader === undefined) return undefined;
    try {
      const { value } = await this.#patience.wait(() => reader.read());
      if (value !== undefined) this.#patience.count(value.byteLength);
      return value;
    } catch (error) {
      throw this.#patience.reason() ?? error;
    }
  }

  /** Lets go of the connection; does nothing at the end of the answer. */
  async cancel(): Promise<void> {
    try {
      await this.#reader?.cancel();
    } catch {
      // It broke by itself, which is what was wanted.
    }
  }
}

/** Waits for a server, and stops where it is silent for too long, only trickles, or a signal says so. */
class Patience {
  readonly signal: AbortSignal;
  readonly #stalled = new AbortController();
  readonly #options: RequestOptions;
  readonly #url: string;
  /** Since the rate was last looked at: only waiting counts, not what is done with the bytes. */
  #waited = 0;
  #bytes = 0;

  constructor(url: string, options: RequestOptions) {
    this.#url = url;
    this.#options = options;
    const signals = [this.#stalled.signal, ...(options.signal ? [options.signal] : [])];
    this.signal = AbortSignal.any(signals);
  }

  async wait<T>(work: () => Promise<T>): Promise<T> {
    const { stallTimeout } = this.#options;
    const timer = setTimeout(() => {
      this.#stall(`the server sent nothing for ${Math.round(stallTimeout / 1000)} s`);
    }, stallTimeout);
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.#waited += performance.now() - started;
      clearTimeout(timer);
    }
  }

  /** Counts bytes that came; where they are too few, what is waited for next is broken off. */
  count(bytes: number): void {
    this.#bytes += bytes;
    const { stallTimeout, leastRate } = this.#options;
    if (this.#waited < stallTimeout) return;
    const seconds = this.#waited / 1000;
    if (this.#bytes < leastRate * seconds) {
      this.#stall(`the server sent only ${this.#bytes} bytes in ${Math.round(seconds)} s`);
    }
    this.#waited = 0;
    this.#bytes = 0;
  }

  #stall(what: string): void {
    const { fix } = this.#options;
    this.#stalled.abort(new ConvbaseError('download/stalled', what, { where: this.#url, fix }));
  }

  /** Why it stopped, where it did. */
  reason(): Error | undefined {
    return this.signal.aborted ? (this.signal.reason as Error) : undefined;
  }
}

/** Throws `download/address` for what is no web address, or has a password, which messages and notes would show. */
function checkAddress(address: string): void {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && !hasCredentials(url)) return;
  const isWrong = url === undefined || !hasCredentials(url);
  const what = isWrong ? 'it is no web address' : 'there is a user or a password in the address';
  throw new ConvbaseError('download/address', what, {
    where: address,
    fix: 'Give an address that begins with http:// or https://, without a user and a password.',
  });
}

function hasCredentials({ username, password }: URL): boolean {
  return username !== '' || password !== '';
}

function offline(url: string, fix: string, cause: unknown): ConvbaseError {
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
  return new ConvbaseError('download/offline', `cannot reach the server (${reason})`, {
    where: url,
    fix,
    cause,
  });
}

function wrongWay(url: string, fix: string, what: string): ConvbaseError {
  return new ConvbaseError('download/redirect', what, { where: url, fix });
}
