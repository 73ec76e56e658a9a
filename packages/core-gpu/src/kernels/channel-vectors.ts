/** What a thread handles at once: one channel, or four where their number allows it. */
export type ChannelVariant = 'scalar' | 'vec4';

/** Channels and bytes in the units of a variant. Threads that take four channels at a time need far fewer loads. */
export interface ChannelUnits {
  readonly variant: ChannelVariant;
  /** Units of one position. */
  readonly c: number;
  /** Bytes of one unit. */
  readonly bytes: number;
}

/** The units of a tensor with `c` channels, as large as they can be unless a variant is asked for. */
export function channelUnits(
  c: number,
  variant: ChannelVariant = c % 4 === 0 ? 'vec4' : 'scalar',
): ChannelUnits {
  return variant === 'vec4' ? { variant, c: c / 4, bytes: 16 } : { variant, c, bytes: 4 };
}
