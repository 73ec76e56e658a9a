/** Prints a command's result on stdout: as JSON where that is wanted, else as lines for people. */
export function printResult(json: boolean | undefined, result: object, ...lines: readonly string[]): void {
  console.log(json ? JSON.stringify(result) : lines.join('\n'));
}
