import type { Dispatch } from '../../commands/plan.ts';

type Variant = Pick<Dispatch, 'shader' | 'constants'>;

const flags = [false, true];

const endings = flags.flatMap((HAS_BIAS) =>
  flags.flatMap((ADD_RESIDUAL) => flags.map((RELU) => ({ HAS_BIAS, ADD_RESIDUAL, RELU }))),
);

/** Every shader of this folder with every set of constants that a plan may give it. */
export function variants(): Variant[] {
  const transforms = [8, 64].flatMap((WORKGROUP) =>
    ([2, 3, 4] as const).flatMap((output): Variant[] => [
      { shader: `winograd/kernel-${output}`, constants: { WORKGROUP } },
      { shader: `winograd/input-${output}`, constants: { WORKGROUP } },
      ...endings.map((ending): Variant => ({
        shader: `winograd/output-${output}`,
        constants: { WORKGROUP, ...ending },
      })),
    ]),
  );
  const turned = ([2, 3, 4] as const).map((output): Variant => ({
    shader: `winograd/input-turned-${output}`,
    constants: { WORKGROUP: 8 },
  }));
  const products = [1, 2, 3, 4].map((GROUPS): Variant => ({
    shader: 'winograd/subgroup-product',
    constants: { GROUPS },
  }));
  const lines: Variant[] = [
    { shader: 'winograd/kernel-line', constants: { WORKGROUP: 8 } },
    { shader: 'winograd/input-line', constants: { WORKGROUP: 8 } },
    ...endings.map((ending): Variant => ({
      shader: 'winograd/output-line',
      constants: { WORKGROUP: 8, ...ending },
    })),
  ];
  return [...transforms, ...turned, ...lines, ...products];
}
