/**
 * Text with the user and password of each web address in it as `***`. Messages are copied into logs and questions, which
 * others read.
 */
export function withoutCredentials(text: string): string {
  return text.replace(/(:\/\/)[^\s/?#\\]*@/g, '$1***@');
}
