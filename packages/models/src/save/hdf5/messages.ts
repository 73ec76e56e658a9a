import { Bytes } from './bytes.ts';
import { lookup3 } from './lookup3.ts';

/**
 * The messages of HDF5 objects, version 3 of the "HDF5 File Format Specification", sections IV.A.2 and IV.A.1.b. Only
 * what a file of float32 datasets in groups needs: every length here is fixed by what is described, never by an
 * address, so that a layout can be planned with any addresses.
 */

const FLOAT32 = new Bytes()
  // Version 1, class 1 (floating point); little-endian, leading one implied, sign in bit 31.
  .u8(0x11, 0x20, 31, 0)
  .u32(4)
  // Bits 0 to 31; exponent of 8 bits from bit 23, mantissa of 23 from bit 0, bias 127.
  .u16(0)
  .u16(32)
  .u8(23, 8, 0, 23)
  .u32(127)
  .done();

/** Version 1, class 3 (text): UTF-8, filled up with zeros. */
function textType(size: number): Uint8Array {
  return new Bytes().u8(0x13, 0x11, 0, 0).u32(size).done();
}

/** Version 2; no extents is a scalar. */
function dataspace(shape: readonly number[]): Uint8Array {
  const space = new Bytes().u8(2, shape.length, 0, shape.length === 0 ? 0 : 1);
  for (const extent of shape) space.u64(extent);
  return space.done();
}

/** A message's type and content. */
export type Message = readonly [type: number, content: Uint8Array];

/** A link from a group to an object. */
export function linkMessage(name: string, address: number): Message {
  const utf8 = new TextEncoder().encode(name);
  // Version 1; flags: the encoding is given (UTF-8), the name's length has two bytes.
  return [0x06, new Bytes().u8(1, 0x11, 1).u16(utf8.length).bytes(utf8).u64(address).done()];
}

/** What makes an object a group: that its links are listed in its header, none in an index. */
export function groupMessages(): Message[] {
  return [
    [0x02, new Bytes().u8(0, 0).nowhere().nowhere().done()],
    [0x0a, Uint8Array.of(0, 0)],
  ];
}

/** What makes an object a float32 dataset whose rows lie one after the other from `address` on. */
export function datasetMessages(shape: readonly number[], address: number): Message[] {
  const bytes = 4 * shape.reduce((product, extent) => product * extent, 1);
  const layout = new Bytes().u8(3, 1);
  if (bytes === 0) layout.nowhere();
  else layout.u64(address);
  return [
    [0x01, dataspace(shape)],
    [0x03, FLOAT32],
    // Version 3; no fill value, allocated late.
    [0x05, Uint8Array.of(3, 0x0a)],
    [0x08, layout.u64(bytes).done()],
  ];
}

/** Text, or a list of texts, attached to an object. */
export function attributeMessage(name: string, value: string | readonly string[]): Message {
  const texts = (typeof value === 'string' ? [value] : value).map((text) => new TextEncoder().encode(text));
  // HDF5 has no text of length 0.
  const width = Math.max(1, ...texts.map((text) => text.length));
  const space = dataspace(typeof value === 'string' ? [] : [texts.length]);
  const type = textType(width);
  const label = new TextEncoder().encode(`${name}\0`);
  const message = new Bytes()
    .u8(3, 0)
    .u16(label.length)
    .u16(type.length)
    .u16(space.length)
    .u8(1)
    .bytes(label)
    .bytes(type)
    .bytes(space);
  for (const text of texts) message.bytes(text).bytes(new Uint8Array(width - text.length));
  return [0x0c, message.done()];
}

/** An object header, version 2: the messages behind their types and lengths, then a checksum. */
export function objectHeader(messages: readonly Message[]): Uint8Array {
  const length = messages.reduce((sum, [, content]) => sum + 4 + content.length, 0);
  // Flags: the length of the header has four bytes.
  const header = new Bytes().text('OHDR').u8(2, 0x02).u32(length);
  for (const [type, content] of messages) header.u8(type).u16(content.length).u8(0).bytes(content);
  return header.u32(lookup3(header.done())).done();
}

/** The first 48 bytes of a file: superblock, version 2. */
export function superblock(rootAddress: number, fileBytes: number): Uint8Array {
  const block = new Bytes().u8(0x89).text('HDF\r\n').u8(0x1a).text('\n');
  // Version 2, addresses and lengths of 8 bytes.
  block.u8(2, 8, 8, 0).u64(0).nowhere().u64(fileBytes).u64(rootAddress);
  return block.u32(lookup3(block.done())).done();
}

export const SUPERBLOCK_BYTES = 48;
