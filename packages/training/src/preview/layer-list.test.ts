import { RandomFlip, RandomRotation, RandomZoom } from '@convbase/layers';
import { describe, expect, it } from 'vitest';
import { parseLayerList } from './layer-list.ts';

describe('parseLayerList', () => {
  it('reads names, factors and ranges', () => {
    const [flip, rotation, zoom, ...more] = parseLayerList(
      'flip:horizontal, rotation:0.1, zoom:-0.2..0.3:0.4',
    );
    expect(flip).toBeInstanceOf(RandomFlip);
    expect(flip).toMatchObject({ mode: 'horizontal' });
    expect(rotation).toBeInstanceOf(RandomRotation);
    expect(rotation).toMatchObject({ factor: [-0.1, 0.1] });
    expect(zoom).toBeInstanceOf(RandomZoom);
    expect(zoom).toMatchObject({ heightFactor: [-0.2, 0.3], widthFactor: 0.4 });
    expect(more).toEqual([]);
  });

  it('takes one number of a translation for both directions, and flips in both when nothing is said', () => {
    const [translation, flip, contrast, brightness] = parseLayerList(
      'translation:0.2,flip,contrast:0.3,brightness:0.4',
    );
    expect(translation).toMatchObject({ heightFactor: 0.2, widthFactor: 0.2 });
    expect(flip).toMatchObject({ mode: 'horizontal_and_vertical' });
    expect(contrast).toMatchObject({ className: 'RandomContrast', factor: [0, 0.3] });
    expect(brightness).toMatchObject({ className: 'RandomBrightness', factor: [-0.4, 0.4] });
  });

  it.each([
    '',
    'blur:1',
    'flip:sideways',
    'rotation',
    'rotation:x',
    'rotation:1:2',
    'zoom:1..2..3',
    'toString:1',
  ])('refuses %o', (text) => {
    expect(() => parseLayerList(text)).toThrow('is no augmentation layer');
  });

  it('leaves impossible factors to the layers', () => {
    expect(() => parseLayerList('rotation:2')).toThrow('a factor of 2 is not possible');
  });
});
