import type { Convolution, Direction, ModelName } from '../protocol.ts';
import type { Case, CaseSet } from './case.ts';
import { convolutionCost, convolutionsOf } from './cost.ts';
import { buildStructure, titles } from './network.ts';

const directions: readonly Direction[] = ['forward', 'input-gradient', 'filter-gradient'];

/** The distinct convolutions of a network, each forward and with both gradients. */
export async function convolutions(
  model: ModelName,
  size: number,
  batch: number,
  sets: readonly CaseSet[],
  { layers }: { layers?: readonly string[] } = {},
): Promise<Case[]> {
  const network = await buildStructure(model, size);
  return convolutionsOf(network, batch)
    .filter(({ layer }) => layers?.includes(layer) ?? true)
    .flatMap(({ layer, convolution }) =>
      directions.map((direction): Case => {
        return {
          id: `conv/${model}/${size}/${batch}/${layer}/${direction}`,
          title: `${titles[model]} ${layer}: ${describeConvolution(convolution)}, ${direction.replace('-', ' ')}`,
          group: 'convolutions',
          sets,
          pictures: batch,
          prepare: async () => ({
            task: { kind: 'convolution', direction, convolution },
            cost: [convolutionCost(convolution)],
          }),
        };
      }),
    );
}

/** `1x74x74x32, 3x3 to 64, stride 2, same`. */
export function describeConvolution({ n, h, w, ci, co, kh, kw, strides, padding }: Convolution): string {
  const [down, across] = strides;
  const stride = down === across ? (down === 1 ? '' : `, stride ${down}`) : `, strides ${down}x${across}`;
  return `${n}x${h}x${w}x${ci}, ${kh}x${kw} to ${co}${stride}, ${padding}`;
}
