import type { Dispatch } from '../../commands/plan.ts';

type Variant = Pick<Dispatch, 'shader' | 'constants'>;

const flags = [false, true];

const epilogues = flags.flatMap((HAS_BIAS) =>
  flags.flatMap((ADD_RESIDUAL) => flags.map((RELU) => ({ HAS_BIAS, ADD_RESIDUAL, RELU }))),
);

/** Every shader of this folder with every set of constants that a plan may give it. */
export function variants(): Variant[] {
  const transforms = [8, 64].flatMap((WORKGROUP) =>
    ([2, 3, 4] as const).flatMap((output): Variant[] => [
      { shader: `winograd/kernel-${output}`, constants: { WORKGROUP } },
      { shader: `winograd/input-${output}`, constants: { WORKGROUP } },
      ...epilogues.map((epilogue): Variant => ({
        shader: `winograd/output-${output}`,
        constants: { WORKGROUP, ...epilogue },
      })),
    ]),
  );
  const transposed = ([2, 3, 4] as const).map((output): Variant => ({
    shader: `winograd/input-transposed-${output}`,
    constants: { WORKGROUP: 8 },
  }));
  const products = [1, 2, 3, 4].map((GROUPS): Variant => ({
    shader: 'winograd/subgroup-product',
    constants: { GROUPS },
  }));
  const lines: Variant[] = [
    { shader: 'winograd/kernel-1d', constants: { WORKGROUP: 8 } },
    { shader: 'winograd/input-1d', constants: { WORKGROUP: 8 } },
    ...epilogues.map((epilogue): Variant => ({
      shader: 'winograd/output-1d',
      constants: { WORKGROUP: 8, ...epilogue },
    })),
  ];
  return [...transforms, ...transposed, ...lines, ...products];
}
