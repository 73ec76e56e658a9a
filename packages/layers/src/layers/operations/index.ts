export { Arithmetic, type ArithmeticConfig, type ArithmeticKind } from './arithmetic.ts';
export { GetItem, type GetItemConfig, type Slice } from './get-item.ts';
export { Operation, type Constant } from './operation.ts';
export { Stack, type StackConfig } from './stack.ts';
