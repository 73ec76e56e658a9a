import { ConvbaseError, visibleLine } from '@convbase/base';
import {
  Model,
  Monitor,
  packNumbers,
  unpackNumbers,
  type Callback,
  type CallbackState,
  type Logs,
  type MonitorMode,
  type Network,
} from '@convbase/layers';
import { saveModel } from '@convbase/models';
import { formatPath } from './format-path.ts';

export interface ModelCheckpointOptions {
  /**
   * Where to save, with `{epoch}` (from 1), `{batch}` (from 1, with `saveFreq` in batches) and every log, in Python's
   * format: `{epoch:02d}-{val_loss:.2f}.keras`. With `saveWeightsOnly` it ends in `.weights.h5` or `.safetensors`, else
   * in `.keras` or `model.json`.
   */
  readonly path: string;
  /** Which log tells the best model; `val_loss` when left out. */
  readonly monitor?: string;
  /** Whether less or more of it is better; `auto`, when left out, knows the loss and the metrics of the model. */
  readonly mode?: MonitorMode;
  readonly saveBestOnly?: boolean;
  readonly saveWeightsOnly?: boolean;
  /** After each epoch, or after this many batches. */
  readonly saveFreq?: 'epoch' | number;
  /** What the monitored value has to be better than at first. */
  readonly initialValueThreshold?: number;
  /** 1 prints a line whenever something is saved or was not good enough. */
  readonly verbose?: 0 | 1;
  /** How to save; by the path's ending when left out. */
  readonly save?: (model: Model, path: string) => Promise<void>;
  /** Where lines go; the console when left out. */
  readonly print?: (line: string) => void;
}

/**
 * Keras' ModelCheckpoint: saves the model while it is trained, each epoch or only when it has become better. A file
 * appears only when it is complete. What it remembers (the best value, batches since the last file) goes along when
 * the training is resumed.
 *
 * Errors: `checkpoint/path` for a path that cannot be filled in or says no format, `callback/monitor` for a value of
 * which nobody said whether it should grow, and those of saving.
 */
export class ModelCheckpoint implements Callback {
  readonly name = 'ModelCheckpoint';
  /** The file saved last. */
  saved: string | undefined;
  readonly #options: ModelCheckpointOptions;
  readonly #monitor: Monitor;
  #model: Model | undefined;
  #best: number | null;
  #batches = 0;

  constructor(options: ModelCheckpointOptions) {
    this.#options = options;
    this.#monitor = new Monitor(options);
    this.#best = options.initialValueThreshold ?? null;
    checkEnding(options);
  }

  /** The best monitored value so far. */
  get best(): number | null {
    return this.#best;
  }

  setModel(network: Network): void {
    if (!(network instanceof Model)) {
      throw new ConvbaseError('checkpoint/model', 'only a Model can be saved', { where: this.#options.path });
    }
    this.#model = network;
  }

  getState(): CallbackState {
    return { json: packNumbers({ best: this.#best, batches: this.#batches }) };
  }

  setState(state: CallbackState): void {
    const number = unpackNumbers(state, this.name);
    this.#best = number('best');
    this.#batches = number('batches') ?? 0;
  }

  async onBatchEnd(
    epoch: number,
    batch: number,
    _position: unknown,
    logs: () => Promise<Logs>,
  ): Promise<void> {
    const { saveFreq = 'epoch' } = this.#options;
    if (saveFreq === 'epoch' || ++this.#batches < saveFreq) return;
    this.#batches = 0;
    await this.#save({ epoch: epoch + 1, batch: batch + 1 }, await logs());
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    if ((this.#options.saveFreq ?? 'epoch') === 'epoch') await this.#save({ epoch: epoch + 1 }, logs);
  }

  async #save(at: { readonly epoch: number; readonly batch?: number }, logs: Logs): Promise<void> {
    const { path: pattern, save = saveModel } = this.#options;
    const model = this.#model;
    if (model === undefined) {
      throw new ConvbaseError('checkpoint/model', 'there is no model to save', { where: pattern });
    }
    const path = formatPath(pattern, at, logs);
    if (!this.#wanted(model, at.epoch, logs, path)) return;
    await save(model, path);
    this.saved = path;
    this.#say(`Epoch ${at.epoch}: finished saving model to ${path}`);
  }

  /** Keras' decision, in Keras' words. */
  #wanted(model: Model, epoch: number, logs: Logs, path: string): boolean {
    if (this.#options.saveBestOnly !== true) {
      this.#say(`Epoch ${epoch}: saving model to ${path}`);
      return true;
    }
    const { key } = this.#monitor;
    const current = logs[key];
    if (current === undefined) {
      this.#print(`Can save best model only with ${key} available.`);
      return true;
    }
    const before = this.#best?.toFixed(5) ?? 'None';
    if (!this.#monitor.improves(current, this.#best, model)) {
      this.#say(`Epoch ${epoch}: ${key} did not improve from ${before}`);
      return false;
    }
    this.#best = current;
    this.#say(
      `Epoch ${epoch}: ${key} improved from ${before} to ${current.toFixed(5)}, saving model to ${path}`,
    );
    return true;
  }

  #say(line: string): void {
    if (this.#options.verbose === 1) this.#print(line);
  }

  #print(line: string): void {
    const { print } = this.#options;
    if (print) print(line);
    else console.log(visibleLine(line));
  }
}

function checkEnding({ path, saveWeightsOnly = false, save }: ModelCheckpointOptions): void {
  if (save !== undefined) return;
  const endings = saveWeightsOnly ? ['.weights.h5', '.safetensors'] : ['.keras', 'model.json'];
  if (endings.some((ending) => path.endsWith(ending))) return;
  const what = saveWeightsOnly ? 'weights' : 'a whole model';
  throw new ConvbaseError('checkpoint/path', `${what} cannot be saved in a file of this name`, {
    where: path,
    fix: `Let it end in ${endings.join(' or ')}.`,
  });
}
