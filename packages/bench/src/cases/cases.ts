import type { Case, CaseSet } from './case.ts';
import { convolutions } from './convolutions.ts';
import {
  extraction,
  firstResult,
  forward,
  headEpoch,
  laterEpoch,
  trainedPart,
  trainingStep,
} from './networks.ts';

const quick = ['quick', 'full'] as const;
const full = ['full'] as const;

/** VGG16 with its last block and the head learning. */
const lastBlock = { model: 'vgg16', size: 150, from: 'block5_conv1', what: 'from block5_conv1' } as const;
/** InceptionV3 with its last twelve layers and the head learning. */
const lastTwelve = { model: 'inception_v3', size: 150, from: { last: 12 }, what: 'last 12 layers' } as const;
const everything = { model: 'vgg16', size: 150, from: 'block1_conv1', what: 'every layer' } as const;

/** All cases, those that matter most first. */
export async function allCases(): Promise<Case[]> {
  return [
    forward('vgg16', 150, 4, quick),
    forward('inception_v3', 150, 8, quick),
    trainingStep({ ...lastBlock, batch: 4, sets: quick }),
    trainedPart({ ...lastBlock, batch: 4, sets: quick }),
    laterEpoch({ ...lastBlock, batch: 4, sets: quick }, 4),
    headEpoch(8192, 200, 20),
    extraction('inception_v3', 150, 24, 8, quick),
    firstResult('inception_v3', 150, 'cold'),
    firstResult('inception_v3', 150, 'warm'),
    ...(await convolutions('vgg16', 150, 1, ['quick', 'ratios'], { layers: ['block3_conv2'] })),
    ...(await convolutions('inception_v3', 150, 8, ['quick'], { layers: ['conv2d_33'] })),
    // Small enough for plain JavaScript.
    ...(await convolutions('vgg16', 48, 1, quick, { layers: ['block1_conv1'] })),
    ...[48, 150, 224].flatMap((size) => [1, 8, 32].map((batch) => forward('vgg16', size, batch, full))),
    ...[150, 299].flatMap((size) =>
      [1, 8, 32]
        .filter((batch) => !(size === 150 && batch === 8))
        .map((batch) => forward('inception_v3', size, batch, full)),
    ),
    ...[1, 8, 32].map((batch) => forward('resnet50', 224, batch, full)),
    ...[lastBlock, lastTwelve, everything].map((what) => trainingStep({ ...what, batch: 20, sets: full })),
    extraction('vgg16', 150, 200, 32, full),
    ...(await convolutions('vgg16', 224, 1, full)),
    ...(await convolutions('inception_v3', 299, 1, full)),
  ];
}

/** The cases of a set whose names hold one of the given words. */
export function choose(cases: readonly Case[], set: CaseSet, words: readonly string[] = []): Case[] {
  return cases
    .filter(({ sets }) => sets.includes(set))
    .filter(({ id }) => words.length === 0 || words.some((word) => id.includes(word)));
}
