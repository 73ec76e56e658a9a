import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { changeRecipe, fractionOf, listRecipes, loadRecipe, parseRecipe } from './index.ts';

describe('the recipes that come with convbase', () => {
  it('are those of the notebooks and books', async () => {
    const recipes = await listRecipes();
    expect(recipes.map(({ name }) => name)).toEqual([
      'catsdogs-inceptionv3-augment-150',
      'catsdogs-inceptionv3-finetune-150',
      'catsdogs-vgg16-augment-150',
      'catsdogs-vgg16-augment-150-rmsprop',
      'catsdogs-vgg16-augment-180',
      'catsdogs-vgg16-features-150',
      'catsdogs-vgg16-features-150-rmsprop',
      'catsdogs-vgg16-features-180',
      'catsdogs-vgg16-finetune-150',
      'catsdogs-vgg16-finetune-150-rmsprop',
      'catsdogs-vgg16-finetune-180',
      'layer-sweep',
      'mnist-vgg16-features',
      'mnist-vgg16-finetune',
    ]);
    for (const { recipe, text } of recipes) {
      expect(text.split('\n').length).toBeLessThan(60);
      expect(recipe.title.length).toBeLessThan(42);
    }
  });

  it('are found by name, and a wrong name is told all of them', async () => {
    expect((await loadRecipe('layer-sweep')).recipe.sweep).toBe('blocks');
    await expect(loadRecipe('layer-swep')).rejects.toThrow(/no such recipe\n[^]*layer-sweep/);
    await expect(loadRecipe('none.yaml')).rejects.toMatchObject({ code: 'file/missing' });
  });
});

describe('parseRecipe', async () => {
  const { text } = await loadRecipe('catsdogs-vgg16-finetune-150');
  const broken = (from: string | RegExp, to: string): (() => unknown) => {
    expect(text.replace(from, to)).not.toBe(text);
    return () => parseRecipe(text.replace(from, to), 'my.yaml');
  };

  it('names the line, the place and the keys there are', () => {
    expect(broken('  batchSize: 20', '  batchsize: 20')).toThrow(
      /^my\.yaml:13: data\.batchsize: there is no such key; known here are kind, train, .*batchSize, .*\n {2}data\.batchSize: it is missing$/,
    );
    expect(broken('epochs: 10', 'epoch: 10')).toThrow(/stages\[1\]\.epoch: .*known here are name, unfreeze/);
    expect(broken(/learningRate/, 'lr')).toThrow(
      /^my\.yaml:\d+: stages\[0\]\.optimizer\.lr: .*learningRate, /,
    );
    expect(broken('rotationRange', 'rotation_range')).toThrow(
      /augmentation\.generator\.rotation_range: .*rotationRange, widthShiftRange/,
    );
  });

  it("has Keras' defaults for what need not be written", () => {
    const short = text.replace(/ {2}resize: .*\n/, '').replace(/, dropout: [\d.]+/, '');
    expect(short).not.toMatch(/resize:|dropout:/);
    const { data, model } = parseRecipe(short, 'my.yaml');
    expect([data.resize, model.head.dropout]).toEqual(['nearest', 0]);
  });

  it('says what may stand where something else does', () => {
    expect(broken('{ last: 4 }', 'some')).toThrow('stages[1].unfreeze: write none, all, { from: LAYER } or');
    expect(broken('{ last: 4 }', '{ last: 0 }')).toThrow(/stages\[1\]\.unfreeze\.last: .*>0/);
    expect(broken('size: 150', 'size: big')).toThrow('data.size: write one number, or [height, width]');
    expect(broken('name: sgd', 'name: sdg')).toThrow(/stages\[0\]\.optimizer\.name: .*adamw/);
    expect(broken('stage: finetune', 'stage: fine')).toThrow('reported[1].stage: no stage is called fine');
    expect(broken('- name: finetune', '- name: head')).toThrow('two stages are called head');
    const unvalidated = text.replace(/ {2}validation: .*\n/, '');
    const watching = (line: string): string =>
      unvalidated.replace('    epochs: 10\n', `    epochs: 10\n    ${line}\n`);
    expect(() => parseRecipe(unvalidated, 'my.yaml')).not.toThrow();
    expect(() => parseRecipe(watching('earlyStopping: {}'), 'my.yaml')).toThrow('there is no val_loss');
    expect(() => parseRecipe(watching('restoreBest: val_accuracy'), 'my.yaml')).toThrow(
      'there is no val_accuracy',
    );
    expect(() => parseRecipe(watching('restoreBest: loss'), 'my.yaml')).not.toThrow();
    expect(() => parseRecipe('', 'empty.yaml')).toThrow(/^empty\.yaml:1: /);
    expect(broken('data:\n', 'data: [\n')).toThrow(/^my\.yaml:\d+: it is not YAML/);
    expect(() => parseRecipe('title: x\ntitle: y', 'twice.yaml')).toThrow(/^twice\.yaml:2: .*unique/);
  });

  it.each([
    ['epochs: 10', 'epochs: 1.5', 'stages[1].epochs'],
    ['epochs: 10', 'epochs: .nan', 'stages[1].epochs'],
    ['epochs: 10', 'epochs: .inf', 'stages[1].epochs'],
    ['epochs: 10', 'epochs: -1', 'stages[1].epochs'],
    ['batchSize: 20', 'batchSize: 0', 'data.batchSize'],
    ['units: 256', 'units: 1e9', 'model.head.units'],
    ['units: 256', 'units: 2.5', 'model.head.units'],
    ['dropout: 0.5', 'dropout: 1', 'model.head.dropout'],
  ])('refuses %s as %s', (good, bad, place) => {
    expect(text).toContain(good);
    expect(broken(good, bad)).toThrow(place);
  });

  it('does not blow up on aliases of aliases', () => {
    const bomb = [
      'a: &a [1,1,1,1,1,1,1,1,1]',
      'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]',
      'c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]',
      'd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]',
    ];
    expect(() => parseRecipe(bomb.join('\n'), 'bomb.yaml')).toThrow(/^bomb\.yaml/);
  });
});

describe('tags', () => {
  it.each(['!!js/function "function () {}"', '!mine x', '!!js/undefined ""', '!!python/object:os.system []'])(
    'that nobody knows are refused: %s',
    async (value) => {
      const [text] = [(await loadRecipe('catsdogs-vgg16-finetune-150')).text];
      expect(() => parseRecipe(`${text}\nnotes: ${value}\n`, 'odd.yaml')).toThrow(/^odd\.yaml:\d+: .*tag/i);
    },
  );
});

describe('changeRecipe', () => {
  it('writes all that was changed into the recipe', async () => {
    const { recipe } = await loadRecipe('catsdogs-vgg16-finetune-150-rmsprop');
    const changes = { base: 'vgg19', weights: 'w.h5', fraction: 0.1, testFraction: 0.5, epochs: 40, seed: 3 };
    const changed = changeRecipe(recipe, changes);
    expect(changed.data).toMatchObject({ fraction: 0.1, testFraction: 0.5 });
    expect(changed.model).toMatchObject({ base: 'vgg19', weights: 'w.h5' });
    expect(
      changed.stages.map(({ epochs, stepsPerEpoch, validationSteps }) => [
        epochs,
        stepsPerEpoch,
        validationSteps,
      ]),
    ).toEqual([
      [30, 10, 5],
      [40, 10, 5],
    ]);
    expect(changed.seed).toBe(3);
    expect(changeRecipe(recipe, {})).toEqual(recipe);
  });

  it('treats pictures as another base expects them, unless the recipe does not care', async () => {
    const preprocess = async (name: string, base: string): Promise<string> =>
      changeRecipe((await loadRecipe(name)).recipe, { base }).data.preprocess;
    expect(await preprocess('layer-sweep', 'inception_v3')).toBe('tf');
    expect(await preprocess('layer-sweep', 'vgg19')).toBe('caffe');
    expect(await preprocess('layer-sweep', 'mine.keras')).toBe('caffe');
    expect(await preprocess('catsdogs-vgg16-features-150', 'inception_v3')).toBe('rescale');
  });

  it('lets a fresh head go on', async () => {
    const { recipe } = await loadRecipe('catsdogs-vgg16-finetune-150');
    expect(recipe.stages[1]?.head).toBe('fresh');
    expect(changeRecipe(recipe, { continueHead: true }).stages[1]?.head).toBe('continue');
  });

  it('rounds a fraction down, but leaves one', () => {
    expect([fractionOf(1000, 0.1), fractionOf(7, 0.5), fractionOf(3, 0.1)]).toEqual([100, 3, 1]);
  });
});

describe('the description of recipes', () => {
  it('describes one that is possible', async () => {
    const readme = await readFile(new URL('../../recipes/README.md', import.meta.url), 'utf8');
    const [, yaml = ''] = /```yaml\n([^]*?)```/.exec(readme) ?? [];
    // A sweep is the alternative to the stages that stand there.
    const recipe = parseRecipe(yaml.replace(/^sweep:.*\n/m, ''), 'README.md');
    expect(recipe.stages.map(({ name }) => name)).toEqual(['head', 'finetune']);
  });
});
