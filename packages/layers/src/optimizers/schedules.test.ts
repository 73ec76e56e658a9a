import { describe, expect, it } from 'vitest';
import { callbackTraces } from '../testing/traces.ts';
import {
  Adam,
  CosineDecay,
  ExponentialDecay,
  optimizerFromConfig,
  PiecewiseConstantDecay,
  scheduleFromConfig,
  serializeSchedule,
  SGD,
} from './index.ts';

describe('schedules', () => {
  for (const [index, { serialized, values }] of callbackTraces.schedules.entries()) {
    it(`are Keras', step by step: ${String(serialized['class_name'])} ${index}`, () => {
      const schedule = scheduleFromConfig(serialized);
      values.forEach((expected, step) => {
        // Keras computes them in float32.
        expect(Math.abs(schedule.at(step) - expected), `step ${step}`).toBeLessThan(1e-6 * expected + 1e-8);
      });
      expect(serializeSchedule(schedule)).toEqual(serialized);
    });
  }

  it('decide the rate of an optimizer, which then cannot be set', () => {
    const schedule = new PiecewiseConstantDecay({ boundaries: [1], values: [0.5, 0.25] });
    const optimizer = new Adam({ learningRate: schedule });
    expect(optimizer.learningRate).toBe(0.5);
    optimizer.iterations = 2;
    expect(optimizer.learningRate).toBe(0.25);
    expect(() => {
      optimizer.learningRate = 1;
    }).toThrow('follows a schedule');
    const read = optimizerFromConfig('SGD', { learning_rate: serializeSchedule(schedule) });
    expect(read).toBeInstanceOf(SGD);
    expect(read.learningRate).toBe(0.5);
  });

  it('that make no sense are refused', () => {
    expect(() => new CosineDecay({ initialLearningRate: 1, decaySteps: 0 })).toThrow('over 0 steps');
    expect(() => new PiecewiseConstantDecay({ boundaries: [1], values: [1] })).toThrow('do not part 1');
    for (const name of ['PolynomialDecay', 'constructor']) {
      const unknown = { class_name: name, config: {} };
      expect(() => scheduleFromConfig(unknown)).toThrow(`${name} is not supported`);
    }
    const { className } = new ExponentialDecay({ initialLearningRate: 1, decaySteps: 1, decayRate: 1 });
    const broken = { class_name: className, config: { initial_learning_rate: 'much' } };
    expect(() => scheduleFromConfig(broken)).toThrow('initial_learning_rate is not a number');
  });
});
