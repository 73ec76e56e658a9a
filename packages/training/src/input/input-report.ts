import { availableParallelism } from 'node:os';
import { decodingThreads } from '@convbase/data';
import { bottleneckOf, type Bottleneck, type InputMeter, type InputTimes } from '@convbase/layers';

/** What a job waited for, as commands print it and `run.json` holds it. */
export interface InputReport {
  /** What the loops over batches took, from the first batch on. */
  readonly seconds: number;
  /** How much of that the adapter had nothing to do because the next pictures (or features) were not there. */
  readonly waited: number;
  /** How much of that it had nothing to do though they were there. */
  readonly between: number;
  readonly bottleneck: Bottleneck;
}

/** What a meter has found out; where an earlier process did a part of the job, what both did. */
export function inputReport(meter: InputMeter, earlier?: InputReport): InputReport {
  const { seconds, waiting, between } = meter.times();
  const times: InputTimes = {
    seconds: seconds + (earlier?.seconds ?? 0),
    waiting: waiting + (earlier?.waited ?? 0),
    between: between + (earlier?.between ?? 0),
    batches: 0,
  };
  return {
    seconds: times.seconds,
    waited: times.waiting,
    between: times.between,
    bottleneck: bottleneckOf(times),
  };
}

/** What the advice depends on. */
export interface InputPlace {
  /** What is waited for. */
  readonly what: 'pictures' | 'features';
  /** Whether the adapter is the CPU. */
  readonly software: boolean;
  /** How its user says how many pictures are computed at once (`--batch-size`), if there is a way. */
  readonly batches?: string;
  readonly threads?: number;
  readonly cores?: number;
}

/** Below this many seconds nobody needs advice. */
const WORTHWHILE = 2;

/**
 * What the bottleneck was, in a line, and what can be done where it was not the adapter, in another:
 *
 * `waited 0.3 s of 41 s for pictures: the adapter is the bottleneck`
 */
export function describeInput(report: InputReport, place: InputPlace): readonly string[] {
  const { seconds, waited, between, bottleneck } = report;
  const { what } = place;
  const line = `waited ${inSeconds(waited)} of ${inSeconds(seconds)} for ${what}`;
  switch (bottleneck) {
    case 'adapter':
      return [`${line}: the adapter is the bottleneck`];
    case 'program':
      return [
        `${line}, and ${inSeconds(between)} for this program: its thread is the bottleneck`,
        ...(place.batches === undefined
          ? []
          : advice(seconds, `larger batches (${place.batches}) give the adapter more to do at once`)),
      ];
    case 'input':
      return [
        `${line}: ${what === 'pictures' ? 'decoding' : 'reading'} them is the bottleneck`,
        ...advice(
          seconds,
          what === 'pictures' ? forPictures(place) : 'a faster disk helps, or more free memory',
        ),
      ];
  }
}

function advice(seconds: number, text: string): string[] {
  return seconds < WORTHWHILE ? [] : [text];
}

function forPictures({
  software,
  threads = decodingThreads(),
  cores = availableParallelism(),
}: InputPlace): string {
  if (threads < cores) {
    return `${threads} ${threads === 1 ? 'thread decodes' : 'threads decode'} on ${cores} cores: UV_THREADPOOL_SIZE=${cores} lets all of them do it`;
  }
  const smaller = 'copies of the pictures that are not much larger than --size decode faster';
  return software
    ? `${smaller}; decoding and this software adapter share ${cores} cores`
    : `${smaller}, and so do more cores than these ${cores}`;
}

/** `0.3 s`, `41 s` */
function inSeconds(value: number): string {
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} s`;
}
