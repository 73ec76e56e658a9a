import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

/** The Python that has Keras; tests against it are skipped where none is named. */
export const kerasPython = process.env['CONVBASE_KERAS_PYTHON'];

/** Keras in a process of its own; see `keras_server.py` for what it can be asked. */
export class Keras {
  readonly #process = spawn(kerasPython ?? 'python3', [join(import.meta.dirname, 'keras_server.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  readonly #lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();

  /** What Keras answers; what it cannot do is an error with its words. */
  async #ask(request: object): Promise<Record<string, unknown>> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value } = (await this.#lines.next()) as { value?: string };
    const answer = JSON.parse(value ?? '{"error":"it ended"}') as Record<string, unknown>;
    if (typeof answer['error'] === 'string') throw new Error(`Keras: ${answer['error']}`);
    return answer;
  }

  /** The model's config and weights as Keras sees them. */
  async describe(model: string): Promise<{ config: unknown; weights: unknown; trainable: number }> {
    const answer = await this.#ask({ do: 'describe', model });
    return answer as { config: unknown; weights: unknown; trainable: number };
  }

  /** Predictions of a model file for a batch; with `weights`, a weight file loaded into it first. */
  async predict(model: string, x: Float32Array, weights?: string): Promise<Float32Array> {
    const more = weights === undefined ? {} : { weights };
    const { y } = await this.#ask({ do: 'predict', model, x: Array.from(x), ...more });
    return Float32Array.from(y as number[]);
  }

  /** Some SGD steps on one batch; the trained model is saved as `out`. */
  async train(request: {
    model: string;
    x: Float32Array;
    y: Float32Array;
    steps: number;
    learningRate: number;
    loss: string;
    out: string;
  }): Promise<number[]> {
    const { x, y, learningRate, ...rest } = request;
    const batch = { x: Array.from(x), y: Array.from(y), learning_rate: learningRate };
    const { losses } = await this.#ask({ do: 'train', ...rest, ...batch });
    return losses as number[];
  }

  close(): void {
    this.#process.stdin.end();
  }
}
