import type { Network } from '@convbase/layers';
import type { Summary } from './event.ts';
import { histogram } from './histogram.ts';

type Weight = Network['weights'][number];

/** Histograms of weights. Those of weights that have not changed since the last time are not computed again. */
export class WeightHistograms {
  readonly #known = new Map<Weight, { readonly version: number; readonly values: Float64Array }>();

  async of(weights: readonly Weight[]): Promise<Summary[]> {
    const summaries: Summary[] = [];
    const uses = new Map<string, number>();
    for (const weight of weights) {
      const { path } = weight;
      // Nested models may hold layers of one name: tags have to differ.
      const use = uses.get(path) ?? 0;
      uses.set(path, use + 1);
      const values = await this.#valuesOf(weight);
      const tag = `${use === 0 ? path : `${path}_${use}`}/histogram`;
      summaries.push({ tag, plugin: 'histograms', values, shape: [values.length / 3, 3] });
    }
    return summaries;
  }

  async #valuesOf(weight: Weight): Promise<Float64Array> {
    const known = this.#known.get(weight);
    if (known?.version === weight.version) return known.values;
    const { version } = weight;
    const values = histogram(await weight.read());
    this.#known.set(weight, { version, values });
    return values;
  }
}
