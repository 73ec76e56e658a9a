import { ConvbaseError } from '@convbase/base';
import { Model, type Callback, type CallbackState, type Logs } from '@convbase/layers';
import { saveModel } from '@convbase/models';
import { z } from 'zod';
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
  /** Whether less or more of it is better; `auto` knows the losses and the metrics of the model. */
  readonly mode?: 'auto' | 'min' | 'max';
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

const stateSchema = z.object({ best: z.number().nullable(), batches: z.number().int().nonnegative() });

/**
 * Keras' ModelCheckpoint: saves the model while it is trained, each epoch or only when it has become better. A file
 * appears only when it is complete. What it remembers (the best value, batches since the last file) goes along when
 * the training is resumed.
 *
 * Errors: `checkpoint/path` for a pattern that cannot be filled in, `checkpoint/monitor` for a value of which nobody
 * said whether it should grow.
 */
export class ModelCheckpoint implements Callback {
  readonly name = 'ModelCheckpoint';
  /** The best monitored value so far. */
  best: number | undefined;
  /** The file saved last. */
  saved: string | undefined;
  readonly #options: ModelCheckpointOptions;
  readonly #monitor: string;
  #model: Model | undefined;
  #batches = 0;

  constructor(options: ModelCheckpointOptions) {
    this.#options = options;
    this.#monitor = options.monitor ?? 'val_loss';
    this.best = options.initialValueThreshold;
    checkEnding(options);
  }

  setModel(model: unknown): void {
    if (!(model instanceof Model)) {
      throw new ConvbaseError('checkpoint/model', 'only a model can be saved', { where: this.#options.path });
    }
    this.#model = model;
  }

  getState(): CallbackState {
    return { json: { best: this.best ?? null, batches: this.#batches } };
  }

  setState({ json }: CallbackState): void {
    const { best, batches } = stateSchema.parse(json);
    this.best = best ?? undefined;
    this.#batches = batches;
  }

  async onBatchEnd(epoch: number, batch: number, _position: unknown, logs: () => Promise<Logs>): Promise<void> {
    const { saveFreq = 'epoch' } = this.#options;
    if (saveFreq === 'epoch' || ++this.#batches < saveFreq) return;
    this.#batches = 0;
    await this.#save({ epoch: epoch + 1, batch: batch + 1 }, await logs());
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    if ((this.#options.saveFreq ?? 'epoch') === 'epoch') await this.#save({ epoch: epoch + 1 }, logs);
  }

  async #save(at: Readonly<Record<string, number>>, logs: Logs): Promise<void> {
    const { save = saveModel } = this.#options;
    const path = formatPath(this.#options.path, at, logs);
    const reason = this.#reasonToSave(logs);
    const begin = `Epoch ${at['epoch'] ?? 0}: `;
    if (reason.save) {
      this.#say(`${begin}${reason.why}saving model to ${path}`);
      if (this.#model === undefined) throw new ConvbaseError('checkpoint/model', 'no model to save', { where: path });
      await save(this.#model, path);
      this.saved = path;
      this.#say(`${begin}finished saving model to ${path}`);
    } else this.#say(`${begin}${reason.why}`);
  }

  #reasonToSave(logs: Logs): { readonly save: boolean; readonly why: string } {
    if (this.#options.saveBestOnly !== true) return { save: true, why: '' };
    const monitor = this.#monitor;
    const current = logs[monitor];
    if (current === undefined) {
      this.#print(`Can save best model only with ${monitor} available.`);
      return { save: true, why: '' };
    }
    const best = this.best?.toFixed(5) ?? 'None';
    if (!this.#improves(current)) return { save: false, why: `${monitor} did not improve from ${best}` };
    this.best = current;
    return { save: true, why: `${monitor} improved from ${best} to ${current.toFixed(5)}, ` };
  }

  /** Anything but NaN is better than nothing. */
  #improves(current: number): boolean {
    const { best } = this;
    if (best === undefined) return !Number.isNaN(current);
    return this.#direction() === 'min' ? current < best : current > best;
  }

  #direction(): 'min' | 'max' {
    const { mode = 'auto' } = this.#options;
    if (mode !== 'auto') return mode;
    const name = this.#monitor.replace(/^val_/, '');
    if (name === 'loss') return 'min';
    // Every metric is a share of hits.
    if (this.#model?.compiled.metrics.some((metric) => metric.name === name) === true) return 'max';
    throw new ConvbaseError('checkpoint/monitor', `nobody knows whether ${this.#monitor} should grow or shrink`, {
      where: this.#options.path,
      fix: "Say so with mode: 'min' or 'max'.",
    });
  }

  #say(line: string): void {
    if (this.#options.verbose === 1) this.#print(line);
  }

  #print(line: string): void {
    (this.#options.print ?? console.log)(line);
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
