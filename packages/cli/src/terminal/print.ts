/** Prints a command's result on stdout: as JSON where that is wanted, else as a line for people. */
export function printResult(json: boolean | undefined, result: object, line: string): void {
  console.log(json ? JSON.stringify(result) : line);
}
