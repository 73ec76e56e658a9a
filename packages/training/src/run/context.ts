import type { Gpu } from '@convbase/core-gpu';
import type { PictureMemory } from '@convbase/data';
import type { InputMeter } from '@convbase/layers';
import type { Recipe } from '../recipe/index.ts';
import type { RunModel } from './model.ts';
import type { RunObserver } from './observer.ts';
import type { RunPictures } from './pictures.ts';

/** What all parts of a run share. */
export interface RunContext {
  readonly recipe: Recipe;
  readonly built: RunModel;
  readonly pictures: RunPictures;
  readonly gpu: Gpu;
  readonly observer: RunObserver;
  readonly signal: AbortSignal | undefined;
  /** Where the outputs of frozen parts are kept; default in convbase's cache folder. */
  readonly cacheFolder: string | undefined;
  /** Told what all parts of the run wait for. */
  readonly meter: InputMeter;
  /** Decoded pictures that are wanted again. */
  readonly memory: PictureMemory;
}
